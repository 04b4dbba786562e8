// How far an operation of LibTorch moves numbers when it rounds at random.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <span>
#include <string>
#include <vector>

namespace byhand {

// By how many units in the last place an operation moves its inputs and its result.
struct Moves {
    double inputs = 0, result = 0;
};
Moves moves_of(const c10::FunctionSchema& schema, std::span<const c10::IValue> arguments);

// "add" of aten::add_
std::string name_of(const c10::FunctionSchema& schema);

// Those whose results are numbers of their inputs, at other places.
bool copies(const std::string& name);

// Copies, choices of elements and comparisons, which round nothing. Operations in place have the name without its
// underscore.
bool is_exact(const std::string& name);

// An interpolation computes its weights from the ratio of the sizes, in float or in double: the ratio, which it takes
// as an argument, becomes 1 + `by` times as large. Other operations keep their arguments.
void move_scales(const c10::FunctionSchema& schema, std::vector<c10::IValue>& arguments, double by);

}  // namespace byhand

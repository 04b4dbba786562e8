// An operation of a graph, by LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "trace/attributes.h"
#include "trace/graph.h"

namespace byhand {

// What an operation is given. A tensor that is left out is undefined; a number is a tensor without dimensions that does
// not decide the type of what is computed with it.
struct TracedArguments {
    const TracedStep& step;
    std::vector<at::Tensor> tensors;

    at::Tensor operator[](std::size_t place) const { return place < tensors.size() ? tensors[place] : at::Tensor(); }
};

struct TracedReference {
    std::size_t fewest, most;  // inputs; the first `fewest` can't be left out
    std::vector<Attribute> attributes;
    at::Tensor (*compute)(const TracedArguments& given);
    bool has_several_results = false;  // of which "output" chooses one
    // The gradient of the first input from the result and its gradient, as programs compute it that keep the result.
    at::Tensor (*from_result)(const TracedStep& step, const at::Tensor& y, const at::Tensor& dy) = nullptr;
};

// By their ATen names.
const std::map<std::string, TracedReference>& traced_references();

}  // namespace byhand

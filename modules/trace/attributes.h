// The attributes of an operation in a graph: their names and types, and their values in a step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trace/graph.h"

namespace byhand {

enum class AttributeType {
    number,       // or "inf", "-inf"
    whole,        // may be negative
    wholes,       // a list of them, or one
    truth,        // true or false
    approximate,  // "none", "tanh"
    reduction,    // "none", "mean", "sum"
};

struct Attribute {
    const char* name;
    AttributeType type;
    bool needed = false;
};

// Throws InputError for an attribute that the operation does not have, a value of another type, and one that is needed
// and missing. Null stands for the default.
void check_attributes(const TracedStep& step, const std::vector<Attribute>& known);

// The value in a checked step, or the default.
double number_of(const TracedStep& step, const char* name, double otherwise);
std::optional<std::int64_t> whole_of(const TracedStep& step, const char* name);
std::int64_t whole_of(const TracedStep& step, const char* name, std::int64_t otherwise);
std::vector<std::int64_t> wholes_of(const TracedStep& step, const char* name,
                                    const std::vector<std::int64_t>& otherwise = {});
bool truth_of(const TracedStep& step, const char* name, bool otherwise);
std::string word_of(const TracedStep& step, const char* name, const char* otherwise);

}  // namespace byhand

// Names of a network's tensors. Names are composed and parsed only here.
#pragma once

#include <compare>
#include <cstddef>
#include <string>

namespace byhand {

enum class ValueKind {
    value,      // a value that the forward pass reads or computes, parameters included: "hprebn.1", "W1"
    gradient,   // the gradient of the loss with respect to that value: "dhprebn.1"
    updated,    // a parameter or running statistic after the step's update: "new_W1"
    evaluated,  // the value in evaluation mode: "eval_hprebn.1"
};

struct Value {
    ValueKind kind = ValueKind::value;
    std::string base;       // "hprebn", "W"; it does not begin with 'd', new_ or eval_
    std::size_t layer = 0;  // 0 if the name has none

    auto operator<=>(const Value&) const = default;

    // "dhprebn.1"; of W and b "dW1".
    std::string name() const;
};

// The value of that name; the inverse of Value::name().
Value value_of(const std::string& name);

// Whether values of that name are indices: those of X and Y.
inline bool is_index(const std::string& name) {
    return name == "X" || name == "Y";
}

// Names derived from that of a value: "dW1", "new_W1", "eval_h".
std::string gradient_of(const std::string& value);
std::string update_of(const std::string& value);
std::string evaluation_of(const std::string& value);

// State or intermediate result of an optimizer for a parameter: the "exp_avg" of "W1" is "exp_avg_W1", that of
// "bngain.2" "exp_avg_bngain.2". role_of and without_role return the two parts of such a name without its kind, or of
// such a base; for a name without an underscore the role is empty.
std::string of_parameter(const std::string& role, const std::string& parameter);
std::string role_of(const std::string& name);
std::string without_role(const std::string& name);

// The name of the value itself: "W1" for "dW1" or "new_W1".
std::string without_kind(const std::string& name);

}  // namespace byhand

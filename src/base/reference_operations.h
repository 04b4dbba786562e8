// Reference results of single steps: the result of a step from the values that it reads.
#pragma once

#include <string>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"

namespace byhand {

class ReferenceOperations {
public:
    virtual ~ReferenceOperations() = default;

    // The names of all values that the reference computes.
    virtual std::vector<std::string> names() const = 0;

    // The inputs of a value: name and shape, X and Y among them. Throws std::out_of_range if the reference does not
    // compute that value.
    virtual std::vector<TensorSpec> reads(const std::string& name) const = 0;

    // The value of `name` in double, elements in row order, computed from these values of what reads(name) lists
    // (float, double or int64; further views are ignored). For a gradient: the vector–Jacobian products of the forward
    // steps that use the value, summed. Throws std::out_of_range if a value is missing.
    virtual std::vector<double> evaluate(const std::string& name, const std::vector<View>& values) const = 0;

protected:
    ReferenceOperations() = default;
    ReferenceOperations(const ReferenceOperations&) = default;
    ReferenceOperations& operator=(const ReferenceOperations&) = default;
};

}  // namespace byhand

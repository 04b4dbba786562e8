// What a reference says to the question of a single step: "these are the values that it reads; what does it make?"
#pragma once

#include <string>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"

namespace byhand {

class ReferenceOperations {
public:
    virtual ~ReferenceOperations() = default;

    // All names that there is an answer to.
    virtual std::vector<std::string> names() const = 0;

    // What the answer depends on: name and shape, X and Y among them. Throws std::out_of_range where there is no answer
    // to that name.
    virtual std::vector<TensorSpec> reads(const std::string& name) const = 0;

    // The value of `name` in double, elements in row order, where what reads(name) lists has these values (float,
    // double or int64; further views are ignored). For a gradient: the vector–Jacobian products of the forward steps
    // that use the value, summed. Throws std::out_of_range where a value is missing.
    virtual std::vector<double> evaluate(const std::string& name, const std::vector<View>& values) const = 0;

protected:
    ReferenceOperations() = default;
    ReferenceOperations(const ReferenceOperations&) = default;
    ReferenceOperations& operator=(const ReferenceOperations&) = default;
};

}  // namespace byhand

// Sums that a reference adds up in place, term by term.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace byhand {

// What one evaluation has added in place to each memory: `y += x[i]` in a loop is a sum, though no operation says so,
// and a kernel may add its terms in any order.
class SumsInPlace {
public:
    // Before an operation: if it adds to its first argument, notes the term. Memory that has changed in any other way
    // since the last time begins a new sum.
    void note(const std::string& name, const std::vector<c10::IValue>& arguments);
    // Σ |term| of the sum that ends with this operation's result. Undefined with fewer than three terms, whose sum
    // hardly depends on their order, or if it is no such sum.
    at::Tensor magnitudes(const at::Tensor& result) const;
    // After the operation, when its result has been moved.
    void leave(const at::Tensor& result);

private:
    struct Sum {
        at::Tensor magnitudes, left;  // left: the value after the last term
        std::size_t terms = 0;
    };
    std::map<const void*, Sum> all_;  // by the memory's address
};

}  // namespace byhand

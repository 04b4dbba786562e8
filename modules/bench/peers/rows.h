// The operands of a product in rows, as a C program stores them, and their result.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/tensors.h"
#include "base/timed_operation.h"

namespace byhand::peers {

struct RowOperands {
    OperationShape shape;
    AlignedVector<float> x, W, bias, dy, result;

    explicit RowOperands(const OperationInput& from)
        : shape(from.shape), x(copy(from.x)), W(copy(from.W)), bias(copy(from.bias)), dy(copy(from.dy)) {
        const auto& [operation, n, in, out, has_bias, activation] = shape;
        result.resize(operation == TimedOperation::linear_forward           ? n * out
                      : operation == TimedOperation::linear_weight_backward ? in * out
                                                                            : n * in);
    }

    static AlignedVector<float> copy(const std::vector<float>& values) {
        AlignedVector<float> all(values.size());
        std::ranges::copy(values, all.begin());
        return all;
    }

    // Each row of the result of a layer with a bias, for a product that is added to it.
    void fill_with_bias() {
        for (std::size_t i = 0; i < shape.n; ++i) {
            std::ranges::copy(bias, result.begin() + static_cast<std::ptrdiff_t>(i * shape.out));
        }
    }
};

// A prepared operation on them; product(operands) computes the result.
template <class Product>
PreparedOperation prepared_in_rows(const OperationInput& input, const Product& product) {
    const auto operands = std::make_shared<RowOperands>(input);
    return {[operands, product] { product(*operands); },
            [operands, product] {
                product(*operands);
                return std::vector<float>(operands->result.begin(), operands->result.end());
            }};
}

}  // namespace byhand::peers

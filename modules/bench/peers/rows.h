// The operands of a product in rows, as a C program stores them, and their result.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/tensors.h"
#include "base/timed_step.h"

namespace byhand::peers {

enum class Result { y, dW, dx };

// x (n, in), W (in, out), bias (out) and dy (n, out), of which a product reads two or three; the others are empty.
struct RowOperands {
    Result result_is;
    std::size_t n, in, out;
    AlignedVector<float> x, W, bias, dy, result;

    explicit RowOperands(const TimedStep& step)
        : result_is(step.name == "linear forward" ? Result::y
                    : step.name == "linear dW"    ? Result::dW
                                                  : Result::dx),
          n(step.reads[0].shape[0]),
          in(weight_of(step)[0]),
          out(weight_of(step)[1]) {
        (result_is == Result::dx ? dy : x) = copy(step.reads[0]);
        (result_is == Result::dW ? dy : W) = copy(step.reads[1]);
        if (step.reads.size() == 3) {
            bias = copy(step.reads[2]);
        }
        result.resize(count(step.shape));
    }

    static const Shape& weight_of(const TimedStep& step) {
        return step.name == "linear dW" ? step.shape : step.reads[1].shape;
    }
    static AlignedVector<float> copy(const View& view) {
        const auto* const from = static_cast<const float*>(view.data);
        return {from, from + count(view.shape)};
    }

    // Each row of the result of a layer with a bias, for a product that is added to it.
    void fill_with_bias() {
        for (std::size_t i = 0; i < n && !bias.empty(); ++i) {
            std::ranges::copy(bias, result.begin() + static_cast<std::ptrdiff_t>(i * out));
        }
    }
};

// product(operands) computes the result.
template <class Product>
PackedOperation packed_in_rows(RowOperands operands, const Product& product) {
    const auto o = std::make_shared<RowOperands>(std::move(operands));
    return {[o, product] { product(*o); }, [o](float* to) { std::ranges::copy(o->result, to); }};
}

}  // namespace byhand::peers

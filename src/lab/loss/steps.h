// Losses over logits by hand, outside any network: the functions of manual/cross_entropy/formulas.h and
// manual/squared_error.h in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "manual/cross_entropy/formulas.h"
#include "manual/squared_error.h"

namespace byhand::lab {

// T is float, double or Rounded.
template <class T>
struct LossInput {
    std::size_t n = 0, V = 0;
    std::vector<T> logits;        // (n, V)
    std::vector<std::int64_t> Y;  // (n)
};

template <class T>
struct LossOutput {
    T loss = 0;
    std::vector<T> dlogits;
};

template <class T>
std::vector<T> probabilities(const LossInput<T>& in) {
    std::vector<T> maxes(in.n), shifted(in.n * in.V), counts(in.n * in.V), sums(in.n), inverse(in.n),
        probs(in.n * in.V);
    softmax_max(maxes.data(), in.logits.data(), in.n, in.V);
    softmax_shift(shifted.data(), in.logits.data(), maxes.data(), in.n, in.V);
    softmax_exp(counts.data(), shifted.data(), in.n * in.V);
    softmax_sum(sums.data(), counts.data(), in.n, in.V);
    softmax_inverse(inverse.data(), sums.data(), in.n);
    softmax_normalise(probs.data(), counts.data(), inverse.data(), in.n, in.V);
    return probs;
}

template <class T>
LossOutput<T> cross_entropy(const LossInput<T>& in) {
    LossOutput<T> out;
    out.dlogits.resize(in.n * in.V);
    cross_entropy_forward(&out.loss, in.logits.data(), in.Y.data(), in.n, in.V);
    cross_entropy_backward(out.dlogits.data(), in.logits.data(), in.Y.data(), in.n, in.V);
    return out;
}

// Note 1's start: the squared error's derivative by the probabilities stands where that by the logits should.
template <class T>
LossOutput<T> notes_start(const LossInput<T>& in) {
    LossOutput<T> out;
    out.dlogits.resize(in.n * in.V);
    const std::vector<T> probs = probabilities(in);
    squared_error_forward(&out.loss, probs.data(), in.Y.data(), in.n, in.V);
    squared_error_backward(out.dlogits.data(), probs.data(), in.Y.data(), in.n, in.V);
    return out;
}

template <class T>
LossOutput<T> squared_error(const LossInput<T>& in) {
    LossOutput<T> out = notes_start(in);
    const std::vector<T> probs = probabilities(in), dprobs = out.dlogits;
    softmax_backward(out.dlogits.data(), dprobs.data(), probs.data(), in.n, in.V);
    return out;
}

}  // namespace byhand::lab

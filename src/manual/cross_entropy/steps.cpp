// From logits and Y to the loss, in eight small steps or in one, and back.
#include "byhand/rounded.h"
#include "manual/cross_entropy/formulas.h"
#include "manual/operation.h"

namespace byhand {
namespace {

// The results of cross_entropy_with_gradient, one at a time.
template <class T>
void loss_alone(T* loss, const T* logits, const std::int64_t* Y, std::size_t rows, std::size_t V, std::size_t n) {
    std::vector<T> dlogits(rows * V);
    cross_entropy_with_gradient(loss, dlogits.data(), logits, Y, rows, V, n, softmax_exp<T>);
}
template <class T>
void dlogits_only(T* dlogits, const T* logits, const std::int64_t* Y, std::size_t rows, std::size_t V, std::size_t n) {
    T loss = 0;
    cross_entropy_with_gradient(&loss, dlogits, logits, Y, rows, V, n, softmax_exp<T>);
}

void small_steps(StepList& f, const Site& at) {
    const std::size_t n = at.rows, V = at.network.vocabulary;
    add(f, "logit_maxes", {n}, {at.x()}, BYHAND_FUNCTION(softmax_max), n, V);
    add(f, "norm_logits", {n, V}, {at.x(), "logit_maxes"}, BYHAND_FUNCTION(softmax_shift), n, V);
    add(f, "counts", {n, V}, {"norm_logits"}, BYHAND_FUNCTION(softmax_exp), n * V);
    add(f, "counts_sum", {n}, {"counts"}, BYHAND_FUNCTION(softmax_sum), n, V);
    add(f, "counts_sum_inv", {n}, {"counts_sum"}, BYHAND_FUNCTION(softmax_inverse), n);
    add(f, "probs", {n, V}, {"counts", "counts_sum_inv"}, BYHAND_FUNCTION(softmax_normalise), n, V);
    add(f, "logprobs", {n, V}, {"probs"}, BYHAND_FUNCTION(softmax_log), n * V);
    add(f, at.y(), {}, {"logprobs", "Y"}, BYHAND_FUNCTION(negative_log_likelihood), n, V, at.batch_rows);
}

void forward(StepList& f, const Site& at) {
    const std::size_t n = at.rows, V = at.network.vocabulary;
    switch (at.form) {
        case HandForm::stepwise:
            small_steps(f, at);
            break;
        case HandForm::collapsed:
            add(f, at.y(), {}, {at.x(), "Y"}, BYHAND_FUNCTION(cross_entropy_forward), n, V, at.batch_rows);
            break;
        case HandForm::fused:
            add(f, at.y(), {}, {at.x(), "Y"}, "cross_entropy_with_gradient", loss_alone<float>, loss_alone<double>,
                loss_alone<Rounded>, n, V, at.batch_rows);
            break;
    }
}

void small_steps_back(StepList& b, const Site& at) {
    const std::size_t n = at.rows, V = at.network.vocabulary;
    add(b, "dlogprobs", {n, V}, {"Y"}, BYHAND_FUNCTION(negative_log_likelihood_backward), n, V, at.batch_rows);
    add(b, "dprobs", {n, V}, {"dlogprobs", "probs"}, BYHAND_FUNCTION(softmax_log_backward), n * V);
    add(b, "dcounts_sum_inv", {n}, {"dprobs", "counts"}, BYHAND_FUNCTION(softmax_inverse_of_probs_backward), n, V);
    add(b, "dcounts_sum", {n}, {"dcounts_sum_inv", "counts_sum"}, BYHAND_FUNCTION(softmax_inverse_backward), n);
    add(b, "dcounts", {n, V}, {"dprobs", "counts_sum_inv", "dcounts_sum"}, BYHAND_FUNCTION(softmax_counts_backward), n,
        V);
    add(b, "dnorm_logits", {n, V}, {"dcounts", "counts"}, BYHAND_FUNCTION(softmax_exp_backward), n * V);
    add(b, "dlogit_maxes", {n}, {"dnorm_logits"}, BYHAND_FUNCTION(softmax_max_backward), n, V);
    add(b, at.dx(), {n, V}, {"dnorm_logits", "dlogit_maxes", at.x()}, BYHAND_FUNCTION(softmax_logits_backward), n, V);
}

void backward(StepList& b, const Site& at) {
    const std::size_t n = at.rows, V = at.network.vocabulary;
    switch (at.form) {
        case HandForm::stepwise:
            small_steps_back(b, at);
            break;
        case HandForm::collapsed:
            add(b, at.dx(), {n, V}, {at.x(), "Y"}, BYHAND_FUNCTION(cross_entropy_backward), n, V, at.batch_rows);
            break;
        case HandForm::fused:
            add(b, at.dx(), {n, V}, {at.x(), "Y"}, "cross_entropy_with_gradient", dlogits_only<float>,
                dlogits_only<double>, dlogits_only<Rounded>, n, V, at.batch_rows);
            break;
    }
}

void ranges(ValueRanges& ranges, const Site& /*at*/) {
    ranges["norm_logits"] = ranges["logprobs"] = kNotPositive;
    ranges["counts"] = kCounts;
    ranges["probs"] = kProbability;
    ranges["counts_sum"] = kCountsSum;
    ranges["counts_sum_inv"] = kCountsSumInverse;
}

GlossaryRows rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "logits",
         .axes = {row, character},
         .meaning = "a score for each possible next character",
         .symbol = "logits",
         .rule = "logits is used twice: directly, and in the maximum of its row. A maximum passes its gradient to the "
                 "largest element, the first in a tie.",
         .collapsed = "The eight steps from the loss combined: only the probabilities minus the one-hot target remain, "
                      "and each row sums to 0."},
        {.value = "logit_maxes",
         .axes = {row},
         .meaning = "the largest score in each row, subtracted so that exp can't overflow",
         .rule = "It was subtracted from every element of its row: the negative sum along the row.",
         .zero_gradient = true},
        {.value = "norm_logits",
         .axes = {row, character},
         .meaning = "the scores minus the largest of their row",
         .rule = "e^x is its own derivative."},
        {.value = "counts",
         .axes = {row, character},
         .meaning = "the exponentials of the scores: all positive",
         .rule = "counts is used twice, in probs and in counts_sum, and both gradients add up. A sum in the forward "
                 "pass is a broadcast in the backward pass."},
        {.value = "counts_sum",
         .axes = {row},
         .meaning = "the sum of each row's counts",
         .rule = "1/x has the derivative −1/x²."},
        {.value = "counts_sum_inv",
         .axes = {row},
         .meaning = "one over that sum",
         .rule = "One number per row multiplied all columns of counts: a broadcast in the forward pass is a sum in the "
                 "backward pass, along the row."},
        {.value = "probs",
         .axes = {row, character},
         .meaning = "the probability of each next character; every row sums to 1",
         .symbol = "Ŷ",
         .rule = "ln x has the derivative 1/x, elementwise."},
        {.value = "logprobs",
         .axes = {row, character},
         .meaning = "the logarithm of the probabilities",
         .rule = "The loss is the mean of −logprobs at the right answers: each of those counts −1/n, and all others "
                 "nothing."},
        {.value = "loss",
         .axes = {},
         .meaning = "the mean over the batch of −ln of the target's probability",
         .symbol = "L"},
    };
    return kRows;
}

}  // namespace

extern HandOperation cross_entropy_operation() {
    return {.op = op::kCrossEntropy,
            .forward = forward,
            .backward = backward,
            .ranges = ranges,
            .kinks = [](Kinks& kinks, const Site& at) { kinks[at.x()] = Kink::at_largest; },
            .glossary = rows()};
}

}  // namespace byhand

// From logits and Y to the loss, in eight small steps or in one, and back.
#include "byhand/rounded.h"
#include "manual/cross_entropy/formulas.h"
#include "manual/glossary.h"
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

}  // namespace

extern HandOperation cross_entropy_operation() {
    return {.op = op::kCrossEntropy,
            .forward = forward,
            .backward = backward,
            .ranges = ranges,
            .kinks = [](Kinks& kinks, const Site& at) { kinks[at.x()] = Kink::at_largest; },
            .glossary = cross_entropy_rows()};
}

}  // namespace byhand

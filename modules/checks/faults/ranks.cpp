// Mistakes of data parallelism: in what a rank computes of its rows, in what the ranks add up, and in what each of them
// begins with.
#include <algorithm>
#include <functional>

#include "checks/faults/rank_changes.h"

namespace byhand::planting {
namespace {

// ---- those that need more than a line ----

Names other_parameters(RankPlan& plan) {
    Names names;
    for (const TensorSpec& spec : parameters(plan.whole.config)) {
        names.push_back(spec.name);
    }
    if (plan.rank > 0) {
        plan.load = [names, rank = plan.rank](Tensors<float>& state) {
            for (const std::string& name : names) {
                for (std::size_t i = 0; i < state[name].size(); ++i) {
                    state[name][i] += 0.01F * static_cast<float>((7 * i + rank) % 5 + 1);
                }
            }
        };
    }
    return names;
}

Names sums_in_own_order(RankPlan& plan) {
    return with_sums(plan, last_gradient(plan),
                     [first = own_parts(plan).first](const std::string&, std::span<float> sum, Shares shares) {
                         std::ranges::fill(sum, 0.0F);
                         for (std::size_t k = 0; k < shares.size(); ++k) {
                             const std::span<float> share = shares[(first + k) % shares.size()];
                             std::ranges::transform(sum, share, sum.begin(), std::plus());
                         }
                     });
}

Names same_mask(RankPlan& plan) {
    return in_each_part(plan, "dropout_mask", [make = plan.make](Network&, Step& step, const BatchPart& place) {
        const Network first = make({.first = 0, .rows = place.rows, .batch = place.batch});
        return instead(step, find_step(first, step.makes)->in_float.run);
    });
}

Names own_statistics(RankPlan& plan) {
    return with_means_of_own_rows(plan, made_by_function(plan, {"batchnorm_mean", "batchnorm_variance"}));
}

}  // namespace

// NOLINTNEXTLINE(readability-function-cognitive-complexity): a list
std::vector<Mistake> rank_mistakes() {
    return {
        in_ranks(
            "gradients-averaged-again", "the sum of gradients of a mean divided by the number of ranks",
            "fairseq 494: https://github.com/facebookresearch/fairseq/issues/494",
            [](RankPlan& plan) { return with_sums_times(plan, gradients(plan), 1 / static_cast<float>(plan.ranks)); }),
        in_ranks("mean-of-means", "the mean of the parts' means, where the parts have different numbers of rows",
                 "transformers 34242: https://github.com/huggingface/transformers/issues/34242",
                 [](RankPlan& plan) {
                     if (plan.whole.rows % plan.places.size() == 0) {
                         return Names{};
                     }
                     return in_each_part(
                         plan, "negative_log_likelihood",
                         [parts = plan.places.size()](Network& graph, Step& step, const BatchPart& place) {
                             return scaled(static_cast<float>(place.batch) / static_cast<float>(parts * place.rows))(
                                 graph, step);
                         });
                 }),
        in_ranks("statistics-not-synchronised", "each rank's batch norm takes mean and variance of its own rows",
                 "pytorch 49794: https://github.com/pytorch/pytorch/issues/49794", own_statistics),
        in_ranks("variance-divisor-of-rank", "the variance by each rank's own n − 1",
                 "pytorch 40600: https://github.com/pytorch/pytorch/issues/40600",
                 [](RankPlan& plan) {
                     return in_each_part(plan, "batchnorm_variance",
                                         [plan](Network& graph, Step& step, const BatchPart& place) {
                                             const auto [own, all] = counts(plan, graph, step, place);
                                             const NormConfig norm = operation_of(graph, step).norm;
                                             return norm.batch_divisor == Divisor::n_minus_1 && own > 1 &&
                                                    scaled(own / (own - 1) * ((all - 1) / all))(graph, step);
                                         });
                 }),
        in_ranks("running-variance-by-own-rows", "the running variance's n/(n − 1) by each rank's own n",
                 "pytorch 22192: https://github.com/pytorch/pytorch/issues/22192",
                 [](RankPlan& plan) {
                     return in_each_part(
                         plan, "running_spread_update", [plan](Network& graph, Step& step, const BatchPart& place) {
                             const auto [own, all] = counts(plan, graph, step, place);
                             const NormConfig norm = operation_of(graph, step).norm;
                             return norm.running_divisor != norm.batch_divisor && own > 1 &&
                                    running_spread_scaled(own / (own - 1) / (all / (all - 1)))(graph, step);
                         });
                 }),
        in_ranks("norm-gradients-reduced-twice", "the gradients of γ and β summed in the norm, and with all others",
                 "nnabla 1120: https://github.com/sony/nnabla/pull/1120",
                 [](RankPlan& plan) {
                     return with_sums_times(
                         plan, made_by_function(plan, {"batchnorm_gain_backward", "batchnorm_bias_backward"}),
                         static_cast<float>(plan.ranks));
                 }),
        in_ranks("norm-backward-not-reduced", "the forward pass synchronised, the sums of the norm's backward pass not",
                 "tevatron 30: https://github.com/texttron/tevatron/issues/30",
                 [](RankPlan& plan) { return with_own_shares(plan, backward_sums(plan, false), 1); }),
        in_ranks("parameters-not-broadcast", "each rank begins with parameters of its own seed",
                 "horovod 672: https://github.com/horovod/horovod/issues/672", other_parameters),
        in_ranks("same-rows-on-all-ranks", "every rank takes the first rows of the batch",
                 "openspeech 149: https://github.com/openspeech-team/openspeech/issues/149",
                 [](RankPlan& plan) {
                     const PartsOfRank own = own_parts(plan);
                     const std::size_t first = own.count() == 0 ? 0 : plan.places[own.first].first;
                     return with_rows_on_others(plan,
                                                [first](std::size_t row) { return row < first ? row : row - first; });
                 }),
        in_ranks("gradients-not-summed", "each rank descends by its own gradients",
                 "accelerate 2790: https://github.com/huggingface/accelerate/issues/2790",
                 [](RankPlan& plan) { return with_own_shares(plan, gradients(plan), 1); }),
        in_ranks("same-mask-on-all-ranks", "each part's dropout mask begins as the first one's",
                 "anemoi-core 595: https://github.com/ecmwf/anemoi-core/issues/595", same_mask),
        in_ranks("sums-in-own-order", "each rank adds the shares up from its own on: replicas differ by rounding",
                 "horovod 1927: https://github.com/horovod/horovod/issues/1927", sums_in_own_order),
    };
}

}  // namespace byhand::planting

// Mistakes of data parallelism: in what a rank computes of its rows, in what the ranks add up, and in what each of them
// begins with.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>

#include "checks/faults/rank_changes.h"

namespace byhand::planting {
namespace {

// ---- those that need more than a line ----

// The variance of each part about its own mean.
bool about_own_mean(Network& graph, Step& step, const BatchPart& place) {
    const Step* const squares = find_step(graph, step.reads[0]);
    const std::size_t n = place.rows * operation_of(graph, step).positions, H = width(step);
    const std::size_t all = place.batch * operation_of(graph, step).positions;
    const float divisor = divisor_of(norm_of(graph, step).batch_divisor, all);
    step.reads[0] = squares->reads[0];  // the differences from the batch's mean
    return elementwise(step, [=](std::size_t j, Reads r) {
        float mean = 0, sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            mean += numbers(r, 0)[i * H + j] / static_cast<float>(n);
        }
        for (std::size_t i = 0; i < n; ++i) {
            sum += (numbers(r, 0)[i * H + j] - mean) * (numbers(r, 0)[i * H + j] - mean);
        }
        return sum / divisor;
    });
}

// The running mean of each rank but the first from the rank's own rows.
Names own_running_mean(RankPlan& plan) {
    const Names mean = made_by_function(plan, {"batchnorm_mean"});
    if (mean.empty()) {
        return {};
    }
    float of_rank = 0;
    for (std::size_t k = own_parts(plan).first; k < own_parts(plan).last; ++k) {
        of_rank += static_cast<float>(plan.places[k].rows);
    }
    const float factor = static_cast<float>(plan.whole.rows) / of_rank;
    const auto own = std::make_shared<std::vector<float>>(count(find_step(plan.whole, mean.front())->shape));
    with_sums(plan, {mean.front()},
              [own, factor, parts = own_parts(plan)](const std::string&, std::span<float> sum, Shares shares) {
                  std::ranges::fill(*own, 0.0F);
                  for (const std::span<float> share : shares.subspan(parts.first, parts.count())) {
                      std::ranges::transform(*own, share, own->begin(),
                                             [factor](float x, float y) { return x + factor * y; });
                  }
                  add_rightly(sum, shares);
              });
    return in_each_part(plan, "running_mean_update",
                        [own, is_right = is_first(plan)](Network& graph, Step& step, const BatchPart&) {
                            const auto m = static_cast<float>(norm_of(graph, step).momentum);
                            return is_right || elementwise(step, [own, m](std::size_t j, Reads r) {
                                       return (1 - m) * numbers(r, 0)[j] + m * (*own)[j];
                                   });
                        });
}

Names other_parameters(RankPlan& plan) {
    Names names;
    for (const TensorSpec& spec : parameters(plan.whole.config)) {
        names.push_back(spec.name);
    }
    if (!is_first(plan)) {
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

// Two gradients of one shape, which ranks but the first send in the other order.
Names exchanged(RankPlan& plan) {
    const Names gain = made_by_function(plan, {"batchnorm_gain_backward"}),
                bias = made_by_function(plan, {"batchnorm_bias_backward"});
    if (gain.empty()) {
        return {};
    }
    if (!is_first(plan)) {
        plan.make = [make = plan.make](const BatchPart& place) {
            Network graph = make(place);
            Step &a = *step_by(graph, "batchnorm_gain_backward"), &b = *step_by(graph, "batchnorm_bias_backward");
            std::swap(a.in_float, b.in_float);
            std::swap(a.reads, b.reads);
            return graph;
        };
    }
    return {gain.front(), bias.front()};
}

bool clipped_to_norm(Step& step, float most) {
    return then(step, [most, elements = count(step.shape)](float* out, Reads) {
        float squares = 0;
        for (std::size_t i = 0; i < elements; ++i) {
            squares += out[i] * out[i];
        }
        const float factor = std::min(1.0F, most / std::sqrt(squares));
        std::transform(out, out + elements, out, [factor](float x) { return factor * x; });
    });
}

Names sums_of_step_before(RankPlan& plan) {
    const auto before = std::make_shared<std::map<std::string, std::vector<float>>>();
    return with_sums(plan, gradients(plan), [before](const std::string& name, std::span<float> sum, Shares shares) {
        std::vector<float>& kept = (*before)[name];
        kept.resize(sum.size());
        add_rightly(sum, shares);
        std::ranges::swap_ranges(sum, kept);
    });
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
        in_ranks("gradients-of-own-mean", "each rank's gradients are of the mean over its own rows, and are summed",
                 "apex 696: https://github.com/NVIDIA/apex/issues/696",
                 [](RankPlan& plan) {
                     return in_each_part(plan, "negative_log_likelihood_backward",
                                         [plan](Network&, Step& step, const BatchPart& place) {
                                             return scaled(step, to_own_rows(plan, place));
                                         });
                 }),
        in_ranks("mean-of-means", "the mean of the parts' means, where the parts have different numbers of rows",
                 "transformers 34242: https://github.com/huggingface/transformers/issues/34242",
                 [](RankPlan& plan) {
                     if (plan.whole.rows % plan.places.size() == 0) {
                         return Names{};
                     }
                     return in_each_part(plan, "negative_log_likelihood",
                                         [parts = plan.places.size()](Network&, Step& step, const BatchPart& place) {
                                             return scaled(step, static_cast<float>(place.batch) /
                                                                     static_cast<float>(parts * place.rows));
                                         });
                 }),
        in_ranks("statistics-not-synchronised", "each rank's batch norm takes mean and variance of its own rows",
                 "pytorch 49794: https://github.com/pytorch/pytorch/issues/49794", own_statistics),
        in_ranks("mean-of-variances", "the mean of the variances about each part's own mean",
                 "detectron2's NaiveSyncBatchNorm, mobile-vision 66: "
                 "https://github.com/facebookresearch/mobile-vision/issues/66",
                 [](RankPlan& plan) { return in_each_part(plan, "batchnorm_variance", about_own_mean); }),
        in_ranks("variance-divisor-of-rank", "the variance by each rank's own n − 1",
                 "pytorch 40600: https://github.com/pytorch/pytorch/issues/40600",
                 [](RankPlan& plan) {
                     return in_each_part(plan, "batchnorm_variance",
                                         [plan](Network& graph, Step& step, const BatchPart& place) {
                                             const auto [own, all] = counts(plan, graph, step, place);
                                             return norm_of(graph, step).batch_divisor == Divisor::n_minus_1 &&
                                                    own > 1 && scaled(step, own / (own - 1) * ((all - 1) / all));
                                         });
                 }),
        in_ranks("one-row-variance", "a part of one row has no variance: its n − 1 is 0",
                 "apex 262: https://github.com/NVIDIA/apex/issues/262",
                 [](RankPlan& plan) {
                     return in_each_part(plan, "batchnorm_variance",
                                         [](Network& graph, Step& step, const BatchPart& place) {
                                             return place.rows * operation_of(graph, step).positions == 1 &&
                                                    makes_changed(step, [](float, std::size_t) {
                                                        return std::numeric_limits<float>::quiet_NaN();
                                                    });
                                         });
                 }),
        in_ranks("running-variance-by-own-rows", "the running variance's n/(n − 1) by each rank's own n",
                 "pytorch 22192: https://github.com/pytorch/pytorch/issues/22192",
                 [](RankPlan& plan) {
                     return in_each_part(
                         plan, "running_spread_update", [plan](Network& graph, Step& step, const BatchPart& place) {
                             const auto [own, all] = counts(plan, graph, step, place);
                             const NormConfig norm = norm_of(graph, step);
                             return norm.running_divisor != norm.batch_divisor && own > 1 &&
                                    running_spread_scaled(graph, step, own / (own - 1) / (all / (all - 1)));
                         });
                 }),
        in_ranks("norm-backward-by-own-rows", "the gradient through the mean divided by each rank's own n",
                 "pytorch 36382: https://github.com/pytorch/pytorch/issues/36382",
                 [](RankPlan& plan) {
                     return in_each_part(
                         plan, "batchnorm_input_backward", [plan](Network& graph, Step& step, const BatchPart& place) {
                             const auto P = static_cast<float>(operation_of(graph, step).positions);
                             const float n = P * static_cast<float>(place.batch);
                             const float more = (to_own_rows(plan, place) - 1) / n;
                             return makes_changed(step, [more, H = width(step)](float made, std::size_t i, Reads r) {
                                 return made + more * numbers(r, 1)[i % H];
                             });
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
        in_ranks("running-mean-of-own-rows", "each rank's running mean of its own rows",
                 "pytorch-image-models 110: https://github.com/huggingface/pytorch-image-models/issues/110",
                 own_running_mean),
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
        in_ranks("shuffled-by-own-seed", "each rank shuffles by its own seed: some rows twice, others never",
                 "training 625: https://github.com/mlcommons/training/issues/625",
                 [](RankPlan& plan) {
                     return with_rows_on_others(plan, [n = plan.whole.rows](std::size_t row) { return n - 1 - row; });
                 }),
        in_ranks("same-batch-every-step", "the sampler is not told of the step: the same rows again",
                 "pytorch 31771: https://github.com/pytorch/pytorch/issues/31771",
                 [](RankPlan& plan) {
                     with_rows(plan, [](std::size_t row) { return row; });
                     const auto kept = std::make_shared<Batch>();
                     plan.batch = [copy = plan.batch, kept](std::size_t step, const Batch& right) {
                         *kept = step == 0 ? copy(step, right) : *kept;
                         return *kept;
                     };
                     return Names{"X", "Y"};
                 }),
        in_ranks("tail-padded-with-repeats", "the last part filled up with the first row",
                 "pytorch 25162: https://github.com/pytorch/pytorch/issues/25162",
                 [](RankPlan& plan) {
                     return with_rows(plan, [n = plan.whole.rows](std::size_t row) { return row + 1 < n ? row : 0; });
                 }),
        in_ranks("gradients-in-other-order", "ranks send two gradients of one shape in different orders",
                 "DeepSpeed 2343: https://github.com/microsoft/DeepSpeed/issues/2343", exchanged),
        in_ranks("clipped-before-sum", "each part's gradient clipped, and then summed",
                 "horovod 1346: https://github.com/horovod/horovod/issues/1346",
                 [](RankPlan& plan) {
                     const Names last = last_gradient(plan);
                     if (last.empty()) {
                         return last;
                     }
                     plan.make = [make = plan.make, name = last.front()](const BatchPart& place) {
                         Network graph = make(place);
                         clipped_to_norm(*std::ranges::find(graph.backward, name, &Step::makes), 1e-3F);
                         return graph;
                     };
                     return last;
                 }),
        in_ranks("rate-times-ranks", "the learning rate multiplied by the number of ranks, though the batch stays",
                 "moco 98: https://github.com/facebookresearch/moco/issues/98",
                 [](RankPlan& plan) {
                     plan.rate = [N = static_cast<float>(plan.ranks)](float rate) { return rate * N; };
                     return Names{"rate"};
                 }),
        in_ranks("gradients-not-summed", "each rank descends by its own gradients",
                 "accelerate 2790: https://github.com/huggingface/accelerate/issues/2790",
                 [](RankPlan& plan) { return with_own_shares(plan, gradients(plan), 1); }),
        in_ranks("same-mask-on-all-ranks", "each part's dropout mask begins as the first one's",
                 "anemoi-core 595: https://github.com/ecmwf/anemoi-core/issues/595", same_mask),
        in_ranks("sums-in-own-order", "each rank adds the shares up from its own on: replicas differ by rounding",
                 "horovod 1927: https://github.com/horovod/horovod/issues/1927", sums_in_own_order),
        in_ranks("gradients-of-step-before",
                 "the update does not wait for the sums, and takes those of the step before",
                 "no source found; c10d's collectives return before they have finished", sums_of_step_before),
        in_ranks("loss-of-own-rows", "each rank takes its own rows' loss for the batch's",
                 "bgpt 5: https://github.com/sanderwood/bgpt/issues/5",
                 [](RankPlan& plan) { return with_means_of_own_rows(plan, {"loss"}); }),
    };
}

}  // namespace byhand::planting

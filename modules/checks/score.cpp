#include "checks/score.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <utility>

#include "base/value.h"
#include "checks/candidates.h"
#include "harness/drawn.h"
#include "harness/end_to_end/comparison.h"
#include "harness/end_to_end/summary.h"
#include "manual/stepwise.h"
#include "names/dataset.h"
#include "ranks/ranks.h"

namespace byhand {
namespace {

constexpr std::size_t kScoredSteps = 2;
constexpr std::size_t kLossSteps = 10;
// Of data parallelism: in this many parts, of different sizes; or else in parts of one row.
constexpr std::size_t kScoredParts = 5;

// Whether anything is wrong apart from what only the battery shows.
bool is_off_without_battery(const ComparedStep& step) {
    const auto is_off = [](const ValueReport& value) {
        if (!value.isolated) {
            return false;
        }
        IsolatedStep isolated = *value.isolated;
        std::erase_if(isolated.trials, [](const Trial& trial) { return trial.input == TrialInput::battery; });
        return contradicts(isolated.verdict());
    };
    return std::ranges::any_of(findings(step),
                               [](const ChainFinding& found) { return contradicts(found.finding.verdict); }) ||
           std::ranges::any_of(step.models, [&](const ModelReport& model) {
               return std::ranges::any_of(
                   model.values, [&](const ValueReport& value) { return !value.list_fault.empty() || is_off(value); });
           });
}

// Of every tensor that both have.
std::vector<Distances> distances(const std::vector<View>& ours, const std::vector<View>& theirs) {
    std::vector<Distances> all;
    for (const View& view : ours) {
        const View* other = find(theirs, view.name);
        if (other != nullptr && other->shape == view.shape) {
            all.emplace_back(view, *other);
        }
    }
    return all;
}

// A recipe with drawn values, its batches and LibTorch's results.
class Ground {
public:
    Ground(const torch_ref::Factory& torch, Run run, std::uint64_t seed, std::size_t ranks)
        : run_(std::move(run)),
          ranks_(ranks),
          network_(run_.recipe.network),
          rows_(run_.recipe.batch),
          state_(drawn_state(network_, seed)),
          reference_(reference_of(torch, network_, rows_, seed)) {
        TorchGenerator generator = torch_seeded(seed);
        for (std::size_t step = 0; step < kLossSteps; ++step) {
            draw_batch(batches_.emplace_back(rows_, network_.context), run_.train, generator);
        }
        reference_.chain.memo = &memo_;
        loss_ = loss_after(*reference_.implementations.stepwise);
    }

    PlantedCandidate planted(const Mistake& mistake) const {
        return with_mistake(mistake, reference_, {state_, batches_.front().view(), kRate});
    }
    // On several ranks; without a mistake if it is null. Without the battery: the steps are right.
    PlantedCandidate planted_in_ranks(const Mistake* mistake, std::size_t parts) const {
        RanksOnThreads all = ranks_on_threads(mistake, network_, rows_, parts, ranks_);
        PlantedCandidate planted{candidate_in_ranks(std::move(all.ranks), reference_), std::move(all.culprits)};
        planted.candidate->isolation.battery = nullptr;
        return planted;
    }
    std::unique_ptr<StepCandidate> right() const { return candidate_of("stepwise", reference_); }
    std::size_t rows() const { return rows_; }

    Score judge(std::unique_ptr<StepCandidate> candidate, const std::vector<std::string>& culprits) {
        const Schedule schedule{.steps = kScoredSteps,
                                .batch = [&](std::size_t step) { return batches_.at(step).view(); },
                                .rate = [&](std::size_t) { return kRate; }};
        Score score;
        Summary summary;
        candidate->isolation.form = {};  // no explanations
        Candidates candidates;
        candidates.push_back(std::move(candidate));
        run_comparison(network_, state_, schedule, candidates, reference_.implementations, reference_.chain,
                       [&](const ComparedStep& step) {
                           add(summary, step);
                           score.caught_without_battery = score.caught_without_battery || is_off_without_battery(step);
                       });
        for (const ValueReport& culprit : summary.culprits) {
            score.culprits.push_back(culprit.name);
        }
        score.caught = !summary.agree;
        score.blamed =
            std::set(score.culprits.begin(), score.culprits.end()) == std::set(culprits.begin(), culprits.end());
        Model& implementation = *candidates.front()->implementation;
        const std::vector<Distances> all =
            distances(implementation.views(), reference_.implementations.stepwise->views());
        for (const BaselineMetric& metric : baseline_metrics()) {
            score.baseline_metrics[metric.name] = !std::ranges::all_of(all, metric.passes);
        }
        score.baseline_metrics[kLossMetric] =
            std::abs(loss_after(implementation) - loss_) > 5e-5;  // in the usual four decimals
        return score;
    }

    const std::string& recipe() const { return run_.recipe.name; }

private:
    static constexpr float kRate = 0.1F;

    // The loss of the tenth step; each step continues from the one before.
    double loss_after(Model& implementation) {
        implementation.load(state_);
        for (std::size_t step = 0;; ++step) {
            implementation.run(batches_.at(step).view(), kRate);
            const std::vector<View> views = implementation.views();
            if (step + 1 == kLossSteps) {
                return value_at(*find(views, "loss"), 0);
            }
            Tensors<float> next = state_;
            for (const TensorSpec& spec : next.table()) {
                const View* updated = find(views, update_of(spec.name));
                const View* old = find(views, spec.name);  // unchanged if no step updates it
                const std::span<float> values = next[spec.name];
                for (std::size_t i = 0; i < values.size(); ++i) {
                    values[i] = static_cast<float>(value_at(updated != nullptr ? *updated : *old, i));
                }
            }
            implementation.load(next);
        }
    }

    Run run_;
    std::size_t ranks_;  // 1: without parts
    const NetworkConfig& network_;
    std::size_t rows_;
    Tensors<float> state_;
    Reference reference_;
    Memo memo_;
    std::vector<DrawnBatch> batches_;
    double loss_ = 0;
};

std::vector<std::size_t> parts_to_score(std::size_t rows) {
    return {std::min(kScoredParts, rows), rows};
}

// In the first number of parts where it applies.
std::pair<PlantedCandidate, std::size_t> planted_in(const Ground& ground, const Mistake& mistake) {
    if (mistake.plant_in_rank == nullptr) {
        return {ground.planted(mistake), 1};
    }
    const std::vector<std::size_t> choices = parts_to_score(ground.rows());
    PlantedCandidate planted = ground.planted_in_ranks(&mistake, choices.front());
    if (!planted.culprits.empty()) {
        return {std::move(planted), choices.front()};
    }
    return {ground.planted_in_ranks(&mistake, choices.back()), choices.back()};
}

}  // namespace

bool applies(const Mistake& mistake, const Recipe& recipe, std::size_t ranks) {
    if (mistake.plant_in_rank != nullptr) {
        return std::ranges::any_of(parts_to_score(recipe.batch), [&](std::size_t parts) {
            RankPlan plan = rank_plan(HandForm::stepwise, recipe.network, recipe.batch, parts, 0, ranks);
            return !mistake.plant_in_rank(plan).empty();
        });
    }
    return !culprits_in(stepwise_graph(recipe.network, recipe.batch), mistake).empty();
}

Scores score(const std::vector<const Mistake*>& mistakes, const std::vector<Run>& runs, const torch_ref::Factory& torch,
             const ScoreConfig& config) {
    Scores scores;
    std::size_t done = 0;
    const auto score_in = [&](Ground& ground, std::uint64_t seed) {
        const auto keep = [&](std::vector<Score>& list, Score score, const std::string& name, std::size_t parts) {
            score.name = name;
            score.recipe = ground.recipe();
            score.seed = seed;
            score.parts = parts;
            list.push_back(std::move(score));
        };
        if (!config.ranks) {
            keep(scores.clean, ground.judge(ground.right(), {}), "none", 1);
        } else {
            for (const std::size_t parts : parts_to_score(ground.rows())) {
                keep(scores.clean, ground.judge(ground.planted_in_ranks(nullptr, parts).candidate, {}), "none", parts);
            }
        }
        for (const Mistake* mistake : mistakes) {
            if (config.begins) {
                config.begins(done++);
            }
            auto [planted, parts] = planted_in(ground, *mistake);
            if (!planted.culprits.empty()) {
                keep(scores.planted, ground.judge(std::move(planted.candidate), planted.culprits), mistake->name,
                     parts);
            } else if (seed == 1) {
                scores.not_applicable.push_back({mistake->name, ground.recipe()});
            }
        }
    };
    for (const Run& run : runs) {
        for (std::uint64_t seed = 1; seed <= config.seeds; ++seed) {
            Ground ground(torch, run, seed, config.ranks.value_or(1));
            score_in(ground, seed);
        }
    }
    return scores;
}

Distances::Distances(const View& ours, const View& theirs) : elements(count(ours.shape)) {
    for (std::size_t i = 0; i < elements; ++i) {
        const double a = value_at(ours, i), b = value_at(theirs, i), apart = std::abs(a - b);
        all_close = all_close && apart <= 1e-8 + 1e-5 * std::abs(b);
        largest = apart > largest ? apart : largest;
        difference += a - b;
        square += (a - b) * (a - b);
        product += a * b;
        ours2 += a * a;
        theirs2 += b * b;
    }
}

const std::vector<BaselineMetric>& baseline_metrics() {
    static const std::vector<BaselineMetric> all = {
        {"allclose", "relative 1e-5, absolute 1e-8", [](const Distances& d) { return d.all_close; }},
        {"max-diff", "largest difference ≤ 2e-2", [](const Distances& d) { return !(d.largest > 2e-2); }},
        {"nmse", "normalised mean square error ≤ 1e-7",
         [](const Distances& d) { return !(d.square / d.theirs2 > 1e-7); }},
        {"cosine", "cosine ≥ 0.999",
         [](const Distances& d) { return !(d.product / std::sqrt(d.ours2 * d.theirs2) < 0.999); }},
        {"mean-diff", "mean difference ≤ 1e-5",
         [](const Distances& d) { return !(std::abs(d.difference) / static_cast<double>(d.elements) > 1e-5); }},
    };
    return all;
}

}  // namespace byhand

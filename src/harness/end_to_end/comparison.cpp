#include "harness/end_to_end/comparison.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include "base/hash.h"
#include "base/value.h"
#include "harness/blame/blame.h"
#include "harness/explain.h"

namespace byhand {
namespace {

// The state after an update, by the new_X among an implementation's values.
Tensors<float> new_state(const NetworkConfig& config, const std::vector<View>& views) {
    Tensors<float> next(state(config));
    for (const TensorSpec& spec : next.table()) {
        const View* updated = find(views, update_of(spec.name));
        if (updated == nullptr) {
            throw std::logic_error("an implementation has no new_" + spec.name + " to go on from");
        }
        const std::span<float> values = next[spec.name];
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = static_cast<float>(value_at(*updated, i));
        }
    }
    return next;
}

// NaN if there is none: an unknown loss must not look like a known one.
double loss_in(const std::vector<View>& views) {
    const View* loss = find(views, "loss");
    return loss != nullptr ? value_at(*loss, 0) : std::numeric_limits<double>::quiet_NaN();
}

std::vector<Drift> drift_of(const NetworkConfig& config, const std::vector<View>& ours,
                            const std::vector<View>& theirs) {
    const std::set<std::string> zero_expected = zero_is_expected(config);
    std::vector<Drift> all;
    for (const TensorSpec& spec : state(config)) {
        const View* a = find(ours, spec.name);
        const View* b = find(theirs, spec.name);
        if (a == nullptr || b == nullptr || a->shape != b->shape) {
            continue;
        }
        Drift drift{spec.name, largest_difference(*a, *b), 0, zero_expected.contains(gradient_of(spec.name))};
        for (std::size_t i = 0; i < count(b->shape); ++i) {
            drift.scale = std::max(drift.scale, std::abs(value_at(*b, i)));
        }
        all.push_back(std::move(drift));
    }
    return all;
}

std::map<std::string, double> largest_differences(const std::vector<View>& all, const std::vector<View>& others) {
    std::map<std::string, double> differences;
    for (const View& view : all) {
        const View* other = find(others, view.name);
        if (other != nullptr && other->shape == view.shape) {
            differences[view.name] = largest_difference(view, *other);
        }
    }
    return differences;
}

// An oracle that began the step with another state does not measure LibTorch's error. `of_operations`, the error
// against the oracle that began with LibTorch's own state, takes its place, or nothing if there is none.
void use_own_errors(std::vector<ValueReport>& values, const std::map<std::string, double>& of_operations) {
    for (ValueReport& value : values) {
        for (std::optional<Finding>* finding : {&value.operations, &value.module}) {
            if (!*finding) {
                continue;
            }
            const auto known = of_operations.find(value.name);
            const bool is_known = finding == &value.operations && known != of_operations.end();
            if ((*finding)->reference_error) {
                (*finding)->reference_error = is_known ? std::optional(known->second) : std::nullopt;
            }
            (*finding)->reference_further_off = false;  // they started from other parameters
        }
    }
}

// The state with which each implementation begins a step, and the values of the last one.
class ComparisonInProgress {
public:
    ComparisonInProgress(const NetworkConfig& config, const Tensors<float>& state, const Schedule& schedule,
                         Candidates& candidates, ReferenceModels& reference, const ChainModel& chain)
        : config_(config),
          schedule_(schedule),
          candidates_(candidates),
          reference_(reference),
          chain_(chain),
          common_(state),
          own_(candidates.size(), state) {
        for_all([&](Model& implementation) { implementation.load(state); });
    }

    void run(std::size_t step) {
        step_ = step;
        batch_ = schedule_.batch(step);
        rate_ = schedule_.rate(step);
        memos_.clear();
        for_all([&](Model& implementation) { implementation.run(batch_, rate_); });
    }

    // Compares the values of the last run.
    ComparedStep compare() {
        ComparedStep compared;
        compared.step = step_;
        compared.X.assign(batch_.X, batch_.X + batch_.rows * config_.context);
        compared.Y.assign(batch_.Y, batch_.Y + batch_.rows);
        const std::vector<View> stepwise = reference_.stepwise->views();
        const std::vector<View> module = reference_.module->views();
        std::map<std::string, double> errors_of_stepwise;
        if (schedule_.drift) {
            errors_of_stepwise = largest_differences(stepwise, reference_.oracle->views());  // with the same state
        }
        for (std::size_t c = 0; c < candidates_.size(); ++c) {
            const Candidate& candidate = *candidates_[c];
            const std::vector<View> ours = candidate.implementation->views();
            const JudgedStep judged = judged_step(c);
            std::vector<Drift> drift;
            if (schedule_.drift) {
                // The new error: the oracle runs from the state with which the candidate began the step.
                reference_.oracle->load(own_[c]);
                reference_.oracle->run(batch_, rate_);
                drift = drift_of(config_, ours, stepwise);
            }
            std::vector<IsolatedStep> isolated = candidate.isolated(judged);
            const Limits limits = candidate.limits(judged, isolated);
            std::vector<ValueReport> values;
            add_findings(values, candidate, Against::operations, stepwise, limits);
            if (candidate.coverage != Coverage::given) {
                add_findings(values, candidate, Against::module, module, limits);
            }
            if (schedule_.drift) {
                use_own_errors(values, errors_of_stepwise);
            }
            add_steps(values);
            compared.models.push_back(candidate.report(judged, std::move(values), std::move(isolated), limits));
            if (schedule_.pictures) {
                add_mistakes(compared.models.back());
            }
            compared.models.back().drift = std::move(drift);
        }
        compared.loss_manual = loss_in(candidates_.front()->implementation->views());
        compared.loss_torch = loss_in(stepwise);
        is_first_ = false;  // the functions in double are judged once
        return compared;
    }

    void go_on() {
        common_ = new_state(config_, reference_.stepwise->views());
        const auto next = [&](const Model& implementation) {
            return schedule_.drift ? new_state(config_, implementation.views()) : common_;
        };
        for (std::size_t c = 0; c < candidates_.size(); ++c) {
            own_[c] = next(*candidates_[c]->implementation);
            candidates_[c]->implementation->load(own_[c]);
        }
        reference_.module->load(next(*reference_.module));
        reference_.stepwise->load(common_);
        reference_.oracle->load(common_);
    }

private:
    void for_all(const std::function<void(Model&)>& act) {
        for (const auto* implementation : {&reference_.stepwise, &reference_.module, &reference_.oracle}) {
            act(**implementation);
        }
        for (const std::unique_ptr<Candidate>& candidate : candidates_) {
            act(*candidate->implementation);
        }
    }

    // This training step for candidate c.
    JudgedStep judged_step(std::size_t c) {
        return {.step = {common_, batch_, rate_},
                .own = own_[c],
                .reference = reference_,
                .chain = chain_,
                .is_first = is_first_,
                .inputs = [this]() -> StepInputs& { return inputs(); },
                .limits = [this](const ChainModel& chain, const Tensors<float>& state,
                                 const OtherRounding& other) { return limits_from(chain, state, other); }};
    }

    void add_findings(std::vector<ValueReport>& values, const Candidate& candidate, Against against,
                      const std::vector<View>& theirs, const Limits& limits) const {
        compare_views(values, config_, chain_.graph.glossary, candidate.coverage, candidate.implementation->views(),
                      against, theirs, reference_.oracle->views(), limits,
                      schedule_.pictures && against == Against::operations);
    }

    Memo& memo_of(const ChainModel& chain) { return chain.memo != nullptr ? *chain.memo : memos_[&chain]; }

    Limits limits_from(const ChainModel& chain, const Tensors<float>& state, const OtherRounding& other) {
        const auto measured = [&] { return chain_limits(chain.graph, state, batch_, rate_, chain.monte_carlo, other); };
        if (!other.deviations.empty()) {
            return measured();
        }
        const auto [place, is_new] = memo_of(chain).limits.try_emplace(mixed(key(state) + (other.any_order ? 1 : 0)));
        if (is_new) {
            place->second = measured();
        }
        return place->second;
    }

    // The limits of this training step from `state`, kept in a memo.
    std::uint64_t key(const Tensors<float>& state) const {
        std::uint64_t hash = mixed(step_ + 1);
        const auto add = [&hash](std::uint64_t bits) { hash = mixed(hash ^ bits); };
        for (const TensorSpec& spec : state.table()) {
            for (const float number : state[spec.name]) {
                add(std::bit_cast<std::uint32_t>(number));
            }
        }
        std::for_each_n(batch_.X, batch_.rows * config_.context, add);
        std::for_each_n(batch_.Y, batch_.rows, add);
        add(std::bit_cast<std::uint32_t>(rate_));
        return hash;
    }

    // The inputs of all isolated steps at this training step.
    StepInputs& inputs() {
        std::map<std::uint64_t, StepInputs>& known = memo_of(chain_).inputs;
        const std::uint64_t here = key(common_);
        const auto found = known.find(here);
        if (found != known.end()) {
            return found->second;
        }
        const std::vector<View> values = with_inputs(reference_.stepwise->views(), batch_, config_.context, &rate_);
        const std::uint64_t seed = chain_.monte_carlo.seed + 1'000'003 * step_;
        return known.try_emplace(here, values, config_.vocabulary, seed, chain_.graph.ranges).first->second;
    }

    // Adds the step that makes each value.
    void add_steps(std::vector<ValueReport>& values) const {
        for (ValueReport& value : values) {
            if (const Step* step = find_step(chain_.graph, value.name)) {
                value.function = step->in_float.name;
                value.reads = step->reads;
            }
        }
    }

    // The known mistakes in the steps of the culprits.
    void add_mistakes(ModelReport& report) {
        for (const std::size_t place : report.culprits) {
            if (!mistakes_) {
                mistakes_ = mistakes_by_value(chain_.graph, schedule_.mistakes);
            }
            report.values[place].mistakes = (*mistakes_)[report.values[place].name];
        }
    }

    const NetworkConfig& config_;
    const Schedule& schedule_;
    Candidates& candidates_;
    ReferenceModels& reference_;
    const ChainModel& chain_;
    Tensors<float> common_;            // LibTorch's own state at the start of this step
    std::vector<Tensors<float>> own_;  // each candidate's
    Batch batch_;
    float rate_ = 0;
    std::size_t step_ = 0;
    std::map<const ChainModel*, Memo> memos_;  // of this step, for models without one
    std::optional<MistakesByValue> mistakes_;  // made when there is a culprit
    bool is_first_ = true;
};

}  // namespace

std::vector<IsolatedStep> StepCandidate::isolated(const JudgedStep& at) const {
    return run_isolated(steps, isolation, at.inputs(), at.is_first);
}

Limits StepCandidate::limits(const JudgedStep& at, const std::vector<IsolatedStep>& isolated) const {
    return at.limits(chain != nullptr ? *chain : at.chain, at.own,
                     rounding_of(isolated, isolation.leeway == Leeway::order));
}

ModelReport StepCandidate::report(const JudgedStep&, std::vector<ValueReport> values,
                                  std::vector<IsolatedStep> isolated, const Limits&) const {
    const std::vector<ListFault> faults =
        coverage == Coverage::everything ? list_faults(steps, isolation.right.graph) : std::vector<ListFault>();
    return blame(model, std::move(values), std::move(isolated), faults, steps);
}

OtherRounding rounding_of(const std::vector<IsolatedStep>& isolated, bool any_order) {
    OtherRounding other{.deviations = {}, .any_order = any_order};
    for (const IsolatedStep& one : isolated) {
        if (!one.rounding.empty()) {
            other.deviations[one.makes] = one.rounding;
        }
    }
    return other;
}

void run_comparison(const NetworkConfig& config, const Tensors<float>& state, const Schedule& schedule,
                    Candidates& candidates, ReferenceModels& reference, const ChainModel& chain,
                    const std::function<void(const ComparedStep&)>& visit) {
    ComparisonInProgress comparison(config, state, schedule, candidates, reference, chain);
    for (std::size_t step = 0; step < schedule.steps; ++step) {
        comparison.run(step);
        const bool last = step + 1 == schedule.steps;
        if (last || (step >= schedule.from && step % schedule.every == 0)) {
            visit(comparison.compare());
        }
        if (!last) {
            comparison.go_on();
        }
    }
}

}  // namespace byhand

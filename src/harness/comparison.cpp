#include "harness/comparison.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <stdexcept>

#include "harness/limits.h"

namespace byhand {
namespace {

// What every side must have, whatever else it keeps: without these, nothing is left out unnoticed.
std::set<std::string> required_names(const NetworkConfig& config) {
    std::set<std::string> names = {"loss", "logits"};
    for (const TensorSpec& spec : parameters(config)) {
        names.insert("d" + spec.name);
    }
    for (const TensorSpec& spec : state(config)) {
        names.insert(spec.name);
        names.insert("new_" + spec.name);
    }
    return names;
}

// Where all zeros are no sign of an empty check: what both sides were given, and gradients that are zero in exact
// arithmetic (a bias before a norm, whose mean takes it out again; the shift by the maximum in softmax).
std::set<std::string> zero_is_expected(const NetworkConfig& config) {
    std::set<std::string> names = {"dlogit_maxes"};
    for (const TensorSpec& spec : state(config)) {
        names.insert(spec.name);
    }
    for (const Layer& layer : layers(config)) {
        if (layer.norm == NormPlace::before) {
            names.insert("d" + layer.b());
        }
    }
    return names;
}

// The state after an update, by the new_X among a side's values.
Tensors<float> new_state(const NetworkConfig& config, const std::vector<View>& views) {
    Tensors<float> next(state(config));
    for (const TensorSpec& spec : next.table()) {
        const View* updated = find(views, "new_" + spec.name);
        if (updated == nullptr) {
            throw std::logic_error("a side has no new_" + spec.name + " to go on from");
        }
        const std::span<float> values = next[spec.name];
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = static_cast<float>(value_at(*updated, i));
        }
    }
    return next;
}

// NaN where there is none: a loss that is not known must not look like one.
double loss_in(const std::vector<View>& views) {
    const View* loss = find(views, "loss");
    return loss != nullptr ? value_at(*loss, 0) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

std::vector<ComparedTensor> compare_views(const NetworkConfig& config, const std::string& model, bool keeps_everything,
                                          const std::vector<View>& ours, const std::string& witness,
                                          const std::vector<View>& theirs, const std::vector<View>& oracle) {
    const std::set<std::string> required = required_names(config);
    const std::set<std::string> zero_expected = zero_is_expected(config);
    const bool witness_keeps_everything = witness == "stepwise";
    std::vector<ComparedTensor> compared;
    const auto compare = [&](const std::string& name) {
        const View* manual = find(ours, name);
        const View* torch = find(theirs, name);
        const double limit = torch != nullptr ? plain_limit(*torch, find(oracle, name)) : 0;
        const AllZero zero = zero_expected.contains(name) ? AllZero::expected : AllZero::vacuous;
        compared.push_back({model, witness, compare_tensor(name, manual, torch, find(oracle, name), limit, zero)});
    };

    std::set<std::string> seen;
    for (const View& view : ours) {
        const bool theirs_too = find(theirs, view.name) != nullptr;
        if (theirs_too || witness_keeps_everything || required.contains(view.name)) {
            compare(view.name);
            seen.insert(view.name);
        }
    }
    for (const View& view : theirs) {
        if (!seen.contains(view.name) && (keeps_everything || required.contains(view.name))) {
            compare(view.name);
            seen.insert(view.name);
        }
    }
    for (const std::string& name : required) {
        if (!seen.contains(name)) {
            compare(name);
        }
    }
    return compared;
}

void run_comparison(const NetworkConfig& config, const Tensors<float>& state, const Schedule& schedule,
                    std::vector<Contestant>& contestants, Witnesses& witnesses,
                    const std::function<void(const ComparedStep&)>& visit) {
    std::vector<Side*> sides = {witnesses.stepwise.get(), witnesses.module.get(), witnesses.oracle.get()};
    for (const Contestant& contestant : contestants) {
        sides.push_back(contestant.side.get());
    }
    for (Side* side : sides) {
        side->load(state);
    }
    for (std::size_t step = 0; step < schedule.steps; ++step) {
        const Batch batch = schedule.batch(step);
        for (Side* side : sides) {
            side->run(batch, schedule.rate(step));
        }
        const bool last = step + 1 == schedule.steps;
        if (last || step % schedule.every == 0) {
            ComparedStep compared;
            compared.step = step;
            const std::vector<View> stepwise = witnesses.stepwise->views();
            const std::vector<View> module = witnesses.module->views();
            const std::vector<View> oracle = witnesses.oracle->views();
            for (const Contestant& contestant : contestants) {
                const std::vector<View> ours = contestant.side->views();
                const auto append = [&](const std::string& witness, const std::vector<View>& theirs) {
                    auto results = compare_views(config, contestant.model, contestant.keeps_everything, ours, witness,
                                                 theirs, oracle);
                    std::move(results.begin(), results.end(), std::back_inserter(compared.tensors));
                };
                append("stepwise", stepwise);
                append("module", module);
            }
            compared.loss_manual = loss_in(contestants.front().side->views());
            compared.loss_torch = loss_in(stepwise);
            visit(compared);
        }
        if (!last) {
            const Tensors<float> common = new_state(config, witnesses.stepwise->views());
            for (Side* side : sides) {
                side->load(schedule.drift ? new_state(config, side->views()) : common);
            }
        }
    }
}

}  // namespace byhand

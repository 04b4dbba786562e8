// External values: the numbers of a network without the steps that made them, compared with LibTorch's reference
// operations.
#pragma once

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/change_network.h"
#include "checks/candidates.h"
#include "checks/faults/mistakes.h"
#include "compare/candidates.h"
#include "fast/models.h"
#include "harness/drawn.h"
#include "harness/end_to_end/summary.h"
#include "manual/models.h"
#include "manual/networks.h"
#include "manual/stepwise.h"
#include "torch_ref/load.h"

namespace byhand::given {

using Names = std::set<std::string>;
inline constexpr float kRate = 0.1F;

// The network of the recipe notes or makemore-bn in odd sizes, drawn values, two batches.
class Ground {
public:
    Ground(const NetworkConfig& config, std::size_t rows, std::uint64_t seed)
        : config_(config),
          rows_(rows),
          state_(drawn_state(config, seed)),
          reference_(reference_of(torch_ref::load(), config, rows, seed)),
          before_(networks::make(config, rows, static_cast<unsigned>(seed))),
          now_(networks::make(config, rows, static_cast<unsigned>(seed) + 1)) {}

    // Null where the mistake has no place here.
    struct Handed {
        Names culprits;  // as the mistake names them
        std::unique_ptr<Model> implementation;
    };
    Handed spoiled(const Mistake& mistake) const {
        Graph network = stepwise_graph(config_, rows_);
        const std::vector<std::string> culprits =
            mistake.plant_sized != nullptr ? mistake.plant_sized(network, caught_) : mistake.plant(network);
        Handed handed{{culprits.begin(), culprits.end()}, make_step_model(std::move(network), Keep::all)};
        // Some mistakes keep what the step before this one left.
        for (const networks::Example* example : {&before_, &now_}) {
            handed.implementation->load(state_);
            handed.implementation->run(example->batch(), kRate);
        }
        return handed;
    }

    // What is said of these numbers.
    Summary judged(const std::vector<View>& given) {
        Candidates candidates;
        candidates.push_back(external_candidate(
            std::make_unique<ExternalModel>(fit_to(stepwise_graph(config_, rows_), given), "given"), reference_));
        const Schedule schedule{.batch = [&](std::size_t) { return now_.batch(); },
                                .rate = [](std::size_t) { return kRate; }};
        Summary summary;
        reference_.chain.memo = &memo_;
        reference_.collapsed_chain.memo = &collapsed_memo_;
        run_comparison(config_, state_, schedule, candidates, reference_.implementations, reference_.chain,
                       [&](const ComparedStep& step) {
                           add(summary, step);
                           last_ = step;
                       });
        return summary;
    }
    const ComparedStep& last() const { return last_; }
    Batch batch() const { return now_.batch(); }
    const Tensors<float>& state() const { return state_; }

    // From now on a mistake that is planted just above what is sure to be caught goes by what is sure to be caught of
    // external gradients: their limits are wider.
    void go_by_what_is_caught_of_given() {
        const std::unique_ptr<Model> implementation = right(HandForm::stepwise);
        judged(gradients(implementation->views()));
        const ModelReport& report = last_.models.at(0);
        std::map<std::string, double> caught;
        for (const ValueReport& value : report.at(report.isolated)) {
            caught[value.name] = value.isolated->on_batch().catches.value_or(0);
        }
        const Mistake& mistake = *find_mistake("off-by-twice-the-limit");
        caught_ = caught.at(culprits_in(stepwise_graph(config_, rows_), mistake).at(0));
    }

    // What a network makes with one step changed.
    std::unique_ptr<Model> changed(const std::string& makes, const std::function<void(Step&)>& change) const {
        Graph network = stepwise_graph(config_, rows_);
        for (StepList* list : network.lists()) {
            for (Step& step : *list) {
                if (step.makes == makes) {
                    change(step);
                }
            }
        }
        std::unique_ptr<Model> implementation = make_step_model(std::move(network), Keep::all);
        implementation->load(state_);
        implementation->run(now_.batch(), kRate);
        return implementation;
    }

    // The values of a right network of that form, as it keeps them.
    std::unique_ptr<Model> right(HandForm form, DType dtype = DType::float32) const {
        std::unique_ptr<Model> implementation =
            make_hand_model(form, config_, rows_, {.keep = Keep::all, .dtype = dtype});
        implementation->load(state_);
        implementation->run(now_.batch(), kRate);
        return implementation;
    }

    bool is_gradient(const std::string& name) const {
        const StepList backward = stepwise_graph(config_, rows_).backward;
        return std::ranges::find(backward, name, &Step::makes) != backward.end();
    }

    std::vector<View> gradients(std::vector<View> views) const {
        std::erase_if(views, [this](const View& view) { return !is_gradient(view.name); });
        return views;
    }

private:
    NetworkConfig config_;
    std::size_t rows_;
    Tensors<float> state_;
    Reference reference_;
    networks::Example before_, now_;
    double caught_ = 0;
    Memo memo_, collapsed_memo_;
    ComparedStep last_;
};

inline NetworkConfig notes() {
    NetworkConfig config = networks::small({37}, 11);
    config.embedding = 3;
    return config;
}

inline NetworkConfig without_epsilon() {
    NetworkConfig config = notes();
    test::set(config, &ShortForm::hidden_bias, false);
    config.norm.running_spread = RunningSpread::deviation;
    config.norm.epsilon = 0;
    return config;
}

inline Names culprits_of(const Summary& summary) {
    Names names;
    for (const ValueReport& culprit : summary.culprits) {
        names.insert(culprit.name);
    }
    return names;
}

inline std::vector<View> only(const std::vector<View>& views, const Names& names) {
    std::vector<View> some;
    std::ranges::copy_if(views, std::back_inserter(some), [&](const View& v) { return names.contains(v.name); });
    return some;
}

}  // namespace byhand::given

#include "cli/examine.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/tensors.h"
#include "contest/contestants.h"
#include "exercise/take_over.h"
#include "harness/comparison.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "names/batches.h"

namespace byhand::cli {
namespace {

using exercise::Function;
using Names = std::set<std::string>;

// The functions of one form, watched.
template <class T>
std::vector<Function<T>> of_form(bool in_one, const std::vector<Function<T>>& all, const Watch& watch) {
    std::vector<Function<T>> functions;
    std::ranges::copy_if(all, std::back_inserter(functions), [=](const auto& f) { return f.in_one == in_one; });
    for (Function<T>& function : functions) {
        const auto crashed = watch.crashed.find(function.label());
        if (crashed != watch.crashed.end()) {
            function.run = [why = crashed->second](auto&&...) { throw exercise::Fault(why); };
        } else if (watch.running) {
            function.run = [run = std::move(function.run), label = function.label(), running = watch.running](
                               const exercise::Tensor<T>& out, const auto& reads, const exercise::Norm& norm) {
                running(label);
                run(out, reads, norm);
            };
        }
    }
    return functions;
}

template <class T>
StepNetwork<T> network_of(bool in_one, const NetworkConfig& config, std::size_t rows) {
    return in_one ? collapsed_network<T>(config, rows) : stepwise_network<T>(config, rows);
}

// Of all steps those that make one of `names`.
template <class T>
StepNetwork<T> only(StepNetwork<T> network, const Names& names) {
    for (StepList<T>* list : {&network.forward, &network.backward, &network.update, &network.evaluation}) {
        std::erase_if(list->steps(), [&](const Step<T>& step) { return !names.contains(step.makes); });
    }
    return network;
}

// A network with functions in it, to which the rest is ours.
template <class T>
struct Taken {
    StepNetwork<T> network;
    Names names;   // of the steps that are theirs
    Names absent;  // what functions make of note 1's network that this one has not: a bias, the norm
};

template <class T>
Taken<T> taken_over(bool in_one, std::vector<Function<T>> functions, const NetworkConfig& config, std::size_t rows) {
    Taken<T> taken{network_of<T>(in_one, config, rows), {}, {}};
    const Names here = made_by(taken.network),
                in_note_1 = made_by(network_of<T>(in_one, NetworkConfig{}, std::max<std::size_t>(rows, 2)));
    std::erase_if(functions, [&](const Function<T>& function) {
        const bool absent = !here.contains(function.makes) && in_note_1.contains(function.makes);
        if (absent) {
            taken.absent.insert(function.makes);
        }
        return absent;
    });
    const std::vector<std::string> names = exercise::take_over(taken.network, functions);
    taken.names = {names.begin(), names.end()};
    return taken;
}

// Of a side's values those under some names: the rest is nobody's but ours.
class Theirs final : public Side {
public:
    Theirs(std::unique_ptr<Side> side, Names names) : side_(std::move(side)), names_(std::move(names)) {}
    void load(const Tensors<float>& state) override { side_->load(state); }
    void run(const Batch& batch, float rate) override { side_->run(batch, rate); }
    std::vector<View> views() const override {
        std::vector<View> all = side_->views();
        std::erase_if(all, [this](const View& view) { return !names_.contains(view.name); });
        return all;
    }

private:
    std::unique_ptr<Side> side_;
    Names names_;
};

Standing standing_of(const StepAlone& alone) {
    if (alone.real.nothing_written && alone.probe.nothing_written) {
        return Standing::to_do;
    }
    return alone.wrong() ? Standing::wrong : Standing::right;
}

bool are_all_in_one(const exercise::Steps& steps) {
    return std::ranges::all_of(steps.in_float(), [](const auto& function) { return function.in_one; });
}

class Examiner {
public:
    Examiner(const exercise::Steps& steps, const NetworkConfig& config, std::size_t rows, const Reference& reference,
             const Watch& watch)
        : steps_(steps), config_(config), rows_(rows), reference_(reference), watch_(watch) {}

    // Each alone; appends to `attempts`. Returns them as they are to be compared in the chain.
    Contestant examine(bool in_one, Questions& questions, std::vector<Attempt>& attempts) const {
        const std::vector<Function<float>> functions = of_form(in_one, steps_.in_float(), watch_);
        const Taken<float> in_float = taken_over(in_one, functions, config_, rows_);
        const std::vector<Function<double>> doubles = of_form(in_one, steps_.in_double(), watch_);
        const Taken<double> in_double = taken_over(in_one, doubles, config_, rows_);
        const Answers& answers = in_one ? *reference_.collapsed : *reference_.stepwise;
        Judge judge{.bounds = network_of<Rounded>(in_one, config_, rows_),
                    .in_double = only(in_double.network, in_double.names),
                    .leeway = Leeway::words,
                    .battery = (in_one ? reference_.collapsed_battery : reference_.stepwise_battery).get(),
                    .at_size =
                        [&](const NetworkConfig& sized, std::size_t n) {
                            return InBoth{taken_over(in_one, functions, sized, n).network,
                                          only(taken_over(in_one, doubles, sized, n).network, in_double.names)};
                        },
                    .right = in_one ? collapsed_network<float> : stepwise_network<float>};

        std::vector<StepAlone> judged;
        Names begun, sound;  // what is not to do; what of it can be run without a fault
        for (StepAlone& alone :
             run_alone(only(in_float.network, in_float.names), judge, answers, questions, true, watch_.begins)) {
            const Standing standing = standing_of(alone);
            if (standing != Standing::to_do) {
                begun.insert(alone.makes);
                judged.push_back(alone);
                if (alone.real.note.empty()) {
                    sound.insert(alone.makes);
                }
            }
            attempts.push_back({in_one, standing, std::move(alone)});
        }
        for (const std::string& name : in_float.absent) {
            attempts.push_back({.in_one = in_one, .standing = Standing::absent, .alone = {}});
            attempts.back().alone.makes = name;
        }
        const auto with_ours = [&](const Names& names) {
            std::vector<Function<float>> theirs;
            std::ranges::copy_if(functions, std::back_inserter(theirs),
                                 [&](const auto& function) { return names.contains(function.makes); });
            return taken_over(in_one, theirs, config_, rows_).network;
        };
        return {.model = model_of(in_one),
                .side = std::make_unique<Theirs>(make_step_side(with_ours(sound)), sound),
                .coverage = Coverage::given,
                .steps = with_ours(begun),
                .judge = std::move(judge),
                .answers = &answers,
                .judged = std::move(judged),
                .chain = in_one ? &reference_.collapsed_chain : &reference_.chain};
    }

private:
    const exercise::Steps& steps_;
    const NetworkConfig& config_;
    std::size_t rows_;
    const Reference& reference_;
    const Watch& watch_;
};

}  // namespace

Examination examine(const exercise::Steps& steps, const torch_ref::Factory& torch, const Run& run, const Watch& watch) {
    const NetworkConfig& config = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    Reference reference = reference_of(torch, config, rows, run.recipe.seed);
    DrawnBatch batch(rows, config.context);
    TorchGenerator generator = run.generator;
    draw_batch(batch, run.train, generator);
    const auto rate = static_cast<float>(rate_at(run.recipe, 0));

    Questions questions = questions_of(reference, config, run.initial, batch.view(), rate);
    Examination examination;
    const Examiner examiner(steps, config, rows, reference, watch);
    std::vector<Contestant> contestants;
    for (const bool in_one : {false, true}) {
        Contestant contestant = examiner.examine(in_one, questions, examination.attempts);
        if (std::ranges::any_of(examination.attempts, [=](const Attempt& attempt) {
                return attempt.in_one == in_one &&
                       (attempt.standing == Standing::right || attempt.standing == Standing::wrong);
            })) {
            contestants.push_back(std::move(contestant));
        }
    }
    if (!contestants.empty()) {
        if (watch.chains) {
            watch.chains();
        }
        const Schedule schedule{.batch = [&](std::size_t) { return batch.view(); },
                                .rate = [&](std::size_t) { return rate; }};
        run_comparison(config, run.initial, schedule, contestants, reference.witnesses, reference.chain,
                       [&](const ComparedStep& step) {
                           add(examination.summary, step);
                           examination.step = step;
                       });
    }
    return examination;
}

std::vector<std::string> left_out_of_training(const exercise::Steps& steps) {
    std::vector<std::string> left_out;
    for (const Function<float>& function : steps.in_float()) {
        if (function.in_one && !are_all_in_one(steps)) {
            left_out.push_back(function.label());
        }
    }
    return left_out;
}

std::unique_ptr<Model> own_model(const exercise::Steps& steps, const Run& run) {
    const NetworkConfig& config = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    const bool in_one = are_all_in_one(steps);
    std::string running;
    const Watch watch{.crashed = {}, .running = [&running](const std::string& label) { running = label; }};
    Taken<float> watched = taken_over(in_one, of_form(in_one, steps.in_float(), watch), config, rows);
    Taken<float> taken = taken_over(in_one, of_form(in_one, steps.in_float(), {}), config, rows);
    if (taken.names.empty()) {
        throw InputError("none of your functions makes a step of the network " + run.recipe.name);
    }
    const std::unique_ptr<Side> side = make_step_side(std::move(watched.network));
    DrawnBatch batch(rows, config.context);
    TorchGenerator generator = run.generator;
    draw_batch(batch, run.train, generator);
    side->load(run.initial);
    try {
        side->run(batch.view(), 0);
    } catch (const exercise::Fault& fault) {
        throw InputError(fmt::format("{} {}; byhand exercise judges them one by one", running, fault.what()));
    }
    std::vector<std::string> to_do;
    for (const View& view : side->views()) {
        const auto* numbers = static_cast<const float*>(view.data);
        if (taken.names.contains(view.name) &&
            std::any_of(numbers, numbers + count(view.shape), [](const float& x) { return is_unwritten(&x); })) {
            to_do.push_back(view.name);
        }
    }
    if (!to_do.empty()) {
        throw InputError(fmt::format("to do before this can train: {}; byhand exercise judges them one by one",
                                     fmt::join(to_do, ", ")));
    }
    return make_step_model(std::move(taken.network));
}

}  // namespace byhand::cli

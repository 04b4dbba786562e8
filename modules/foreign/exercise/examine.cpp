#include "foreign/exercise/examine.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>
#include <stdexcept>

#include "base/error.h"
#include "base/tensors.h"
#include "compare/candidates.h"
#include "foreign/exercise/functions.h"
#include "foreign/subprocess.h"
#include "foreign/subprocess_model.h"
#include "harness/end_to_end/comparison.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "names/dataset.h"

namespace byhand::exercise {
namespace {

using Names = std::set<std::string>;

using Running = std::function<void(const std::string& label)>;

// The functions of one form. Each calls `running`, unless it is empty, before it runs.
template <class T>
std::vector<Function<T>> of_form(bool in_one, const std::vector<Function<T>>& all, const Running& running) {
    std::vector<Function<T>> functions;
    std::ranges::copy_if(all, std::back_inserter(functions), [=](const auto& f) { return f.in_one == in_one; });
    for (Function<T>& function : functions) {
        if (running) {
            function.run = [run = std::move(function.run), label = function.label(), running](
                               const Tensor<T>& out, const auto& reads, const Norm& norm) {
                running(label);
                run(out, reads, norm);
            };
        }
    }
    return functions;
}

MakeGraph graph_of(bool in_one) {
    return in_one ? collapsed_graph : stepwise_graph;
}

// The steps that make one of `names`.
Graph only(Graph graph, const Names& names) {
    for (StepList* list : graph.lists()) {
        std::erase_if(*list, [&](const Step& step) { return !names.contains(step.makes); });
    }
    return graph;
}

// A network in which external functions replace some of our steps.
struct ExternalNetwork {
    Graph graph;
    Names names;      // of the steps that are external
    Names in_double;  // of the steps that are also external in double
    Names absent;     // made by functions and by note 1's network, but missing here: a bias, the norm
};

struct FunctionsByType {
    std::vector<Function<float>> in_float;
    std::vector<Function<double>> in_double = {};
};

ExternalNetwork with_external(bool in_one, FunctionsByType functions, const NetworkConfig& config, std::size_t rows) {
    ExternalNetwork network{graph_of(in_one)(config, rows), {}, {}, {}};
    const Names here = made_by(network.graph),
                in_note_1 = made_by(graph_of(in_one)(NetworkConfig{}, std::max<std::size_t>(rows, 2)));
    const auto take = [&](auto& all, Names& names) {
        std::erase_if(all, [&](const auto& function) {
            const bool absent = !here.contains(function.makes) && in_note_1.contains(function.makes);
            if (absent) {
                network.absent.insert(function.makes);
            }
            return absent;
        });
        const std::vector<std::string> makes = override_steps(network.graph, all);
        names = {makes.begin(), makes.end()};
    };
    take(functions.in_float, network.names);
    take(functions.in_double, network.in_double);
    for (StepList* list : network.graph.lists()) {
        for (Step& step : *list) {
            if (!network.in_double.contains(step.makes)) {
                step.in_double = {};  // ours is not judged
            }
        }
    }
    return network;
}

Standing standing_of(const IsolatedStep& step) {
    if (step.on_batch().nothing_written && step.on_random().nothing_written) {
        return Standing::to_do;
    }
    return step.wrong() ? Standing::wrong : Standing::right;
}

// The report of a value that has not been compared end to end.
ValueReport report_of(IsolatedStep step) {
    ValueReport value;
    value.name = step.makes;
    value.shape = step.shape;
    value.function = step.function;
    value.reads = step.reads;
    value.isolated = std::move(step);
    return value;
}

bool is_begun(const Attempt& attempt) {
    return attempt.standing == Standing::right || attempt.standing == Standing::wrong;
}

// A network of functions that have already been judged in isolation.
struct ExaminedCandidate final : StepCandidate {
    using StepCandidate::StepCandidate;
    std::vector<IsolatedStep> judged;

    std::vector<IsolatedStep> isolated(const JudgedStep&) const override { return judged; }
};

bool are_all_in_one(const Functions& steps) {
    return std::ranges::all_of(steps.in_float(), [](const auto& function) { return function.in_one; });
}

class Examiner {
public:
    Examiner(const Functions& steps, const NetworkConfig& config, std::size_t rows, const Reference& reference,
             const ExaminationConfig& how, const Watch& watch)
        : steps_(steps), config_(config), rows_(rows), reference_(reference), how_(how), watch_(watch) {}

    // Judges each function in isolation and appends to `attempts`.
    void judge_each(bool in_one, StepInputs& inputs, std::vector<Attempt>& attempts) const {
        const auto at_size = [&](const NetworkConfig& sized, std::size_t rows) {
            return with_external(in_one, {floats(in_one, watch_.running), doubles(in_one)}, sized, rows).graph;
        };
        const ExternalNetwork network =
            with_external(in_one, {floats(in_one, watch_.running), doubles(in_one)}, config_, rows_);
        Isolation isolation = isolation_of(in_one);
        isolation.leeway = Leeway::words;
        isolation.external = {.subprocess = run_calls_in_subprocess, .threads = how_.threads, .limits = how_.limits};
        isolation.judged_at_size = at_size;
        for (IsolatedStep& step :
             run_isolated(only(network.graph, network.names), isolation, inputs, true, watch_.begins)) {
            const Standing standing = standing_of(step);
            const bool in_double = network.in_double.contains(step.makes);
            attempts.push_back({in_one, standing, report_of(std::move(step)), in_double});
        }
        for (const std::string& name : network.absent) {
            attempts.push_back({.in_one = in_one, .standing = Standing::absent, .value = {}});
            attempts.back().value.name = name;
        }
    }

    // The candidate for the comparison of the chain; null if no function is begun.
    std::unique_ptr<Candidate> candidate(bool in_one, const std::vector<Attempt>& attempts) const {
        Names begun, sound;  // begun: not "to do"; sound: runs without a fault
        std::vector<IsolatedStep> judged;
        for (const Attempt& attempt : attempts) {
            if (attempt.in_one != in_one || !is_begun(attempt)) {
                continue;
            }
            const IsolatedStep& step = *attempt.value.isolated;
            begun.insert(step.makes);
            judged.push_back(step);
            if (step.on_batch().note.empty()) {
                sound.insert(step.makes);
            }
        }
        if (begun.empty()) {
            return nullptr;
        }
        const auto make_implementation = [&](const SubprocessModel::Announce& announce) {
            const Running running = [announce, also = watch_.running](const std::string& label) {
                announce(label);
                if (also) {
                    also(label);
                }
            };
            return make_step_model(with_ours(in_one, floats(in_one, running), sound), Keep::all);
        };
        auto candidate = std::make_unique<ExaminedCandidate>(
            model_of(in_one), std::make_unique<SubprocessModel>(make_implementation, sound, how_.limits),
            with_ours(in_one, floats(in_one, {}), begun), in_one ? &reference_.collapsed_chain : &reference_.chain,
            isolation_of(in_one));
        candidate->coverage = Coverage::given;
        candidate->judged = std::move(judged);
        return candidate;
    }

private:
    std::vector<Function<float>> floats(bool in_one, const Running& running) const {
        return of_form(in_one, steps_.in_float(), running);
    }
    std::vector<Function<double>> doubles(bool in_one) const {
        return of_form(in_one, steps_.in_double(), watch_.running);
    }
    const Isolation& isolation_of(bool in_one) const { return in_one ? reference_.collapsed : reference_.stepwise; }
    // The whole network, with those of `functions` that make one of `names`.
    Graph with_ours(bool in_one, std::vector<Function<float>> functions, const Names& names) const {
        std::erase_if(functions, [&](const auto& function) { return !names.contains(function.makes); });
        return with_external(in_one, {std::move(functions)}, config_, rows_).graph;
    }

    const Functions& steps_;
    const NetworkConfig& config_;
    std::size_t rows_;
    const Reference& reference_;
    const ExaminationConfig& how_;
    const Watch& watch_;
};

// Notes a fault of a function that ran without one in isolation.
void note(const ExternalFault& fault, std::vector<Attempt>& attempts) {
    for (Attempt& attempt : attempts) {
        if (is_begun(attempt) && attempt.value.function == fault.label &&
            attempt.value.isolated->on_batch().note.empty()) {
            Trial& real = attempt.value.isolated->trials.front();  // on the batch
            attempt.standing = Standing::wrong;
            real.verdict = Verdict::mismatch;
            real.note = fault.what();
            return;
        }
    }
    throw std::runtime_error(fmt::format("the network {} outside of every function", fault.what()));
}

// Replaces the reports of the values that were compared end to end.
void take_reports(const ComparedStep& step, std::vector<Attempt>& attempts) {
    for (const ModelReport& model : step.models) {
        for (const ValueReport& value : model.at(model.isolated)) {
            const auto attempt = std::ranges::find_if(attempts, [&](const Attempt& one) {
                return is_begun(one) && model_of(one.in_one) == model.model && one.value.name == value.name;
            });
            if (attempt != attempts.end()) {
                attempt->value = value;
            }
        }
    }
}

}  // namespace

Examination examine(const Functions& steps, const torch_ref::Factory& torch, const Run& run,
                    const ExaminationConfig& how, const Watch& watch) {
    const NetworkConfig& config = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    Reference reference = reference_of(torch, config, rows, run.recipe.seed, how.quick, how.mistakes);
    DrawnBatch batch(rows, config.context);
    TorchGenerator generator = run.generator;
    draw_batch(batch, run.train, generator);
    const auto rate = static_cast<float>(rate_at(run.recipe, 0));

    StepInputs inputs = step_inputs_of(reference, {run.initial, batch.view(), rate});
    Examination examination;
    examination.summary.allowed = {Verdict::vacuous};  // as the norm of one row; the isolated step has to show it
    const Examiner examiner(steps, config, rows, reference, how, watch);
    for (const bool in_one : {false, true}) {
        examiner.judge_each(in_one, inputs, examination.attempts);
    }
    if (watch.chains && std::ranges::any_of(examination.attempts, is_begun)) {
        watch.chains();
    }
    const Schedule schedule{.batch = [&](std::size_t) { return batch.view(); },
                            .rate = [&](std::size_t) { return rate; }};
    for (bool done = false; !done;) {
        Candidates candidates;
        for (const bool in_one : {false, true}) {
            if (std::unique_ptr<Candidate> candidate = examiner.candidate(in_one, examination.attempts)) {
                candidates.push_back(std::move(candidate));
            }
        }
        try {
            if (!candidates.empty()) {
                run_comparison(config, run.initial, schedule, candidates, reference.implementations, reference.chain,
                               [&](const ComparedStep& step) {
                                   add(examination.summary, step);
                                   examination.step = step;
                               });
            }
            done = true;
        } catch (const ExternalFault& fault) {
            note(fault, examination.attempts);
        }
    }
    take_reports(examination.step, examination.attempts);
    return examination;
}

std::vector<std::string> left_out_of_training(const Functions& steps) {
    std::vector<std::string> left_out;
    for (const Function<float>& function : steps.in_float()) {
        if (function.in_one && !are_all_in_one(steps)) {
            left_out.push_back(function.label());
        }
    }
    return left_out;
}

std::unique_ptr<Trainable> own_model(const Functions& steps, const Run& run) {
    const NetworkConfig& config = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    const bool in_one = are_all_in_one(steps);
    static constexpr auto kAdvice = "; byhand exercise checks each function";
    std::vector<Function<float>> functions = of_form(in_one, steps.in_float(), {});
    for (Function<float>& function : functions) {
        function.run = [run = std::move(function.run), label = function.label()](const auto& out, const auto& reads,
                                                                                 const Norm& norm) {
            try {
                run(out, reads, norm);
            } catch (const Fault& fault) {
                throw InputError(fmt::format("{} {}{}", label, fault.what(), kAdvice));
            } catch (...) {
                throw InputError(fmt::format("{}: {}{}", label, describe_exception(), kAdvice));
            }
        };
    }
    ExternalNetwork network = with_external(in_one, {std::move(functions)}, config, rows);
    if (network.names.empty()) {
        throw InputError("your functions make no step of the network " + run.recipe.name);
    }
    const std::unique_ptr<Model> implementation = make_step_model(network.graph, Keep::all);
    DrawnBatch batch(rows, config.context);
    TorchGenerator generator = run.generator;
    draw_batch(batch, run.train, generator);
    implementation->load(run.initial);
    implementation->run(batch.view(), 0);
    std::vector<std::string> to_do;
    for (const View& view : implementation->views()) {
        const auto* numbers = static_cast<const float*>(view.data);
        if (network.names.contains(view.name) &&
            std::any_of(numbers, numbers + count(view.shape), [](const float& x) { return is_unwritten(&x); })) {
            to_do.push_back(view.name);
        }
    }
    if (!to_do.empty()) {
        throw InputError(fmt::format("still to do before training: {}; byhand exercise checks each function",
                                     fmt::join(to_do, ", ")));
    }
    return make_step_model(std::move(network.graph));
}

}  // namespace byhand::exercise

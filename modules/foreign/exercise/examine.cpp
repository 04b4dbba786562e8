#include "foreign/exercise/examine.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
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

using StepNames = std::set<std::string>;

// Calls `running`, unless it is empty, before each function runs.
CallWrapper announced(const std::function<void(const std::string& label)>& running) {
    return [running](const std::string& label, const auto& call) {
        if (running) {
            running(label);
        }
        call();
    };
}

MakeGraph graph_of(bool in_one) {
    return in_one ? collapsed_graph : stepwise_graph;
}

// The steps that make one of `names`.
Graph only(Graph graph, const StepNames& names) {
    for (StepList* list : graph.lists()) {
        std::erase_if(*list, [&](const Step& step) { return !names.contains(step.makes); });
    }
    return graph;
}

// A network in which the external functions of one form replace some of our steps. A step has a function in double if
// it is external in double.
struct ExternalNetwork {
    Graph graph;
    StepNames names;   // of the steps that are external
    StepNames absent;  // made by functions and by note 1's network, but missing here: a bias, the norm
};

ExternalNetwork with_external(bool in_one, ExternalFunctions functions, const CallWrapper& wrapper,
                              const NetworkConfig& config, std::size_t rows) {
    ExternalNetwork network{graph_of(in_one)(config, rows), {}, {}};
    const StepNames here = made_by(network.graph),
                    in_note_1 = made_by(graph_of(in_one)(NetworkConfig{}, std::max<std::size_t>(rows, 2)));
    std::erase_if(functions, [&](const ExternalFunction& function) {
        if (function.in_one != in_one) {
            return true;
        }
        const bool absent = !here.contains(function.makes) && in_note_1.contains(function.makes);
        if (absent) {
            network.absent.insert(function.makes);
        }
        return absent;
    });
    for (StepList* list : network.graph.lists()) {
        for (Step& step : *list) {
            step.in_double = {};  // ours is not judged
        }
    }
    const std::vector<std::string> makes = override_steps(network.graph, functions, wrapper);
    network.names = {makes.begin(), makes.end()};
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

bool are_all_in_one(const ExternalFunctions& functions) {
    return std::ranges::all_of(functions, &ExternalFunction::in_one);
}

class Examiner {
public:
    Examiner(const ExternalFunctions& functions, const NetworkConfig& config, std::size_t rows,
             const Reference& reference, const ExaminationConfig& how, const Watch& watch)
        : functions_(functions), config_(config), rows_(rows), reference_(reference), how_(how), watch_(watch) {}

    // Judges each function in isolation and appends to `attempts`.
    void judge_each(bool in_one, StepInputs& inputs, std::vector<Attempt>& attempts) const {
        const auto at_size = [&](const NetworkConfig& sized, std::size_t rows) {
            return with_external(in_one, functions_, announced(watch_.running), sized, rows);
        };
        const ExternalNetwork network = at_size(config_, rows_);
        Isolation isolation = isolation_of(in_one);
        isolation.leeway = Leeway::words;
        isolation.external = {.subprocess = run_calls_in_subprocess, .threads = how_.threads, .limits = how_.limits};
        isolation.judged_at_size = [&](const NetworkConfig& sized, std::size_t rows) {
            return at_size(sized, rows).graph;
        };
        for (IsolatedStep& step :
             run_isolated(only(network.graph, network.names), isolation, inputs, true, watch_.begins)) {
            const Standing standing = standing_of(step);
            const bool in_double = find_step(network.graph, step.makes)->in_double.run != nullptr;
            attempts.push_back({in_one, standing, report_of(std::move(step)), in_double});
        }
        for (const std::string& name : network.absent) {
            attempts.push_back({.in_one = in_one, .standing = Standing::absent, .value = {}});
            attempts.back().value.name = name;
        }
    }

    // The candidate for the comparison of the chain; null if no function is begun.
    std::unique_ptr<Candidate> candidate(bool in_one, const std::vector<Attempt>& attempts) const {
        StepNames begun, sound;  // begun: not "to do"; sound: runs without a fault
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
            const auto running = [announce, also = watch_.running](const std::string& label) {
                announce(label);
                if (also) {
                    also(label);
                }
            };
            return make_step_model(with_ours(in_one, announced(running), sound), Keep::all);
        };
        auto candidate = std::make_unique<ExaminedCandidate>(
            model_of(in_one), std::make_unique<SubprocessModel>(make_implementation, sound, how_.limits),
            with_ours(in_one, {}, begun), in_one ? &reference_.collapsed_chain : &reference_.chain,
            isolation_of(in_one));
        candidate->coverage = Coverage::given;
        candidate->judged = std::move(judged);
        return candidate;
    }

private:
    const Isolation& isolation_of(bool in_one) const { return in_one ? reference_.collapsed : reference_.stepwise; }
    // The whole network, with the functions that make one of `names`.
    Graph with_ours(bool in_one, const CallWrapper& wrapper, const StepNames& names) const {
        ExternalFunctions functions = functions_;
        std::erase_if(functions, [&](const auto& function) { return !names.contains(function.makes); });
        return with_external(in_one, std::move(functions), wrapper, config_, rows_).graph;
    }

    const ExternalFunctions& functions_;
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

Examination examine(const ExternalFunctions& functions, const torch_ref::Factory& torch, const Run& run,
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
    const Examiner examiner(functions, config, rows, reference, how, watch);
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

std::vector<std::string> left_out_of_training(const ExternalFunctions& functions) {
    std::vector<std::string> left_out;
    for (const ExternalFunction& function : functions) {
        if (function.in_one && !are_all_in_one(functions)) {
            left_out.push_back(function.label());
        }
    }
    return left_out;
}

std::unique_ptr<Trainable> own_model(const ExternalFunctions& functions, const Run& run) {
    const NetworkConfig& config = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    const bool in_one = are_all_in_one(functions);
    static constexpr auto kAdvice = "; byhand exercise checks each function";
    const auto advising = [](const std::string& label, const auto& call) {
        try {
            call();
        } catch (const Fault& fault) {
            throw InputError(fmt::format("{} {}{}", label, fault.what(), kAdvice));
        } catch (...) {
            throw InputError(fmt::format("{}: {}{}", label, describe_exception(), kAdvice));
        }
    };
    ExternalNetwork network = with_external(in_one, functions, advising, config, rows);
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

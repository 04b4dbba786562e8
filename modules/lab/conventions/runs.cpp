// The runs of a convention: by the steps by hand, and by LibTorch.
#include <algorithm>
#include <functional>
#include <vector>

#include "lab/agreement.h"
#include "lab/conventions/conventions.h"

namespace byhand::lab {
namespace {

template <class T>
void append(std::vector<T>& to, const std::vector<T>& values) {
    to.insert(to.end(), values.begin(), values.end());
}

template <class T>
std::size_t rows_of(const Numbers<T>& batch) {
    return batch["hprebn"].size() / batch["bngain"].size();
}

// Makes the values of a batch norm: by the steps by hand, or by LibTorch.
template <class T>
using Make = std::function<void(Numbers<T>& batch)>;

template <class T>
ConventionRun<T> run_by(const Make<T>& make, const Convention& convention, const std::vector<Numbers<T>>& batches) {
    const bool by_all = convention.norm.evaluation == EvaluationFigures::training_set;
    const std::size_t H = batches.front()["bngain"].size();
    ConventionRun<T> run;
    run.running_mean.assign(H, T(0));
    run.running_spread.assign(H, T(convention.first_spread));
    const auto made_of = [&](Numbers<T> batch) {
        batch["bnmean_running"] = run.running_mean;
        batch["bnvar_running"] = run.running_spread;
        make(batch);
        return batch;
    };
    const auto update = [&](const Numbers<T>& made) {
        run.running_mean = made["new_bnmean_running"];
        run.running_spread = made["new_bnvar_running"];
    };
    Numbers<T> all = batches.front();  // stacked
    for (std::size_t i = 0; i < batches.size(); ++i) {
        const Numbers<T> made = made_of(batches[i]);
        append(run.y, made["hpreact"]);
        append(run.dx, made["dhprebn"]);
        if (!by_all) {
            update(made);
        } else if (i > 0) {
            append(all["hprebn"], batches[i]["hprebn"]);
            append(all["dhpreact"], batches[i]["dhpreact"]);
        }
    }
    if (by_all) {
        update(made_of(all));
    }
    run.evaluated = made_of(batches.back())["eval_hpreact"];
    return run;
}

ConventionRun<double> run_by_torch(const Convention& convention, const Batches& batches,
                                   const torch_ref::Factory& torch) {
    const auto make = [&](Numbers<double>& batch) {
        const auto operations =
            torch.single_operation(op::kBatchnorm, convention.norm, rows_of(batch), batch["bngain"].size());
        for (const char* name : {"hpreact", "dhprebn", "new_bnmean_running", "new_bnvar_running", "eval_hpreact"}) {
            batch[name] = evaluate(*operations, name, batch);
        }
    };
    return run_by<double>(make, convention, batches);
}

// All its numbers, one after another.
template <class T>
std::vector<T> numbers_of(const ConventionRun<T>& run) {
    std::vector<T> all;
    for (const std::vector<T>* part : {&run.y, &run.dx, &run.running_mean, &run.running_spread, &run.evaluated}) {
        append(all, *part);
    }
    return all;
}

}  // namespace

template <class T>
ConventionRun<T> run_convention(const Convention& convention, const std::vector<Numbers<T>>& batches) {
    Graph graph;
    const auto make = [&](Numbers<T>& batch) {
        if (graph.rows != rows_of(batch)) {
            graph = operation_graph(op::kBatchnorm, convention.norm, rows_of(batch), batch["bngain"].size());
        }
        run(graph.forward, batch);
        run(graph.backward, batch);
        run(graph.update, batch);
        run(graph.evaluation, batch);
    };
    return run_by<T>(make, convention, batches);
}
template ConventionRun<float> run_convention(const Convention&, const std::vector<Numbers<float>>&);
template ConventionRun<double> run_convention(const Convention&, const std::vector<Numbers<double>>&);
template ConventionRun<Rounded> run_convention(const Convention&, const std::vector<Numbers<Rounded>>&);

std::vector<double> as_variances(const Convention& convention, std::vector<double> spread) {
    if (convention.norm.running_spread == RunningSpread::deviation) {
        std::ranges::transform(spread, spread.begin(), [](double each) { return each * each; });
    }
    return spread;
}

void compare_with_torch(Document& document, const ConventionStudy& study, const torch_ref::Factory& torch) {
    std::vector<Numbers<float>> floats(study.batches.size());
    std::vector<Numbers<Rounded>> bounds(study.batches.size());
    std::ranges::transform(study.batches, floats.begin(), [](const Numbers<double>& one) { return as<float>(one); });
    std::ranges::transform(study.batches, bounds.begin(), [](const Numbers<double>& one) { return as<Rounded>(one); });
    std::vector<Agreement> agreements;
    agreements.reserve(study.conventions.size());
    for (const Convention& one : study.conventions) {
        agreements.push_back(agreement(one.name, numbers_of(run_convention(one, floats)),
                                       numbers_of(run_convention(one, bounds)),
                                       numbers_of(run_by_torch(one, study.batches, torch))));
    }
    document.blocks.emplace_back(Text{
        "Each of them by LibTorch as well: y, dx, running statistics and evaluation, all batches. PyTorch's row is "
        "torch::nn::BatchNorm1d itself; the others are modules of torch:: operations, with gradients by autograd."});
    add_agreements(document, "float by hand against LibTorch in double", agreements);
}

}  // namespace byhand::lab

#include "fast/pieces.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "byhand/rounded.h"
#include "fast/simd/targets.h"
#include "fast/step_kernels.h"
#include "manual/cross_entropy/formulas.h"
#include "manual/stepwise.h"

namespace byhand {
namespace {

// For a sum step, one sum for each kernel of the term that has the most: sum i uses each term's i-th kernel.
template <class Of>
StepList by_terms(const Step& sum, Of of) {
    std::vector<StepList> terms;
    std::size_t most = 0;
    for (const Step& term : sum.terms) {
        terms.push_back(of(term));
        most = std::max(most, terms.back().size());
    }
    StepList all;
    for (std::size_t i = 0; i < most; ++i) {
        StepList each;
        for (const StepList& one : terms) {
            each.push_back(one[std::min(i, one.size() - 1)]);
        }
        all.push_back(sum_of(std::move(each)));
    }
    return all;
}

// Replaces each step by of(its kernels, step), which is one or several steps.
template <class Of>
Graph replaced(Graph graph, Of of) {
    const std::map<std::string, Shape> shapes = shapes_of(graph);
    for (StepList* list : {&graph.forward, &graph.backward, &graph.update}) {
        const StepList once = std::move(*list);
        list->clear();
        const auto kernels = [&](const Step& step) { return of(kernels_of({step, graph.config, shapes}), step); };
        for (const Step& step : once) {
            std::ranges::move(step.terms.empty() ? kernels(step) : by_terms(step, kernels), std::back_inserter(*list));
        }
    }
    return graph;
}

StepList by_first(const StepKernels& kernels, Step step) {
    if (!kernels.empty()) {
        step.in_float = function_of(kernels.front());
    }
    return {std::move(step)};
}

// Their function in double is the first's.
StepList by_all(const StepKernels& kernels, Step step) {
    StepList all;
    for (const StepKernel& kernel : kernels) {
        for (const simd::Target& target : simd::targets()) {
            step.in_float = {kernel.name + " (" + target.name + ")",
                             [run = function_of(kernel).run, target](float* out, Reads<float> reads) {
                                 const simd::OnTarget while_it_runs(target);
                                 run(out, reads);
                             }};
            all.push_back(step);
            step.in_double = {};
        }
    }
    return all.empty() ? StepList{step} : all;
}

}  // namespace

Graph fused_formulas(const NetworkConfig& config, std::size_t rows) {
    Graph graph = fused_graph(config, rows);
    add(graph.forward, "counts", {rows, config.vocabulary}, {"norm_logits"}, BYHAND_FUNCTION(softmax_exp),
        rows * config.vocabulary);
    return graph;
}

Graph with_kernels(Graph graph) {
    return replaced(std::move(graph), by_first);
}

Graph with_kernels_of_part(Graph graph, const BatchPart& part) {
    if (part.rows == part.batch) {
        return with_kernels(std::move(graph));
    }
    constexpr std::string_view kDividing[] = {"batchnorm_mean", "cross_entropy_with_gradient"};
    return replaced(std::move(graph), [&](const StepKernels& kernels, const Step& step) {
        const bool divides = std::ranges::count(kDividing, step.in_float.name) > 0;
        return by_first(divides ? StepKernels{} : kernels, step);
    });
}

Graph fused_pieces(const NetworkConfig& config, std::size_t rows) {
    return with_kernels(fused_formulas(config, rows));
}

Graph fused_pieces_on_all_targets(const NetworkConfig& config, std::size_t rows) {
    return replaced(fused_formulas(config, rows), by_all);
}

}  // namespace byhand

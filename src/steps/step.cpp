#include "steps/step.h"

#include <algorithm>

#include "byhand/rounded.h"

namespace byhand {
namespace {

// The inputs of all terms, each name once.
std::vector<std::string> reads_of(const std::vector<Step>& terms) {
    std::vector<std::string> reads;
    for (const Step& term : terms) {
        std::ranges::copy_if(term.reads, std::back_inserter(reads),
                             [&](const std::string& name) { return std::ranges::find(reads, name) == reads.end(); });
    }
    return reads;
}

// A term's function, and the indices of its operands among the sum's.
template <class T>
struct Term {
    std::function<void(T* out, Reads<T> reads)> run;
    std::vector<std::size_t> operands;
};

template <class T>
Function<T> sum_on(const std::vector<Step>& steps, const std::vector<std::string>& reads, std::size_t count) {
    Function<T> sum;
    std::vector<Term<T>> terms;
    for (const Step& step : steps) {
        if (!step.in<T>().run) {
            return {};
        }
        sum.name += (sum.name.empty() ? "" : " + ") + step.in<T>().name;
        Term<T>& term = terms.emplace_back(Term<T>{step.in<T>().run, {}});
        for (const std::string& name : step.reads) {
            term.operands.push_back(static_cast<std::size_t>(std::ranges::find(reads, name) - reads.begin()));
        }
    }
    sum.run = [terms, count](T* out, Reads<T> operands) {
        std::vector<T> one(count);
        for (std::size_t t = 0; t < terms.size(); ++t) {
            std::vector<Operand<T>> own;
            for (const std::size_t place : terms[t].operands) {
                own.push_back(operands[place]);
            }
            terms[t].run(t == 0 ? out : one.data(), own);
            for (std::size_t i = 0; t > 0 && i < count; ++i) {
                out[i] += one[i];
            }
        }
    };
    return sum;
}

}  // namespace

Step sum_of(std::vector<Step> terms) {
    const std::vector<std::string> reads = reads_of(terms);
    const std::size_t elements = count(terms.front().shape);
    return {.makes = terms.front().makes,
            .shape = terms.front().shape,
            .reads = reads,
            .in_float = sum_on<float>(terms, reads, elements),
            .in_double = sum_on<double>(terms, reads, elements),
            .rounded = sum_on<Rounded>(terms, reads, elements),
            .operation = terms.back().operation,
            .terms = std::move(terms)};
}

std::vector<const Step*> all_steps(const Graph& graph) {
    std::vector<const Step*> all;
    for (const StepList* list : {&graph.forward, &graph.backward, &graph.update, &graph.evaluation}) {
        for (const Step& step : *list) {
            all.push_back(&step);
        }
    }
    return all;
}

const Step* find_step(const Graph& graph, const std::string& makes) {
    const std::vector<const Step*> steps = all_steps(graph);
    const auto found = std::ranges::find(steps, makes, &Step::makes);
    return found != steps.end() ? *found : nullptr;
}

Operation operation_of(const Graph& graph, const Step& step) {
    return operations(graph.config).at(step.operation);
}

std::set<std::string> made_by(const Graph& graph) {
    std::set<std::string> names;
    for (const Step* step : all_steps(graph)) {
        names.insert(step->makes);
    }
    return names;
}

std::map<std::string, Shape> shapes_of(const Graph& graph) {
    std::map<std::string, Shape> shapes = {
        {"X", {graph.rows, graph.config.context}}, {"Y", {graph.rows}}, {"rate", {}}};
    for (const TensorSpec& spec : state(graph.config)) {
        shapes[spec.name] = spec.shape;
    }
    for (const Step* step : all_steps(graph)) {
        shapes[step->makes] = step->shape;
    }
    return shapes;
}

}  // namespace byhand

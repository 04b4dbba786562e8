#include "steps/runner.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace byhand {
namespace {

// Every tensor in the order in which it is supplied or computed.
std::vector<TensorSpec> table_of(const Graph& graph) {
    std::vector<TensorSpec> table = state(graph.config);
    table.push_back({"rate", {}});
    std::set<std::string> known = {"X", "Y"};
    for (const TensorSpec& spec : table) {
        known.insert(spec.name);
    }
    const std::vector<const Step*> steps = all_steps(graph);
    for (const Step* step : steps) {
        if (!known.insert(step->makes).second) {
            throw std::logic_error("two steps make " + step->makes);
        }
        table.push_back({step->makes, step->shape});
    }
    for (const Step* step : steps) {
        for (const std::string& name : step->reads) {
            if (!known.contains(name)) {
                throw std::logic_error(step->makes + " reads " + name + ", which no step makes");
            }
        }
    }
    return table;
}

}  // namespace

template <class T>
Runner<T>::Runner(Graph graph)
    : graph_(std::move(graph)),
      X_(graph_.rows * graph_.config.context),
      Y_(graph_.rows),
      tensors_(table_of(graph_)),
      forward_(bind(graph_.forward)),
      backward_(bind(graph_.backward)),
      update_(bind(graph_.update)),
      evaluation_(bind(graph_.evaluation)) {}

template <class T>
typename Runner<T>::Steps Runner<T>::bind(const StepList& list) {
    const auto operand = [&](const std::string& name) -> Operand<T> {
        if (name == "X" || name == "Y") {
            return name == "X" ? X_.data() : Y_.data();
        }
        return tensors_[name].data();
    };
    Steps bound;
    for (const Step& step : list) {
        if (!step.in<T>().run) {
            throw std::logic_error(step.makes + " has no function in " + (sizeof(T) == 4 ? "float" : "double"));
        }
        bound.push_back(byhand::bind(step, tensors_[step.makes].data(), operand));
    }
    return bound;
}

template <class T>
void Runner<T>::run(std::span<const BoundStep<T>> steps) {
    for (const BoundStep<T>& one : steps) {
        one.run();
    }
}

template <class T>
void Runner<T>::forward_to(const std::string& last) {
    for (const BoundStep<T>& one : forward_) {
        one.run();
        if (one.step->makes == last) {
            return;
        }
    }
}

template <class T>
void Runner<T>::forward_from(const std::string& name) {
    const auto makes = [&](const BoundStep<T>& one) { return one.step->makes == name; };
    const auto reads = [&](const BoundStep<T>& one) { return std::ranges::count(one.step->reads, name) > 0; };
    const auto made = std::ranges::find_if(forward_, makes);
    const auto after = made == forward_.end() ? forward_.begin() : made + 1;
    run({std::find_if(after, forward_.end(), reads), forward_.end()});
}

template <class T>
void Runner<T>::set_batch(const Batch& batch) {
    std::copy_n(batch.X, X_.size(), X_.begin());
    if (batch.Y != nullptr) {
        std::copy_n(batch.Y, Y_.size(), Y_.begin());
    }
}

template <class T>
void Runner<T>::set_rate(T rate) {
    tensors_["rate"][0] = rate;
}

template class Runner<float>;
template class Runner<double>;

}  // namespace byhand

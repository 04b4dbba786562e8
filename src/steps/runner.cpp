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
std::vector<typename Runner<T>::Bound> Runner<T>::bind(const StepList& list) {
    std::vector<Bound> bound;
    for (const Step& step : list) {
        if (!step.in<T>().run) {
            throw std::logic_error(step.makes + " has no function in " + (sizeof(T) == 4 ? "float" : "double"));
        }
        Bound b{&step, tensors_[step.makes].data(), {}};
        for (const std::string& name : step.reads) {
            if (name == "X" || name == "Y") {
                b.reads.emplace_back(static_cast<const std::int64_t*>(name == "X" ? X_.data() : Y_.data()));
            } else {
                b.reads.emplace_back(static_cast<const T*>(tensors_[name].data()));
            }
        }
        bound.push_back(std::move(b));
    }
    return bound;
}

template <class T>
void Runner<T>::run(const std::vector<Bound>& steps) {
    for (const Bound& b : steps) {
        b.step->template in<T>().run(b.out, b.reads);
    }
}

template <class T>
void Runner<T>::forward_to(const std::string& last) {
    for (const Bound& b : forward_) {
        b.step->template in<T>().run(b.out, b.reads);
        if (b.step->makes == last) {
            return;
        }
    }
}

template <class T>
void Runner<T>::forward_from(const std::string& name) {
    const auto makes = [&](const Bound& b) { return b.step->makes == name; };
    const auto reads = [&](const Bound& b) { return std::ranges::find(b.step->reads, name) != b.step->reads.end(); };
    const auto made = std::ranges::find_if(forward_, makes);
    const auto after = made == forward_.end() ? forward_.begin() : made + 1;
    for (auto b = std::find_if(after, forward_.end(), reads); b != forward_.end(); ++b) {
        b->step->template in<T>().run(b->out, b->reads);
    }
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

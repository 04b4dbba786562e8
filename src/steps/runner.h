// Execution of step lists over named tensors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/model.h"
#include "base/tensors.h"
#include "steps/step.h"

namespace byhand {

// Holds the values of one network. T is float or double.
template <class T>
class Runner {
public:
    // Throws std::logic_error if a step reads a tensor that is neither an input nor computed by a step, if it has no
    // function on T, or if two steps compute tensors of one name. (A step that runs before its input is computed reads
    // the previous contents; list_faults in harness/blame/blame.h detects that.)
    explicit Runner(Graph graph);
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    const Graph& graph() const { return graph_; }
    Tensors<T>& tensors() { return tensors_; }
    const Tensors<T>& tensors() const { return tensors_; }

    // Copies X and Y; Y may be null if only evaluation follows. Precondition: as many rows as the network's.
    void set_batch(const Batch& batch);
    void set_rate(T rate);

    void forward() { run(forward_); }
    // Runs the steps up to and including the one that computes `last`.
    void forward_to(const std::string& last);
    // Runs only steps that may depend on `name`: from the first step that reads it on, but never a step that computes
    // it.
    void forward_from(const std::string& name);
    void backward() { run(backward_); }
    void update() { run(update_); }
    void evaluate() { run(evaluation_); }

private:
    using Steps = std::vector<BoundStep<T>>;
    Steps bind(const StepList& list);
    static void run(std::span<const BoundStep<T>> steps);

    Graph graph_;
    std::vector<std::int64_t> X_, Y_;
    Tensors<T> tensors_;
    Steps forward_, backward_, update_, evaluation_;
};

extern template class Runner<float>;
extern template class Runner<double>;

}  // namespace byhand

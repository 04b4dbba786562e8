// Runs lists of steps over one arena.
#pragma once

#include <cstdint>
#include <vector>

#include "base/batch.h"
#include "base/tensors.h"
#include "steps/step.h"

namespace byhand {

// Holds the values of one network. T is float or double.
template <class T>
class Runner {
public:
    // Throws std::logic_error where a step reads what is neither given nor made or has no function on T, or two steps
    // make one name. (Where a
    // step runs before what it reads is made, it reads what was there before: list_faults of harness/blame.h finds
    // that.)
    explicit Runner(Graph graph);
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    const Graph& graph() const { return graph_; }
    Tensors<T>& tensors() { return tensors_; }
    const Tensors<T>& tensors() const { return tensors_; }

    // Copies X and Y; Y may be null where only evaluation follows. Precondition: as many rows as the network's.
    void set_batch(const Batch& batch);
    void set_rate(T rate);

    void forward() { run(forward_); }
    // Only up to and with the step that makes `last`.
    void forward_to(const std::string& last);
    // Only what may depend on `name`: from the first step that reads it on, but never a step that makes it.
    void forward_from(const std::string& name);
    void backward() { run(backward_); }
    void update() { run(update_); }
    void evaluate() { run(evaluation_); }

private:
    // A step whose names have been looked up.
    struct Bound {
        const Step* step;
        T* out;
        std::vector<Operand<T>> reads;
    };
    std::vector<Bound> bind(const StepList& list);
    static void run(const std::vector<Bound>& steps);

    Graph graph_;
    std::vector<std::int64_t> X_, Y_;
    Tensors<T> tensors_;
    std::vector<Bound> forward_, backward_, update_, evaluation_;
};

extern template class Runner<float>;
extern template class Runner<double>;

}  // namespace byhand

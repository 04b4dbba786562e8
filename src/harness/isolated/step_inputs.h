// The input of an isolated step: the values that it reads, the reference operation's result in double, and the limits
// of rounding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/reference_operations.h"
#include "base/tensors.h"
#include "byhand/rounded.h"
#include "steps/step.h"
#include "steps/value_range.h"

namespace byhand {

// The values on which a step runs: those of the training batch, random ones of its shapes, or a case of the battery
// (battery.h).
enum class TrialInput { batch, random, battery };

struct StepInput {
    std::shared_ptr<const Tensors<double>> values;
    std::vector<double> exact;
    // The largest error of float in each element: with our order of sums, with any order, and with any order and
    // another grouping of products, so that a subnormal number is rounded before it grows. In the last, each result is
    // rounded at least once, even if a zero among the inputs makes ours exact.
    std::vector<double> in_our_order, in_any_order, in_other_words;
    // Only if some of the values are not finite: the elements that every formulation makes NaN, or not finite.
    std::vector<bool> of_class = {};
};

// The step's result on these values. operand(name, numbers) makes an input of a copy of its numbers.
template <class T, class Convert>
std::vector<T> result_on(const Step& step, const Tensors<double>& values, Convert operand) {
    std::deque<std::vector<T>> reads;
    std::vector<T> made(count(step.shape));
    execute(step, made.data(), [&](const std::string& name) -> Operand<T> {
        if (values.holds_indices(name)) {
            return values.indices(name).data();
        }
        return reads.emplace_back(operand(name, values[name])).data();
    });
    return made;
}

// The same with bounds of the rounding in float. Precondition: it has a function on Rounded.
std::vector<Rounded> rounded_result(const Step& step, const Tensors<double>& values);

// The input with these values of a step that should be `right`.
StepInput make_step_input(const Step& right, const ReferenceOperations& reference_operations,
                          std::shared_ptr<const Tensors<double>> values);

// All that the reference operation of `right.makes`, the right step and a step that reads `reads` read. `shapes` are by
// name.
std::vector<TensorSpec> read_by(const Step& right, const std::vector<std::string>& reads,
                                const ReferenceOperations& reference_operations,
                                const std::map<std::string, Shape>& shapes);

// A separate seed for each name.
std::uint64_t stream_of(const std::string& name, std::uint64_t seed);

// A form of a network (stepwise, collapsed, fused) at one size: its right steps and their reference operations.
struct SizedForm {
    Graph graph;
    std::shared_ptr<const ReferenceOperations> reference_operations;
    // Of every value that the steps make or read, or the operations read, by name. Only Form::at fills it.
    std::map<std::string, Shape> shapes = {};
};

// The form at every size.
struct Form {
    MakeGraph make_graph;
    std::function<std::shared_ptr<const ReferenceOperations>(const NetworkConfig& network, std::size_t rows)>
        make_reference_operations;

    SizedForm at(const NetworkConfig& network, std::size_t rows) const;
};

// The reference's values of a training step and its inputs, X, Y and rate. Nothing is copied.
std::vector<View> with_inputs(std::vector<View> values, const Batch& batch, std::size_t context, const float* rate);

// The step inputs of one training step. Each is made once for all networks.
class StepInputs {
public:
    // `reference` are the reference's float values of the training step, X, Y and rate included; they are copied.
    // Probes have indices below `vocabulary` and numbers within `ranges`, and the same bytes for the same seed.
    StepInputs(const std::vector<View>& reference, std::size_t vocabulary, std::uint64_t seed,
               std::map<std::string, ValueRange> ranges = {});

    const Tensors<double>& reference() const { return *reference_; }

    // The input of a step with the reference's values (batch) or with random ones. `right` is the right step; `reads`
    // is what the step actually reads. For a function in double the values have more digits than a float. Throws
    // std::out_of_range if the reference lacks a name.
    const StepInput& of(TrialInput kind, const Step& right, const std::vector<std::string>& reads,
                        const ReferenceOperations& reference_operations, bool in_double);

private:
    std::shared_ptr<const Tensors<double>> reference_, reference_in_double_;
    std::map<std::string, Shape> shapes_;
    std::size_t vocabulary_;
    std::uint64_t seed_;
    std::map<std::string, ValueRange> ranges_;
    // By the name, the right function, and what it, the step and the reference operation read.
    std::map<std::vector<std::string>, StepInput> inputs_;
};

}  // namespace byhand

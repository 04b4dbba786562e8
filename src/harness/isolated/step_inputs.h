// What an isolated step is asked: values for all that it reads, the reference's answer in double, and what rounding may
// make of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/batch.h"
#include "base/reference_operations.h"
#include "harness/isolated/values.h"
#include "steps/rounded.h"
#include "steps/step.h"
#include "steps/value_range.h"

namespace byhand {

struct StepInput {
    std::shared_ptr<const Values> values;
    std::vector<double> exact;
    // How far float may end up from the exact value of each element: by our order of sums, by any, and by any where
    // products are grouped in another way too, so that a number too small to be normal is rounded before it grows;
    // there each result is rounded once at least, even where a zero among the reads makes ours exact.
    std::vector<double> in_our_order, in_any_order, in_other_words;
};

// The question with these values to the step that should be `right`.
StepInput ask(const Step& right, const ReferenceOperations& reference_operations, std::shared_ptr<const Values> values);

// What the answer to `right.makes`, the right step and one that reads `reads` read together. `shapes` are by name.
std::vector<TensorSpec> read_by(const Step& right, const std::vector<std::string>& reads,
                                const ReferenceOperations& reference_operations,
                                const std::map<std::string, Shape>& shapes);

// A seed of its own for each name.
std::uint64_t stream_of(const std::string& name, std::uint64_t seed);

// A network as one would write it (in small steps, by one formula for several), and the reference's answers.
struct Form {
    Graph graph;
    std::shared_ptr<const ReferenceOperations> reference_operations;
};

// The reference's values of a training step, and with them its inputs: X, Y and rate. Nothing is copied.
std::vector<View> with_inputs(std::vector<View> values, const Batch& batch, std::size_t context, const float* rate);

// The questions to the steps of one training step. Each is made once, however many networks are asked it.
class StepInputs {
public:
    // `reference` are the reference's float values of that training step (X, Y and rate among them); they are copied.
    // Probes have indices below `vocabulary` and numbers within `ranges`, and are of the same bytes for the same seed.
    StepInputs(const std::vector<View>& reference, std::size_t vocabulary, std::uint64_t seed,
               std::map<std::string, ValueRange> ranges = {});

    const Values& reference() const { return *reference_; }

    // The question to a step on the reference's own values, and on random ones. `right` is what it should be; `reads`
    // is what the step reads in fact. To a function in double the values have more digits than a float. Throw
    // std::out_of_range where the reference has no such name.
    const StepInput& real(const Step& right, const std::vector<std::string>& reads,
                          const ReferenceOperations& reference_operations, bool in_double = false);
    const StepInput& probe(const Step& right, const std::vector<std::string>& reads,
                           const ReferenceOperations& reference_operations, bool in_double = false);

private:
    // What makes two questions the same: the name, the right function, what it, the step and the answer read.
    using Key = std::vector<std::string>;
    static Key key(const Step& right, const std::vector<std::string>& reads,
                   const ReferenceOperations& reference_operations, bool in_double);

    std::shared_ptr<const Values> reference_, reference_in_double_;
    std::map<std::string, Shape> shapes_;
    std::size_t vocabulary_;
    std::uint64_t seed_;
    std::map<std::string, ValueRange> ranges_;
    std::map<Key, StepInput> real_, probes_;
};

}  // namespace byhand

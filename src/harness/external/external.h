// External values of one training step, by name, fitted to a network: what each means, in the network's shape.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/view.h"
#include "steps/step.h"

namespace byhand {

// What may be given: X, Y, the state, and everything that a step makes, in the order of the network's steps.
std::vector<TensorSpec> external_specs(const Graph& network);

// The value that a name means: its own, or dW1 for W1.grad. Null where the network has none.
const TensorSpec* meant_by(const std::string& name, const std::vector<TensorSpec>& specs);

// Double where the file has F64; float where float holds all of this tensor, to the bit.
struct ExternalTensor {
    std::string name;
    Shape shape;
    std::variant<std::vector<float>, std::vector<double>, std::vector<std::int64_t>> numbers;

    View view() const;
};

struct ExternalValues {
    std::vector<ExternalTensor> tensors;  // in the order of external_specs
    std::vector<std::string> notes;       // what was done to fit them in and what is left out, a line each
    std::vector<std::string> faults;      // why they can't be judged, a line each: all of them
    // Forward values tell that the pass ran in double, and none is F32. (F64 that float holds may contradict this.)
    bool in_double = false;
};

// Fits `given` to the network. Taken are F32, F64, and I64 for X and Y. Axes of extent 1 may be missing or more. Where
// a weight or its gradient is (out, in), as PyTorch keeps them, all of them are, and are transposed. Names of no value
// of the network are left out. The numbers of a view are read only where its shape has as many elements as are due.
ExternalValues fit_to(const Graph& network, const std::vector<View>& given);

}  // namespace byhand

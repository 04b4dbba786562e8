// External values of one training step, matched to the values of a network by name and shape.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/model.h"
#include "byhand/view.h"
#include "steps/step.h"

namespace byhand {

// The possible external values: X, Y, the state, and all that the steps make, in the order of the network's steps.
std::vector<TensorSpec> external_specs(const Graph& network);

// The value that a name means: itself, or dW1 for W1.grad. Null if the network has none.
const TensorSpec* meant_by(const std::string& name, const std::vector<TensorSpec>& specs);

// Double if the file has F64; float if float represents the whole tensor exactly.
struct ExternalTensor {
    std::string name;
    Shape shape;
    std::variant<std::vector<float>, std::vector<double>, std::vector<std::int64_t>> numbers;

    View view() const;
};

struct ExternalValues {
    std::vector<ExternalTensor> tensors;  // in the order of external_specs
    std::vector<std::string> notes;       // conversions and omissions, a line each
    std::vector<std::string> faults;      // all reasons why they can't be judged, a line each
    // Forward values show that the pass ran in double, and none is F32. (F64 that float represents may contradict
    // this.)
    bool in_double = false;
};

// Matches `given` to the network. Accepts F32, F64, and I64 for X and Y. Axes of extent 1 may be missing or added. If a
// weight or its gradient is (out, in), as in PyTorch, all must be, and are transposed. Names that the network lacks are
// left out. The numbers of a view are read only if its shape has the right number of elements.
ExternalValues fit_to(const Graph& network, const std::vector<View>& given);

// The elements of a view as doubles.
std::vector<double> numbers_of(const View& view);

// ---- External values of one training step as an implementation in a comparison ----

// An implementation that has the external values and runs nothing.
class ExternalModel final : public Model {
public:
    // Precondition: `values` has no faults. `where` begins the messages of views().
    ExternalModel(ExternalValues values, std::string where);

    bool in_double() const { return values_.in_double; }

    void load(const Tensors<float>& state) override;
    void run(const Batch& batch, float rate) override;
    // Throws InputError if the file contains a batch or a tensor of the state other than the step's.
    std::vector<View> views() const override;

private:
    ExternalValues values_;
    std::string where_;
    Tensors<float> state_;
    Batch batch_;
};

}  // namespace byhand

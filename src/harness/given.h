// Somebody else's numbers: values and gradients of one training step of this network, by name, however he made them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/side.h"
#include "steps/step.h"

namespace byhand {

// A side that has what was given and runs nothing.
class GivenSide final : public Side {
public:
    // `network` says which names there are and of what shape. Float is taken as it is, double rounded to it. Where a
    // weight or its gradient is (out, in), as PyTorch keeps them, all of them are, and are transposed. Throws
    // InputError, beginning with `where`, for a name that the network has not, a shape or an element type that does
    // not fit, and where nothing is given.
    GivenSide(const StepNetwork<float>& network, const std::vector<View>& given, std::string where);

    // What was done to fit them in, a line each.
    const std::vector<std::string>& said() const { return said_; }

    void load(const Tensors<float>& state) override;
    void run(const Batch& batch, float rate) override;
    // Throws InputError where the batch or a tensor of the state was given and is not that of the step.
    std::vector<View> views() const override;

private:
    void take(const View& view, const Shape& shape, bool out_in);

    NetworkConfig config_;
    std::string where_;
    std::vector<std::string> said_;
    std::vector<TensorSpec> specs_;  // of the numbers, in the order of the network's steps
    std::map<std::string, std::vector<float>> numbers_;
    std::map<std::string, std::vector<std::int64_t>> indices_;  // X and Y
    Tensors<float> state_;
    Batch batch_;
};

}  // namespace byhand

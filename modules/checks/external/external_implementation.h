// External values of one training step as an implementation in a comparison.
#pragma once

#include <string>
#include <vector>

#include "base/model.h"
#include "checks/external/external.h"

namespace byhand {

// An implementation that has the external values and runs nothing.
class ExternalImplementation final : public Implementation {
public:
    // Precondition: `values` has no faults. `where` begins the messages of views().
    ExternalImplementation(ExternalValues values, std::string where);

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

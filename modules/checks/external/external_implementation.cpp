#include <algorithm>
#include <utility>

#include "base/error.h"
#include "checks/external/external.h"

namespace byhand {

ExternalModel::ExternalModel(ExternalValues values, std::string where)
    : values_(std::move(values)), where_(std::move(where)) {}

void ExternalModel::load(const Tensors<float>& state) {
    state_ = state;
}

void ExternalModel::run(const Batch& batch, float /*rate*/) {
    batch_ = batch;
}

std::vector<View> ExternalModel::views() const {
    const auto refuse = [this](const std::string& name, const std::string& what) {
        throw InputError(where_ + ": " + name + " is not " + what +
                         "; compute from a dump of the same recipe, seed and step (byhand compare --dump)");
    };
    std::vector<View> all;
    for (const ExternalTensor& tensor : values_.tensors) {
        if (const auto* indices = std::get_if<std::vector<std::int64_t>>(&tensor.numbers)) {
            const std::int64_t* right = tensor.name == "X" ? batch_.X : batch_.Y;
            if (!std::equal(indices->begin(), indices->end(), right)) {
                refuse(tensor.name, "this step's batch");
            }
            continue;  // no result of anything
        }
        if (state_.contains(tensor.name)) {
            const std::span<const float> right = state_[tensor.name];
            if (!std::ranges::equal(numbers_of(tensor.view()), right)) {
                refuse(tensor.name, "what this step begins with");
            }
        }
        all.push_back(tensor.view());
    }
    return all;
}

}  // namespace byhand

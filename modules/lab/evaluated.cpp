#include "lab/evaluated.h"

#include "manual/models.h"

namespace byhand::lab {

std::unique_ptr<Model> evaluated(const NetworkConfig& network, const Tensors<float>& state, const Examples& train) {
    constexpr std::size_t kRows = 2;  // of a training batch, which nobody asks for
    std::unique_ptr<Model> model = make_hand_model(HandForm::fused, network, kRows);
    model->load(state);
    if (is_calibrated(network)) {
        model->calibrate(train.all().X);
    }
    return model;
}

}  // namespace byhand::lab

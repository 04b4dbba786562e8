// What happens to the layers' inputs, and to the loss around them, while a network trains.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/model.h"
#include "lab/claims/landscape.h"
#include "lab/claims/measures.h"
#include "train/run.h"

namespace byhand::lab {

// At moments of a training, from the beginning to the end.
struct InputRecord {
    std::vector<std::size_t> steps;
    // Over one batch that stays: what goes into the tanh of each hidden layer, then what the output layer reads.
    std::vector<UnitFigures> units;
    // On a fresh batch each time, of the training's size and at its rate. [moment][layer], [moment].
    std::vector<std::vector<LayerShift>> shifts;
    std::vector<Smoothness> smoothness;
};

class InputWatch {
public:
    // Precondition: the run has a training part, and its recipe a rate.
    explicit InputWatch(const Run& run);
    void look(std::size_t steps, const Model& model, InputRecord& record);

private:
    Recipe recipe_;
    Examples train_;
    TorchGenerator generator_;  // draws the batches
    Landscape landscape_;
    Runner<float> fixed_;  // over the batch that stays
};

// What the figures of `units` are of: "hpreact" and so on.
std::vector<std::string> watched_values(const NetworkConfig& config);

}  // namespace byhand::lab

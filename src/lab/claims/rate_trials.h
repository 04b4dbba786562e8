// Trainings of both forms over a grid of learning rates: what is said of speed and of large rates goes by them.
#pragma once

#include <span>
#include <vector>

#include "lab/claims/bench.h"
#include "lab/claims/measures.h"
#include "lab/figures.h"

namespace byhand::lab {

struct RateTrials {
    const Bench& bench;
    std::vector<double> rates;  // powers of 2
    Grid grid;
    std::span<const Trained> trained;

    // Final losses of the seeds.
    std::vector<double> losses(std::size_t network, Arm arm, std::size_t rate) const {
        return grid.over_seeds(network, arm, rate, [&](std::size_t i) { return final_loss(trained[i]); });
    }
    double mean_loss(std::size_t network, Arm arm, std::size_t rate) const {
        return mean_and_deviation(losses(network, arm, rate)).mean;
    }
};

Section faster(const RateTrials& trials);
Section larger_rates(const RateTrials& trials);

}  // namespace byhand::lab

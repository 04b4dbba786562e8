// The update of a training step: parameters by gradient descent, running statistics by exponential averages.
#pragma once

#include <cmath>
#include <cstddef>

#include "base/network.h"
#include "manual/batchnorm/formulas.h"

namespace byhand {

// new_p = p − rate·dp.   rate is one number.
template <class T>
void descend(T* new_p, const T* p, const T* dp, const T* rate, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        new_p[i] = p[i] - *rate * dp[i];
    }
}

// new_bnmean_running = (1 − m)·bnmean_running + m·bnmeani.   m is the weight of the new value.
template <class T>
void running_mean_update(T* new_running, const T* running, const T* bnmeani, std::size_t H, double m) {
    for (std::size_t j = 0; j < H; ++j) {
        new_running[j] = static_cast<T>(1 - m) * running[j] + static_cast<T>(m) * bnmeani[j];
    }
}

// new_bnvar_running = (1 − m)·bnvar_running + m·v, where v is the batch's variance with the divisor of the running
// statistic, or its root if the running statistic is a deviation. bnvar has the batch's divisor; n is its rows.
template <class T>
void running_spread_update(T* new_running, const T* running, const T* bnvar, std::size_t H, std::size_t n,
                           Divisor batch_divisor, Divisor running_divisor, RunningSpread spread, double m) {
    using std::sqrt;
    for (std::size_t j = 0; j < H; ++j) {
        T figure = bnvar[j];
        if (batch_divisor != running_divisor) {
            figure *= divisor_of<T>(batch_divisor, n) / divisor_of<T>(running_divisor, n);
        }
        if (spread == RunningSpread::deviation) {
            figure = sqrt(figure);
        }
        new_running[j] = static_cast<T>(1 - m) * running[j] + static_cast<T>(m) * figure;
    }
}

}  // namespace byhand

// Batches through a batch norm by one convention: in training, backwards, and in evaluation.
#pragma once

#include <cstddef>
#include <vector>

#include "lab/conventions/list.h"
#include "lab/norm_steps.h"
#include "manual/batchnorm/formulas.h"
#include "manual/update.h"

namespace byhand::lab {

template <class T>
struct ConventionRun {
    std::vector<T> y, dx;                         // of all batches, one under the other: (batches·n, H)
    std::vector<T> running_mean, running_spread;  // (H), after the last batch
    std::vector<T> evaluated;                     // (n, H): the last batch by the running statistics
    std::vector<std::vector<T>> spread_path;      // (H) each: running_spread before the first batch and after each
};

// One under the other.
template <class T>
NormInput<T> stacked(const std::vector<NormInput<T>>& batches) {
    NormInput<T> all = batches.front();
    for (std::size_t i = 1; i < batches.size(); ++i) {
        all.n += batches[i].n;
        all.x.insert(all.x.end(), batches[i].x.begin(), batches[i].x.end());
        all.dy.insert(all.dy.end(), batches[i].dy.begin(), batches[i].dy.end());
    }
    return all;
}

template <class T>
void update_running(ConventionRun<T>& run, const NormForward<T>& f, std::size_t n, const NormConfig& norm) {
    const std::size_t H = run.running_mean.size();
    running_mean_update(run.running_mean.data(), run.running_mean.data(), f.bnmeani.data(), H, norm.momentum);
    running_spread_update(run.running_spread.data(), run.running_spread.data(), f.bnvar.data(), H, n,
                          norm.batch_divisor, norm.running_divisor, norm.running_spread, norm.momentum);
    run.spread_path.push_back(run.running_spread);
}

// Where evaluation goes by the whole training set, that is all the batches, and they take the place of the running
// figures. T is float, double or Rounded.
template <class T>
ConventionRun<T> run_convention(const Convention& convention, const std::vector<NormInput<T>>& batches) {
    const NormConfig& norm = convention.norm;
    const bool by_all = norm.evaluation == EvaluationFigures::training_set;
    const std::size_t n = batches.front().n, H = batches.front().H;
    ConventionRun<T> run;
    run.running_mean.assign(H, T(0));
    run.running_spread.assign(H, T(convention.first_spread));
    run.spread_path.push_back(run.running_spread);
    for (const NormInput<T>& in : batches) {
        const NormForward<T> f = norm_forward(in, norm);
        const NormBackward<T> b = norm_backward(in, f, norm);
        run.y.insert(run.y.end(), f.y.begin(), f.y.end());
        run.dx.insert(run.dx.end(), b.dx.begin(), b.dx.end());
        if (!by_all) {
            update_running(run, f, n, norm);
        }
    }
    if (by_all) {
        const NormInput<T> all = stacked(batches);
        update_running(run, norm_forward(all, norm), all.n, norm);
    }
    const NormInput<T>& last = batches.back();
    run.evaluated.resize(n * H);
    batchnorm_evaluate(run.evaluated.data(), last.x.data(), run.running_mean.data(), run.running_spread.data(),
                       last.gain.data(), last.bias.data(), n, H, norm.epsilon, norm.epsilon_place, norm.running_spread);
    return run;
}

// All its numbers, one after another: y, dx, running statistics, evaluated.
template <class T>
std::vector<T> numbers_of(const ConventionRun<T>& run) {
    std::vector<T> all;
    for (const std::vector<T>* part : {&run.y, &run.dx, &run.running_mean, &run.running_spread, &run.evaluated}) {
        all.insert(all.end(), part->begin(), part->end());
    }
    return all;
}

}  // namespace byhand::lab

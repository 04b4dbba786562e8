// Three ways from dbnraw to dx, each as the list of functions that it calls, with what every one of them reads, writes
// and computes.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "base/network.h"
#include "manual/batchnorm/chain.h"
#include "manual/batchnorm/formulas.h"

namespace byhand::lab {

enum class Form { chain, steps, line };
inline constexpr Form kForms[] = {Form::chain, Form::steps, Form::line};
inline const char* name_of(Form form) {
    return form == Form::chain ? "chain" : form == Form::steps ? "small steps" : "one line";
}

// What a forward pass leaves, the gradient that comes back, and room for what lies between.
template <class T>
struct BackwardValues {
    std::size_t n = 0, H = 0;
    std::vector<T> dbnraw, bndiff, bnraw;         // (n, H)
    std::vector<T> bnmeani, bnvar, bnvar_inv;     // (H)
    std::vector<T> dbndiff2, dbndiff;             // (n, H): of the small steps
    std::vector<T> dx;                            // (n, H)
    std::vector<T> dbnvar_inv, dbnvar, dbnmeani;  // (H)
};

template <class T>
BackwardValues<T> make_room(std::size_t n, std::size_t H) {
    BackwardValues<T> v;
    v.n = n;
    v.H = H;
    for (std::vector<T>* rows : {&v.dbnraw, &v.bndiff, &v.bnraw, &v.dbndiff2, &v.dbndiff, &v.dx}) {
        rows->resize(n * H);
    }
    for (std::vector<T>* columns : {&v.bnmeani, &v.bnvar, &v.bnvar_inv, &v.dbnvar_inv, &v.dbnvar, &v.dbnmeani}) {
        columns->resize(H);
    }
    return v;
}

// What one function does for each element of (n, H), by its formula; what it does once a column counts as nothing.
struct Work {
    const char* function;
    std::size_t reads = 0, writes = 0;
    std::size_t flop = 0, divisions = 0;  // the divisions are among the FLOP
    bool bands = false;                   // it goes down bands of kSumColumns columns, else along the rows
};

struct Pass {
    Work work;
    std::function<void()> run;
};

// The passes refer to `v`, and write to `dx`.
template <class T>
std::vector<Pass> passes_of(Form form, BackwardValues<T>& v, T* dx, const NormConfig& norm) {
    const std::size_t n = v.n, H = v.H;
    const Divisor divisor = norm.batch_divisor;
    const double epsilon = norm.epsilon;
    const EpsilonPlace place = norm.epsilon_place;
    switch (form) {
        case Form::chain:
            return {
                {{"batchnorm_chain_variance_backward", 2, 0, 2, 0, true},
                 [=, &v] {
                     batchnorm_chain_variance_backward(v.dbnvar.data(), v.dbnraw.data(), v.bndiff.data(),
                                                       v.bnvar.data(), n, H, epsilon, place);
                 }},
                {{"batchnorm_chain_mean_backward", 2, 0, 2, 0, true},
                 [=, &v] {
                     batchnorm_chain_mean_backward(v.dbnmeani.data(), v.dbnraw.data(), v.bndiff.data(),
                                                   v.bnvar_inv.data(), v.dbnvar.data(), n, H, divisor);
                 }},
                {{"batchnorm_chain_input_backward", 2, 1, 4, 0, true},
                 [=, &v] {
                     batchnorm_chain_input_backward(dx, v.dbnraw.data(), v.bndiff.data(), v.bnvar_inv.data(),
                                                    v.dbnvar.data(), v.dbnmeani.data(), n, H, divisor);
                 }},
            };
        case Form::steps:
            return {
                {{"batchnorm_inverse_deviation_backward", 2, 0, 2, 0, true},
                 [=, &v] {
                     batchnorm_inverse_deviation_backward(v.dbnvar_inv.data(), v.dbnraw.data(), v.bndiff.data(), n, H);
                 }},
                {{"batchnorm_variance_backward", 0, 0, 0, 0, false},
                 [=, &v] {
                     batchnorm_variance_backward(v.dbnvar.data(), v.dbnvar_inv.data(), v.bnvar.data(), H, epsilon,
                                                 place);
                 }},
                {{"batchnorm_square_sum_backward", 0, 1, 1, 1, false},
                 [=, &v] { batchnorm_square_sum_backward(v.dbndiff2.data(), v.dbnvar.data(), n, H, divisor); }},
                {{"batchnorm_difference_backward", 3, 1, 4, 0, false},
                 [=, &v] {
                     batchnorm_difference_backward(v.dbndiff.data(), v.dbnraw.data(), v.bnvar_inv.data(),
                                                   v.dbndiff2.data(), v.bndiff.data(), n, H);
                 }},
                {{"batchnorm_mean_backward", 1, 0, 1, 0, true},
                 [=, &v] { batchnorm_mean_backward(v.dbnmeani.data(), v.dbndiff.data(), n, H); }},
                {{"batchnorm_input_backward", 1, 1, 2, 1, false},
                 [=, &v] { batchnorm_input_backward(dx, v.dbndiff.data(), v.dbnmeani.data(), n, H); }},
            };
        case Form::line:
            return {
                {{"batchnorm_backward", 5, 1, 7, 0, true},
                 [=, &v] {
                     batchnorm_backward(dx, v.dbnraw.data(), v.bnraw.data(), v.bnvar_inv.data(), v.bnvar.data(), n, H,
                                        divisor, epsilon, place);
                 }},
            };
    }
    return {};
}

inline void run(const std::vector<Pass>& passes) {
    for (const Pass& pass : passes) {
        pass.run();
    }
}

// The sums of the counts.
struct Counts {
    std::size_t passes = 0, reads = 0, writes = 0, flop = 0, divisions = 0;
};
inline Counts counts_of(const std::vector<Pass>& passes) {
    Counts sums;
    for (const Pass& pass : passes) {
        sums.reads += pass.work.reads;
        sums.writes += pass.work.writes;
        sums.flop += pass.work.flop;
        sums.divisions += pass.work.divisions;
    }
    sums.passes = sums.reads + sums.writes;
    return sums;
}

}  // namespace byhand::lab

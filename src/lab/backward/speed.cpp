#include "lab/backward/speed.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/quantile.h"
#include "names/random.h"

namespace byhand::lab {
namespace {

using Clock = std::chrono::steady_clock;

// A measurement lasts for so many elements at least, some tens of microseconds: far more than a look at the clock.
constexpr std::size_t kLeastElements = 100'000;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Seconds of one run, of `repeats`.
double seconds_of(const std::vector<Pass>& passes, std::size_t repeats) {
    const Clock::time_point start = Clock::now();
    for (std::size_t i = 0; i < repeats; ++i) {
        run(passes);
    }
    return seconds_since(start) / static_cast<double>(repeats);
}

std::size_t repeats_of(std::size_t elements) {
    return std::max<std::size_t>(1, kLeastElements / elements);
}

// Of what the three made of one element, the largest less the smallest.
template <class T>
double largest_difference_of(const std::vector<T>& a, const std::vector<T>& b, const std::vector<T>& c) {
    T most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const auto [low, high] = std::minmax({a[i], b[i], c[i]});
        most = high - low <= most ? most : high - low;
    }
    return static_cast<double>(most);
}

// The warm-up: every form once. What the small steps need besides dx is free after them for the results of the others.
template <class T>
double difference_of_forms(BackwardValues<T>& v, const NormConfig& norm) {
    run(passes_of(Form::steps, v, v.dx.data(), norm));
    run(passes_of(Form::chain, v, v.dbndiff.data(), norm));
    run(passes_of(Form::line, v, v.dbndiff2.data(), norm));
    return largest_difference_of(v.dx, v.dbndiff, v.dbndiff2);
}

template <class Round>
void in_rounds(std::size_t rounds, double seconds, Round round) {
    const Clock::time_point start = Clock::now();
    for (std::size_t i = 0; i < rounds && !is_enough(i, seconds_since(start), seconds); ++i) {
        round(i);
    }
}

// Uniform in [−1, 1).
template <class T>
void fill(std::vector<T>& values, Mt19937& bits) {
    constexpr int kUnused = 8;  // float has 24 bits
    for (T& value : values) {
        value = static_cast<T>(draw(bits) >> kUnused) * static_cast<T>(0x1p-23) - T{1};
    }
}

}  // namespace

Speedup speedup(const std::vector<double>& slower, const std::vector<double>& faster) {
    constexpr double kLow = 0.1, kMiddle = 0.5, kHigh = 0.9;
    std::vector<double> ratios;
    ratios.reserve(slower.size());
    for (std::size_t round = 0; round < slower.size(); ++round) {
        ratios.push_back(slower[round] / faster[round]);
    }
    return {quantile(ratios, kMiddle), quantile(ratios, kLow), quantile(ratios, kHigh)};
}

bool is_enough(std::size_t rounds, double taken, double seconds) {
    constexpr std::size_t kLeastRounds = 3;
    constexpr double kPatience = 0.5;  // seconds that those may take
    return rounds > 0 && taken >= (rounds < kLeastRounds ? kPatience : seconds);
}

std::array<std::size_t, 3> order_of(std::size_t round) {
    constexpr std::array<std::array<std::size_t, 3>, 6> kOrders = {
        {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}}};
    return kOrders[round % kOrders.size()];
}

template <class T>
BackwardValues<T> values_to_time(std::size_t n, std::size_t H) {
    BackwardValues<T> v = make_room<T>(n, H);
    Mt19937 bits = seeded(1);
    fill(v.dbnraw, bits);
    fill(v.bndiff, bits);
    batchnorm_mean(v.bnmeani.data(), v.bndiff.data(), n, H);
    batchnorm_difference(v.bndiff.data(), v.bndiff.data(), v.bnmeani.data(), n, H);
    return v;
}

template <class T>
void normalise(BackwardValues<T>& v, const NormConfig& norm) {
    batchnorm_variance_of_differences(v.bnvar.data(), v.bndiff.data(), v.n, v.H, norm.batch_divisor);
    batchnorm_inverse_deviation(v.bnvar_inv.data(), v.bnvar.data(), v.H, norm.epsilon, norm.epsilon_place);
    batchnorm_normalise(v.bnraw.data(), v.bndiff.data(), v.bnvar_inv.data(), v.n, v.H);
}

template <class T>
Timed timed(BackwardValues<T>& v, const NormConfig& norm, std::size_t rounds, double seconds) {
    Timed result;
    result.max_difference = difference_of_forms(v, norm);
    std::array<std::vector<Pass>, 3> passes;
    for (const Form form : kForms) {
        passes[static_cast<std::size_t>(form)] = passes_of(form, v, v.dx.data(), norm);
    }
    const std::size_t repeats = repeats_of(v.n * v.H);
    in_rounds(rounds, seconds, [&](std::size_t round) {
        for (const std::size_t form : order_of(round)) {
            result.rounds[form].push_back(seconds_of(passes[form], repeats));
        }
    });
    return result;
}

template <class T>
std::vector<PassTime> pass_times(BackwardValues<T>& v, const NormConfig& norm, std::size_t rounds, double seconds) {
    std::vector<PassTime> times;
    std::vector<std::vector<Pass>> all;  // each by itself
    for (const Form form : kForms) {
        for (const Pass& pass : passes_of(form, v, v.dx.data(), norm)) {
            times.push_back({form, pass.work});
            all.push_back({pass});
        }
    }
    std::vector<std::vector<double>> measured(all.size());
    const std::size_t repeats = repeats_of(v.n * v.H);
    in_rounds(rounds, seconds, [&](std::size_t) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            measured[i].push_back(seconds_of(all[i], repeats));
        }
    });
    for (std::size_t i = 0; i < all.size(); ++i) {
        times[i].seconds = quantile(measured[i], 0.5);
    }
    return times;
}

template BackwardValues<float> values_to_time(std::size_t, std::size_t);
template BackwardValues<double> values_to_time(std::size_t, std::size_t);
template void normalise(BackwardValues<float>&, const NormConfig&);
template void normalise(BackwardValues<double>&, const NormConfig&);
template Timed timed(BackwardValues<float>&, const NormConfig&, std::size_t, double);
template Timed timed(BackwardValues<double>&, const NormConfig&, std::size_t, double);
template std::vector<PassTime> pass_times(BackwardValues<float>&, const NormConfig&, std::size_t, double);

}  // namespace byhand::lab

// How long each form of batch norm's backward takes.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "base/network.h"
#include "lab/backward/forms.h"

namespace byhand::lab {

struct Speedup {
    double median = 0, p10 = 0, p90 = 0;
};
// Of the ratios slower/faster of each round. Precondition: as many rounds of both, and at least one.
Speedup speedup(const std::vector<double>& slower, const std::vector<double>& faster);

// In which order the forms run: six rounds show all orders, three every form at every place.
std::array<std::size_t, 3> order_of(std::size_t round);

// Whether `rounds` rounds, which took `taken` seconds, are enough of a measurement that has `seconds`: three at least,
// or one where they take more than half a second.
bool is_enough(std::size_t rounds, double taken, double seconds);

// The same n rows of H columns every time, their differences from the mean and the gradient that comes back; the rest
// of the forward pass depends on the norm's conventions.
template <class T>
BackwardValues<T> values_to_time(std::size_t n, std::size_t H);
template <class T>
void normalise(BackwardValues<T>& values, const NormConfig& norm);

struct Timed {
    std::array<std::vector<double>, 3> rounds;  // seconds of each form, in the order of kForms
    double max_difference = 0;                  // between any two of the forms' dx
};

// On one thread; after a warm-up, rounds in which every form runs once, or as often as makes a measurable while:
// `rounds` of them, or fewer where those are enough of `seconds`.
template <class T>
Timed timed(BackwardValues<T>& values, const NormConfig& norm, std::size_t rounds, double seconds);

// The median seconds of each function of each form by itself, in rounds as above.
struct PassTime {
    Form form = Form::chain;
    Work work;
    double seconds = 0;
};
template <class T>
std::vector<PassTime> pass_times(BackwardValues<T>& values, const NormConfig& norm, std::size_t rounds, double seconds);

}  // namespace byhand::lab

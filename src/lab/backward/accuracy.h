// How far each form of batch norm's backward is off, on data that are easy and hard.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/network.h"
#include "lab/agreement.h"
#include "lab/backward/forms.h"
#include "lab/norm_steps.h"
#include "lab/setting.h"

namespace byhand::lab {

// Rows drawn with this mean and deviation, the same for every column.
struct NormData {
    std::size_t rows = 0, columns = 0;
    double mean = 0, deviation = 1;
};

// x is mean + deviation·z and dy is z, with z of torch.randn; γ and β are drawn around 1.
NormInput<double> drawn(const NormData& data, std::uint64_t seed);

// dx by each form, in the order of kForms, and what they start from. In T the data are rounded first.
template <class T>
struct ThreeForms {
    BackwardValues<T> values;
    std::array<std::vector<T>, 3> dx;
};
template <class T>
ThreeForms<T> three_forms(const NormInput<T>& in, const NormConfig& norm);

// The same as the chain without the path from the variance to the mean.
template <class T>
std::vector<T> without_path(BackwardValues<T>& values, const NormConfig& norm);

// The best dx that there is for this input: for float LibTorch's in double, or by hand in long double where LibTorch is
// absent; for double by hand in long double.
std::vector<long double> oracle(const NormInput<float>& in, const NormConfig& norm, const Setting& setting);
std::vector<long double> oracle(const NormInput<double>& in, const NormConfig& norm, const Setting& setting);

// The largest |value − expected| over the largest |expected|. NaN where one of them is.
template <class T>
double relative_error(const std::vector<T>& values, const std::vector<long double>& expected);

// The largest differences between two forms each, and the largest |dx|.
struct Differences {
    double chain_steps = 0, chain_line = 0, steps_line = 0, scale = 0;
};
template <class T>
Differences differences(const ThreeForms<T>& forms);

// By each form, in the order of kForms: the median over the seeds of its relative error.
using Errors = std::array<double, 3>;
template <class T>
Errors median_errors(const NormData& data, const NormConfig& norm, const Seeds& seeds, const Setting& setting);

// What becomes of the chain's path from the variance to the mean, medians over the seeds.
struct PathFigures {
    double sum = 0;                // the largest |Σ bndiff| of a column, over n·deviation
    double change = 0;             // the largest |dx with the path − dx without|, over the largest |dx|
    double with = 0, without = 0;  // relative errors
};
template <class T>
PathFigures path_figures(const NormData& data, const NormConfig& norm, const Seeds& seeds, const Setting& setting);

// The three forms in float against LibTorch in double, and the oracle in long double against LibTorch in double, each
// by the limits of rounding. Precondition: LibTorch is there.
std::vector<Agreement> agreements(const NormData& data, const NormConfig& norm, std::uint64_t seed,
                                  const Setting& setting);

}  // namespace byhand::lab

// Notes 1 and 5: three derivations of batch norm's backward by hand, how exact they are and how fast.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/network.h"
#include "lab/agreement.h"
#include "lab/operation.h"
#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

struct BackwardOptions {
    std::vector<std::size_t> rows = {8, 128, 2048, 65536};  // the shapes that are timed: all pairs
    std::vector<std::size_t> columns = {16, 100, 256, 1024};
    std::size_t rounds = 51;  // at most, for each shape, type and divisor; fewer if they take longer
};

// Throws InputError where a shape has less than two rows, no column, or too many elements, or there are none.
Document backward(const BackwardOptions& options, const Setup& setup);

// ---- the forms ----

enum class Form { chain, steps, line };
inline constexpr std::array kForms = {Form::chain, Form::steps, Form::line};
inline constexpr std::array kFormNames = {"chain", "small steps", "one line"};

inline constexpr std::array kDivisors = {Divisor::n, Divisor::n_minus_1};
inline const char* key_of(Divisor divisor) {
    return divisor == Divisor::n ? "n" : "n-1";
}
NormConfig norm_with(Divisor divisor, double epsilon = 1e-5);

// From dbnraw, and what the forward pass has made, to dhprebn, each of (n, H).
StepList steps_of(Form form, const NormConfig& norm, std::size_t n, std::size_t H);

// ---- accuracy ----

// Rows drawn with this mean and deviation, the same for every column.
struct NormData {
    std::size_t rows = 0, columns = 0;
    double mean = 0, deviation = 1;
};
// hprebn is mean + deviation·z and dhpreact is z, with z of torch.randn; γ and β are drawn around 1 and 0.
Numbers<double> drawn(const NormData& data, std::uint64_t seed);

// dhprebn by each form, in the order of kForms, and what they start from. T is float, double or Rounded.
template <class T>
struct ThreeForms {
    Numbers<T> values;
    std::array<std::vector<T>, 3> dx;
};
template <class T>
ThreeForms<T> three_forms(const Numbers<T>& in, const NormConfig& norm);

// The same as the chain without the path from the variance to the mean.
template <class T>
std::vector<T> without_path(Numbers<T>& values, const NormConfig& norm);

// The largest |value − expected| over the largest |expected|. NaN where one of them is.
template <class T>
double relative_error(const std::vector<T>& values, const std::vector<long double>& expected);

// The relative error of each form, in the order of kForms, then that of the chain without the path. For float the
// reference is LibTorch in double, or without LibTorch the one line by hand in long double; for double the latter.
template <class T>
std::array<double, 4> errors(const NormData& data, const NormConfig& norm, std::uint64_t seed, const Setting& setting);

// The three forms in float against LibTorch in double, and the one line in long double against LibTorch in double, each
// by the limits of rounding. Precondition: LibTorch is there.
std::vector<Agreement> agreements(const NormData& data, const NormConfig& norm, std::uint64_t seed,
                                  const Setting& setting);

// Whether the three are the same but for rounding, which of them rounds least and when, and what the path carries.
void add_accuracy(Document& document, const Setup& setup);

// ---- speed ----

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

void add_speed(Document& document, const BackwardOptions& options, const Setting& setting);

}  // namespace byhand::lab

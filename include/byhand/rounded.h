// A number type that tracks the rounding error of a floating-point computation.
//
// Rounded takes the place of float in a step's function. It holds the value without rounding (in double) and the
// accumulated effect of the roundings of the same computation in float:
// - `error`: a bound on the error in this order of operations, propagated operation by operation (running error
//   analysis: Wilkinson; Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.3);
// - `any_order()`: a bound that holds for any order of summation (ibid., section 4.2);
// - `variance`: the variance of the error if roundings are independent (Higham and Mary, A New Approach to
//   Probabilistic Rounding Error Analysis, 2019).
// An operand without an error is exact. Where the computation may leave the range of float (an overflow, a logarithm or
// a root of a possibly negative number, a division by a possibly zero number) the bounds are infinite.
// Derivations: docs/verdicts.md.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace byhand {

// The largest errors of the elementary functions, in units of the last place of the result. tanh and exp: the guarantee
// of simd/kernels.h, which is wider than glibc's (its manual, "Known Maximum Errors": tanhf 2, expf 1, logf 1).
inline constexpr double kTanhUlp = 4;
inline constexpr double kExpUlp = 4;
inline constexpr double kLogUlp = 2;
inline constexpr double kErfUlp = 2;    // glibc: erff 1
inline constexpr double kExpm1Ulp = 2;  // glibc: expm1f 1
inline constexpr double kLog1pUlp = 2;  // glibc: log1pf 1

template <class Number>
concept Arithmetic = std::is_arithmetic_v<Number>;

class Rounded {
public:
    double value = 0;
    double error = 0;
    double variance = 0;

    Rounded() = default;
    // A constant, rounded to float as in the computation.
    template <Arithmetic Number>
    Rounded(Number number)  // NOLINT(google-explicit-constructor): it takes the place of a float
        : value(static_cast<double>(number)),
          error(std::abs(value - static_cast<double>(static_cast<float>(number)))),
          variance(error * error),
          inherited_(error) {}

    // A number with a known error, for any order of the sums that produced it.
    static Rounded off_by(double value, double error) {
        Rounded number;
        number.value = value;
        number.error = number.inherited_ = error;
        return number;
    }

    // k additions, each with a relative error of u that later additions propagate: k·u/(1 − k·u).
    double any_order() const {
        if (additions_ == 0) {
            return inherited_;
        }
        const double units = additions_ * kUnit;
        return units < 1 ? inherited_ + units / (1 - units) * (magnitude_ + inherited_) : kInfinity;
    }

    // The standard deviation of the error for any order of summation: each addition rounds a partial sum, which is at
    // most Σ|term|. If each term is, on average, one of `alike` equal terms, their additions may have equal errors too.
    double deviation_in_any_order(double alike = 1) const {
        return std::sqrt(variance + kThird * (std::min(alike, additions_) * additions_ * square(kUnit * magnitude_) +
                                              std::min(alike, past_additions_) * past_squares_));
    }

    Rounded operator-() const {
        Rounded negative = *this;
        negative.value = -value;
        return negative;
    }

    Rounded& operator+=(const Rounded& b) {
        if (b.value == 0 && b.is_exact()) {
            return *this;
        }
        const double term = b.value;
        if (value == 0 && is_exact()) {
            *this = b;
            last_term_ = term;
            return *this;
        }
        const double carried = error + b.error;
        magnitude_ = term_magnitude() + b.term_magnitude();
        value += term;
        error = carried + kUnit * (std::abs(value) + carried);
        // Variances add, except that equal consecutive terms have equal errors: the same number added repeatedly.
        const double own = kThird * square(kUnit * value);
        variance = term == last_term_ ? square(std::sqrt(variance) + std::sqrt(b.variance) + std::sqrt(own))
                                      : variance + b.variance + own;
        last_term_ = term;
        // In any order, each of n terms takes part in at most n − 1 additions: additions·u·Σ|term|.
        inherited_ += b.inherited_;
        additions_ += b.additions_ + 1;
        past_additions_ = std::max(past_additions_, b.past_additions_);
        past_squares_ += b.past_squares_;
        if (!(magnitude_ + inherited_ <= kLargest)) {
            inherited_ = kInfinity;  // a partial sum in another order may overflow
        }
        keep_range();
        return *this;
    }
    friend Rounded operator+(const Rounded& a, const Rounded& b) {
        Rounded sum = a;
        sum += b;
        return sum;
    }
    friend Rounded operator-(const Rounded& a, const Rounded& b) { return a + -b; }

    friend Rounded operator*(const Rounded& a, const Rounded& b) {
        const double made = a.value * b.value;
        if (a.is_exact() && b.is_exact()) {  // the common case for factors
            return result(made, 0, 0, 0, a.scales_exactly() || b.scales_exactly() ? 0 : 1);
        }
        const bool exact = a.scales_exactly() || b.scales_exactly();
        const auto carried = [](double x, double x_error, double y, double y_error) {
            return std::abs(x) * y_error + std::abs(y) * x_error + x_error * y_error;
        };
        // The factors may be the same number (a square), so their standard deviations add, not their variances.
        const double spread =
            a.variance == 0 && b.variance == 0
                ? 0
                : square(std::abs(a.value) * std::sqrt(b.variance) + std::abs(b.value) * std::sqrt(a.variance)) +
                      a.variance * b.variance;
        return result(made, carried(a.value, a.error, b.value, b.error),
                      carried(a.value, a.any_order(), b.value, b.any_order()), spread, exact ? 0 : 1)
            .behind_sum(a, b.value)
            .behind_sum(b, a.value);
    }

    friend Rounded operator/(const Rounded& a, const Rounded& b) {
        const double made = a.value / b.value;
        const auto carried = [&](double a_error, double b_error) {
            const double least = std::abs(b.value) - b_error;
            return least > 0 ? (a_error + std::abs(made) * b_error) / least : kInfinity;
        };
        const double spread = (a.variance + square(made) * b.variance) / square(b.value);
        return result(made, carried(a.error, b.error), carried(a.any_order(), b.any_order()), spread,
                      b.scales_exactly() ? 0 : 1)
            .behind_sum(a, 1 / b.value)
            .behind_sum(b, made / b.value);
    }

    Rounded& operator-=(const Rounded& b) { return *this = *this - b; }
    Rounded& operator*=(const Rounded& b) { return *this = *this * b; }
    Rounded& operator/=(const Rounded& b) { return *this = *this / b; }

    friend bool operator<(const Rounded& a, const Rounded& b) { return a.value < b.value; }
    friend bool operator==(const Rounded& a, const Rounded& b) { return a.value == b.value; }

    // √(x ± e) − √x ≤ e/(√x + √(x − e)). A reformulation may compute e^(½ ln x), where ln x and its half are rounded.
    friend Rounded sqrt(const Rounded& x) {
        const double made = std::sqrt(x.value);
        const auto carried = [&](double off) {
            if (off == 0) {
                return 0.0;
            }
            return x.value >= off ? off / (made + std::sqrt(x.value - off)) : kInfinity;
        };
        const double by_logarithm = made > 0 ? 2 * kUnit * made * std::abs(std::log(made)) : 0;
        const double spread = x.variance == 0 ? 0 : x.variance / (4 * x.value);
        return result(made, carried(x.error), carried(x.any_order()) + by_logarithm, spread, 1)
            .behind_sum(x, 0.5 / made);
    }

    // e^(x ± e) − e^x ≤ e^x·(e^e − 1)
    friend Rounded exp(const Rounded& x) {
        // Never 0, even if it underflows in double.
        const double made = std::max(std::exp(x.value), std::numeric_limits<double>::min());
        const auto carried = [&](double off) { return made * std::expm1(off); };
        return result(made, carried(x.error), carried(x.any_order()), square(made) * x.variance, 2 * kExpUlp)
            .behind_sum(x, made);
    }

    // e^(x ± e) − e^x ≤ e^x·(e^e − 1), and e^x is this and 1.
    friend Rounded expm1(const Rounded& x) {
        const double made = std::expm1(x.value);
        const auto carried = [&](double off) { return (made + 1) * std::expm1(off); };
        return result(made, carried(x.error), carried(x.any_order()), square(made + 1) * x.variance, 2 * kExpm1Ulp)
            .behind_sum(x, made + 1);
    }

    // ln x − ln(x − e) = ln(1 + e/(x − e))
    friend Rounded log(const Rounded& x) {
        const double made = std::log(x.value);
        const auto carried = [&](double off) { return x.value > off ? std::log1p(off / (x.value - off)) : kInfinity; };
        return result(made, carried(x.error), carried(x.any_order()), x.variance / square(x.value), 2 * kLogUlp)
            .behind_sum(x, 1 / x.value);
    }

    // ln(1 + x) − ln(1 + x − e) = ln(1 + e/(1 + x − e))
    friend Rounded log1p(const Rounded& x) {
        const double made = std::log1p(x.value), sum = 1 + x.value;
        const auto carried = [&](double off) { return sum > off ? std::log1p(off / (sum - off)) : kInfinity; };
        return result(made, carried(x.error), carried(x.any_order()), x.variance / square(sum), 2 * kLog1pUlp)
            .behind_sum(x, 1 / sum);
    }

    // The derivative of tanh is 1 − tanh², largest where |x| is smallest.
    friend Rounded tanh(const Rounded& x) {
        const double made = std::tanh(x.value);
        const auto carried = [&](double off) {
            return off * (1 - square(std::tanh(std::max(std::abs(x.value) - off, 0.0))));
        };
        const double slope = 1 - square(made);
        return result(made, carried(x.error), carried(x.any_order()), x.variance * square(slope), 2 * kTanhUlp)
            .behind_sum(x, slope);
    }

    // The derivative of erf is 2/√π·e^(−x²), largest where |x| is smallest.
    friend Rounded erf(const Rounded& x) {
        const auto slope = [](double at) { return 2 / std::sqrt(std::acos(-1.0)) * std::exp(-square(at)); };
        const auto carried = [&](double off) { return off * slope(std::max(std::abs(x.value) - off, 0.0)); };
        return result(std::erf(x.value), carried(x.error), carried(x.any_order()), x.variance * square(slope(x.value)),
                      2 * kErfUlp)
            .behind_sum(x, slope(x.value));
    }

private:
    using Limits = std::numeric_limits<float>;
    static constexpr double kUnit = Limits::epsilon() / 2;  // u, the largest relative error of one rounding
    // Half the spacing of subnormal numbers: the largest error of one rounding there.
    static constexpr double kTiny = 0x1p-150;
    static constexpr double kThird = 1.0 / 3;  // the variance of a uniform error divided by the square of its bound
    static constexpr double kLargest = static_cast<double>(Limits::max());
    static constexpr double kInfinity = std::numeric_limits<double>::infinity();

    static double square(double x) { return x * x; }

    // In any order: a − a is an exact zero in this order, but another order computes a + b − a.
    bool is_exact() const { return error + inherited_ + additions_ == 0; }

    // 0 and powers of two, if exact: a product with them is not rounded.
    bool scales_exactly() const {
        constexpr std::uint64_t kFraction = (std::uint64_t{1} << 52) - 1;
        return is_exact() && (std::bit_cast<std::uint64_t>(value) & kFraction) == 0 && std::isfinite(value);
    }

    double term_magnitude() const { return additions_ == 0 ? std::abs(value) : magnitude_; }

    // The result of an operation other than a sum: `roundings` times u of its magnitude is added to the propagated
    // error.
    static Rounded result(double value, double carried, double carried_in_any_order, double variance,
                          double roundings) {
        Rounded r;
        r.value = value;
        // The rounded result may be subnormal although the exact value is not, or may be zero.
        const bool nothing = value == 0 && carried_in_any_order == 0;
        const bool small = !nothing && !(std::abs(value) - carried_in_any_order >= static_cast<double>(Limits::min()));
        const double tiny = small ? kTiny * std::max(roundings, 1.0) : 0;
        r.error = carried + roundings * kUnit * (std::abs(value) + carried) + tiny;
        r.inherited_ = carried_in_any_order + roundings * kUnit * (std::abs(value) + carried_in_any_order) + tiny;
        r.variance = variance + kThird * (square(roundings * kUnit * value) + square(tiny));
        r.keep_range();
        return r;
    }

    // A sum that is scaled or passed to a function still rounds differently in another order: the size of that effect
    // here, by the function's derivative at x.
    Rounded& behind_sum(const Rounded& x, double slope) {
        if (x.additions_ + x.past_additions_ > 0) {
            past_additions_ = std::max({past_additions_, x.additions_, x.past_additions_});
            past_squares_ += square(slope) * (x.additions_ * square(kUnit * x.magnitude_) + x.past_squares_);
        }
        return *this;
    }

    void keep_range() {
        if (!(std::abs(value) + error <= kLargest)) {
            error = inherited_ = variance = kInfinity;
        }
    }

    // The any-order bound of a sum in progress: the propagated errors of its terms, Σ|term|, and the number of
    // additions.
    double inherited_ = 0;
    double magnitude_ = 0;
    double additions_ = 0;
    // For sums that were scaled or passed to a function: the largest number of additions of one of them, and Σ
    // additions·(u·Σ|term|)², propagated to here.
    double past_additions_ = 0;
    double past_squares_ = 0;
    double last_term_ = std::numeric_limits<double>::quiet_NaN();  // of a sum
};

}  // namespace byhand

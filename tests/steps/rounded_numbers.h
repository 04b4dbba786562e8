// One number in three types, as float, as Rounded and exactly, for the tests of Rounded.
#pragma once

#include <cmath>
#include <random>

#include "byhand/rounded.h"

namespace byhand::test {

using Number = Rounded;

// The errors of the long double reference and of Rounded's own double are far below this share of float's error.
inline constexpr long double kSlack = 1 + 0x1p-20L;
inline constexpr double kUnit = 0x1p-24;  // the largest relative error of one rounding to float

inline bool holds(float computed, long double exact, double bound) {
    return std::fabs(static_cast<long double>(computed) - exact) <= static_cast<long double>(bound) * kSlack;
}

inline Number exact(float x) {
    Number number;
    number.value = static_cast<double>(x);
    return number;
}

inline bool is_infinite(const Number& x) {
    return !std::isfinite(x.error) && !std::isfinite(x.any_order()) && !std::isfinite(x.variance);
}

// A float of random sign, digits and exponent from 2^low to 2^high.
inline float drawn(std::mt19937_64& random, int low, int high) {
    const int exponent = low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
    const float digits = 1 + static_cast<float>(random() >> 41) * 0x1p-23F;
    const float x = std::ldexp(digits, exponent);
    return random() % 2 == 0 ? x : -x;
}

// One number in three types.
struct Three {
    float computed = 0;
    Number rounded;
    long double exact = 0;
};

inline Three given(float x) {
    return {x, exact(x), static_cast<long double>(x)};
}

template <class Function>
Three map(const Function& f, const Three& a, const Three& b) {
    return {f(a.computed, b.computed), f(a.rounded, b.rounded), f(a.exact, b.exact)};
}

inline Three applied(unsigned which, const Three& a, const Three& b) {
    using std::exp, std::log, std::sqrt, std::tanh;
    switch (which) {
        case 0:
            return map([](auto x, auto y) { return x + y; }, a, b);
        case 1:
            return map([](auto x, auto y) { return x - y; }, a, b);
        case 2:
            return map([](auto x, auto y) { return x * y; }, a, b);
        case 3:
            return map([](auto x, auto y) { return x / y; }, a, b);
        case 4:
            return map([](auto x, auto y) { return x * x + y * y; }, a, b);
        case 5:
            return map([](auto x, auto) { return sqrt(x); }, a, b);
        case 6:
            return map([](auto x, auto) { return exp(x); }, a, b);
        case 7:
            return map([](auto x, auto) { return log(x); }, a, b);
        case 8:
            return map([](auto x, auto) { return tanh(x); }, a, b);
        default:
            return map([](auto x, auto) { return -x; }, a, b);
    }
}

}  // namespace byhand::test

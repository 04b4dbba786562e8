// Sums of products in every order that float may use, for the tests of Rounded.
#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "steps/rounded_numbers.h"

namespace byhand::test {

// Sums in several ways: in Rounded's order, and in every other order that is added.
struct Terms {
    std::vector<float> x, y;

    Number rounded() const {
        Number sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            sum += exact(x[i]) * exact(y[i]);
        }
        return sum;
    }
    long double exactly() const {
        long double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            sum += static_cast<long double>(x[i]) * static_cast<long double>(y[i]);
        }
        return sum;
    }
    float in_order() const {
        float sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            sum += x[i] * y[i];
        }
        return sum;
    }
    float with_fma() const {
        float sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            sum = std::fma(x[i], y[i], sum);
        }
        return sum;
    }
    float in_pairs(std::size_t begin, std::size_t end) const {
        if (end - begin == 1) {
            return x[begin] * y[begin];
        }
        const std::size_t middle = begin + (end - begin) / 2;
        return in_pairs(begin, middle) + in_pairs(middle, end);
    }
    float in_lanes(std::size_t lanes) const {
        std::vector<float> lane(lanes);
        for (std::size_t i = 0; i < x.size(); ++i) {
            lane[i % lanes] = std::fma(x[i], y[i], lane[i % lanes]);
        }
        float sum = 0;
        for (const float l : lane) {
            sum += l;
        }
        return sum;
    }
};

inline Terms terms(std::mt19937_64& random, std::size_t count, int low, int high, bool cancelling) {
    Terms t;
    for (std::size_t i = 0; i < count; ++i) {
        t.x.push_back(drawn(random, low, high));
        t.y.push_back(drawn(random, low, high));
        if (cancelling && i % 2 == 1) {
            t.x[i] = -t.x[i - 1];
            t.y[i] = t.y[i - 1] * (1 + 0x1p-20F);
        }
    }
    return t;
}

}  // namespace byhand::test

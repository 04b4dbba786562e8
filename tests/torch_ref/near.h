// Comparison of tensors in tests.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "byhand/view.h"

namespace near {

inline std::vector<double> values(const byhand::View& view) {
    std::vector<double> all;
    for (std::size_t i = 0; i < byhand::count(view.shape); ++i) {
        all.push_back(byhand::value_at(view, i));
    }
    return all;
}

inline const byhand::View& view(const std::vector<byhand::View>& views, const std::string& name) {
    const byhand::View* found = byhand::find(views, name);
    INFO(name);
    REQUIRE(found != nullptr);
    return *found;
}

inline std::vector<double> values(const std::vector<byhand::View>& views, const std::string& name) {
    return values(view(views, name));
}

// The largest difference as a share of `relative` · (the largest value of b) + `absolute`: they agree up to 1. A value
// that is not finite never agrees.
inline double distance(const std::vector<double>& a, const std::vector<double>& b, double relative, double absolute) {
    REQUIRE(a.size() == b.size());
    double largest = 0;
    double difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!std::isfinite(a[i]) || !std::isfinite(b[i])) {
            return HUGE_VAL;
        }
        largest = std::max(largest, std::fabs(b[i]));
        difference = std::max(difference, std::fabs(a[i] - b[i]));
    }
    return difference / (relative * largest + absolute);
}

inline void check(const std::string& name, const std::vector<double>& a, const std::vector<double>& b, double relative,
                  double absolute) {
    INFO(name);
    CHECK(distance(a, b, relative, absolute) <= 1);
}

}  // namespace near

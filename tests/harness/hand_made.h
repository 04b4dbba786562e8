// Networks of a few steps, and reference operations defined one by one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/reference_operations.h"
#include "harness/fake_implementation.h"
#include "steps/step.h"

namespace byhand::test {

class FakeReferenceOperations final : public ReferenceOperations {
public:
    using Evaluate = std::function<std::vector<double>(const std::vector<View>& values)>;

    FakeReferenceOperations& add(const std::string& name, std::vector<TensorSpec> reads, Evaluate exact) {
        known_[name] = {std::move(reads), std::move(exact)};
        return *this;
    }

    std::vector<std::string> names() const override {
        std::vector<std::string> all;
        for (const auto& [name, input] : known_) {
            all.push_back(name);
        }
        return all;
    }
    std::vector<TensorSpec> reads(const std::string& name) const override { return known_.at(name).first; }
    std::vector<double> evaluate(const std::string& name, const std::vector<View>& values) const override {
        return known_.at(name).second(values);
    }

private:
    std::map<std::string, std::pair<std::vector<TensorSpec>, Evaluate>> known_;
};

// The numbers of a view by name.
inline std::vector<double> numbers(const std::vector<View>& values, const std::string& name) {
    const View* view = find(values, name);
    if (view == nullptr) {
        throw std::out_of_range(name);
    }
    std::vector<double> all;
    for (std::size_t i = 0; i < count(view->shape); ++i) {
        all.push_back(value_at(*view, i));
    }
    return all;
}

// Each element through f.
inline FakeReferenceOperations::Evaluate element_by_element(const std::string& of, std::function<double(double)> f) {
    return [of, f = std::move(f)](const std::vector<View>& values) {
        std::vector<double> all = numbers(values, of);
        for (double& x : all) {
            x = f(x);
        }
        return all;
    };
}

// The function of a step that stands for an input.
template <class T>
void nothing(T*, const std::int64_t*) {}

// What steps do, in numbers of every kind.
template <class T>
void copy(T* y, const T* x, std::size_t elements) {
    std::copy_n(x, elements, y);
}
template <class T>
void times(T* y, const T* x, std::size_t elements, double factor) {
    for (std::size_t i = 0; i < elements; ++i) {
        y[i] = x[i] * T(factor);
    }
}
template <class T>
void square(T* y, const T* x, std::size_t elements) {
    for (std::size_t i = 0; i < elements; ++i) {
        y[i] = x[i] * x[i];
    }
}

// No steps yet.
inline Graph empty_network() {
    return {small_network(), 3, {}, {}, {}, {}};
}

}  // namespace byhand::test

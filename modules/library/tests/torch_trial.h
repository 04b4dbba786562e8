// Other people's kernels, by which the library's verdicts are measured: right ones in the formulations and orders of
// summation that people use, which must agree, and wrong ones with one mistake each, which must not.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "byhand/torch.h"
#include "campaign/orders.h"

namespace byhand::trial {

struct Trial {
    std::string kind, name;
    std::function<Report(std::uint64_t seed)> check;
    bool is_extra = false;  // for the long run only
};

std::vector<Trial> right_kernels();
std::vector<Trial> wrong_kernels();
// Right ones that are less accurate than the reference, which they must be said to be.
std::vector<Trial> amplifying_kernels();
// The kernels of wrong_kernels() without their mistakes: a part of right_kernels().
std::vector<Trial> controls();

// The orders of summation (campaign/orders.h) in which a right kernel is tried, if not in all.
inline constexpr int kTriedOrders[] = {0, 1, 2, 4, 6};

// The sum of n terms, in this order.
template <class T, class Term>
T ordered_sum(int order, std::size_t n, Term term) {
    return total<T>(n, term, order);
}

// A kernel in float and in double: the instances of a lambda that is a template on the type of numbers.
template <class F, class... P>
auto instance(F f, void (F::*)(P...) const) {
    return [f](P... parameters) { f(parameters...); };
}
template <class F>
Kernel in_both(const std::string& name, F f) {
    return kernel(name, instance(f, &F::template operator()<float>), instance(f, &F::template operator()<double>));
}

// y[i] = f(x[i]).
template <class F>
Kernel each(const std::string& name, F f) {
    return in_both(name, [f]<class T>(T* y, const T* x, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            y[i] = f(x[i]);
        }
    });
}

// f(y, x, c) for each row of x (n, c). The rows of the result have c numbers, or one.
enum class Per { element, row };
template <class F>
Kernel rows(const std::string& name, F f, Per per = Per::element) {
    return in_both(name, [f, per]<class T>(T* y, const T* x, std::size_t n, std::size_t c) {
        for (std::size_t i = 0; i < n; ++i) {
            f(y + i * (per == Per::row ? 1 : c), x + i * c, c);
        }
    });
}

// f(dx, dy, x, c) for each row.
template <class F>
Kernel rows_backward(const std::string& name, F f) {
    return in_both(name, [f]<class T>(T* dx, const T* dy, const T* x, std::size_t n, std::size_t c) {
        for (std::size_t i = 0; i < n * c; i += c) {
            f(dx + i, dy + i, x + i, c);
        }
    });
}

// Sizes that a kernel is given: the number of elements; or the numbers of rows along the last axis and of columns.
inline std::vector<std::size_t> elements(const std::vector<Shape>& inputs) {
    return {count(inputs[0])};
}
inline std::vector<std::size_t> rows_and_columns(const std::vector<Shape>& inputs) {
    return {count(inputs[0]) / inputs[0].back(), inputs[0].back()};
}

// The shapes of the inputs of one check; of the first one if the others have the same.
using Case = std::vector<Shape>;

// One trial for each case.
inline void add(std::vector<Trial>& list, const std::string& kind, const Kernel& kernel, const Expected& expected,
                const std::vector<Case>& cases, bool is_extra = false) {
    for (const Case& shapes : cases) {
        Expected of_case = expected;
        shapes.size() == 1 ? of_case.shapes({shapes[0]}) : of_case.shapes_of_all({shapes});
        list.push_back({kind, kernel.named.name + " " + to_string(shapes[0]),
                        [=](std::uint64_t seed) {
                            Expected seeded = of_case;
                            return check(kernel, seeded.seed(seed));
                        },
                        is_extra});
    }
}

}  // namespace byhand::trial

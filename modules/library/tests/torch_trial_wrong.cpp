// Kernels with one mistake each, and the same without (controls()).
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "library/tests/torch_trial.h"

namespace byhand::trial {
namespace {

std::string written(double x) {
    std::ostringstream text;
    text << x;
    return text.str();
}

// The interval in which a mistake shows.
struct Band {
    double low, high;

    template <class T>
    bool has(T x) const {
        return x > T(low) && x < T(high);
    }
    std::string text() const { return "(" + written(low) + ", " + written(high) + ")"; }
};

// Both lists are made by the same functions, which add either the mistakes or the kernels without them.
struct Lists {
    std::vector<Trial> trials;
    bool mistaken;

    // The variants of a kernel, `make(variant)`: the first is right.
    template <class Variants, class Make>
    void add(const std::string& kind, const Variants& variants, Make make, const Expected& expected,
             const std::vector<Case>& cases) {
        const auto second = std::begin(variants) + 1;
        for (auto v = mistaken ? second : std::begin(variants); v != (mistaken ? std::end(variants) : second); ++v) {
            trial::add(trials, mistaken ? kind : kind + ", without the mistake", make(*v), expected, cases);
        }
    }
};

// The softmax of a row. `factor(x[j] − max)` multiplies its exponential.
template <class T, class Factor>
void softmax_row(T* y, const T* x, std::size_t c, Factor factor) {
    const T top = *std::max_element(x, x + c);
    const auto term = [&](std::size_t j) { return factor(x[j] - top) * std::exp(x[j] - top); };
    const T sum = total<T>(c, term, 0);
    for (std::size_t j = 0; j < c; ++j) {
        y[j] = term(j) / sum;
    }
}

Expected softmax_of_rows() {
    return computes([](const at::Tensor& x) { return at::softmax(x, -1); }).sizes(rows_and_columns);
}

// A function that is 1 % off within a band of its argument.
void bands_of_softmax(Lists& lists) {
    const Band bands[] = {{0, 0}, {-5, -3}, {-8, -5}, {-12, -8}, {-16, -12}, {-30, -20}, {-50, -30}, {-81, -60}};
    const auto off = [](Band band) { return [band]<class T>(T x) { return band.has(x) ? T(1.01) : T(1); }; };
    lists.add("bands: exp 1 % off in softmax", bands,
              [&](Band band) {
                  return rows(
                      "softmax, exp off in " + band.text(),
                      [factor = off(band)]<class T>(T* y, const T* x, std::size_t c) { softmax_row(y, x, c, factor); });
              },
              softmax_of_rows(), {{{1, 128}}, {{7, 27}}, {{33, 100}}});
    lists.add("bands: exp 10 % off in softmax's backward pass", std::vector<Band>{{0, 0}, {-30, -3}},
              [&](Band band) {
                  return rows_backward("softmax backward, exp off in " + band.text(),
                                       [band]<class T>(T* dx, const T* dy, const T* x, std::size_t c) {
                                           softmax_row(dx, x, c, [&](T d) { return band.has(d) ? T(1.1) : T(1); });
                                           const T dot =
                                               ordered_sum<T>(0, c, [&](std::size_t j) { return dx[j] * dy[j]; });
                                           for (std::size_t j = 0; j < c; ++j) {
                                               dx[j] *= dy[j] - dot;
                                           }
                                       });
              },
              is_vjp_of([](const at::Tensor& x) { return at::softmax(x, -1); }).sizes(rows_and_columns),
              {{{1, 128}}, {{7, 27}}, {{33, 100}}});
}

// exp, tanh and softplus that are constant or linear beyond a limit.
void cut_functions(Lists& lists) {
    constexpr double kNone = std::numeric_limits<double>::infinity();
    const std::vector<double> limits = {kNone, 3, 5, 8, 12, 16, 20, 30}, of_tanh = {kNone, 3, 5, 8, 12, 16};
    const std::vector<Case> shapes = {{{27}}, {{33, 100}}};
    const std::string kind = "bands: functions cut beyond a limit";
    const auto named = [](const char* name, double limit) { return name + written(limit); };
    lists.add(
        kind, limits,
        [&](double limit) {
            return each(named("exp, 0 below −", limit),
                        [=]<class T>(T x) { return x < -T(limit) ? T(0) : std::exp(x); });
        },
        computes([](const at::Tensor& x) { return at::exp(x); }).sizes(elements), shapes);
    lists.add(
        kind, of_tanh,
        [&](double limit) {
            return each(named("tanh, 1 above ", limit),
                        [=]<class T>(T x) { return x > T(limit) ? T(1) : std::tanh(x); });
        },
        computes([](const at::Tensor& x) { return at::tanh(x); }).sizes(elements), shapes);
    const Expected softplus =
        computes([](const at::Tensor& x) { return x.clamp_min(0) + x.abs().neg().exp().log1p(); }).sizes(elements);
    const auto exact = []<class T>(T x) { return std::max(x, T(0)) + std::log1p(std::exp(-std::abs(x))); };
    lists.add(
        kind, limits,
        [&](double limit) {
            return each(named("softplus, x above ", limit), [=]<class T>(T x) { return x > T(limit) ? x : exact(x); });
        },
        softplus, shapes);
    lists.add(
        kind, limits,
        [&](double limit) {
            return each(named("softplus, 0 below −", limit),
                        [=]<class T>(T x) { return x < -T(limit) ? T(0) : exact(x); });
        },
        softplus, shapes);
    lists.add(
        "bands: tanh 1 % off above a limit", std::vector<double>{kNone, 20, 30, 50},
        [&](double limit) {
            return each(named("tanh, off above ", limit),
                        [=]<class T>(T x) { return std::tanh(x) * (x > T(limit) ? T(1.01) : T(1)); });
        },
        computes([](const at::Tensor& x) { return at::tanh(x); }).sizes(elements), shapes);
}

void bands_of_terms_and_gains(Lists& lists) {
    lists.add("bands: log-sum-exp drops small terms", std::vector<double>{-1e300, -3, -8, -20, -30},
              [](double least) {
                  return rows(
                      "log-sum-exp without terms below " + written(least),
                      [=]<class T>(T* y, const T* x, std::size_t c) {
                          const T top = *std::max_element(x, x + c);
                          const auto term = [&](std::size_t j) {
                              return x[j] - top < T(least) ? T(0) : std::exp(x[j] - top);
                          };
                          *y = top + std::log(total<T>(c, term, 0));
                      },
                      Per::row);
              },
              computes([](const at::Tensor& x) { return at::logsumexp(x, -1); }).sizes(rows_and_columns),
              {{{1, 128}}, {{7, 27}}, {{33, 100}}});
    lists.add("bands: a factor 1.01 for some gains",
              std::vector<Band>{{0, 0}, {2, 4}, {0.25, 0.5}, {8, 16}, {100, 128}},
              [](Band band) {
                  return in_both("gain off in " + band.text(),
                                 [=]<class T>(T* y, const T* x, const T* gain, std::size_t n, std::size_t c) {
                                     for (std::size_t i = 0; i < n * c; ++i) {
                                         y[i] = x[i] * gain[i % c] * (band.has(gain[i % c]) ? T(1.01) : T(1));
                                     }
                                 });
              },
              computes([](const at::Tensor& x, const at::Tensor& gain) { return x * gain; }).inputs({"x", "gain"}),
              {{{1, 5}, {5}}, {{7, 27}, {27}}, {{33, 100}, {100}}});
}

// Reductions along one axis: x is (outer, c, inner).
enum class Reduction { softmax, max, log_sum_exp };

std::vector<std::size_t> about_axis(const Shape& shape, std::size_t axis) {
    const auto at = shape.begin() + static_cast<std::ptrdiff_t>(axis);
    return {count({shape.begin(), at}), *at, count({at + 1, shape.end()})};
}

// The largest of a row starts at `start`, unless that is NaN. `off(row)` multiplies the result of softmax.
template <class T, class Off>
void reduce_row(Reduction reduction, T* y, const std::vector<T>& x, std::size_t stride, T start, Off off) {
    T top = std::isnan(start) ? x[0] : start;
    for (const T value : x) {
        top = std::max(top, value);
    }
    const T sum = ordered_sum<T>(0, x.size(), [&](std::size_t j) { return std::exp(x[j] - top); });
    if (reduction != Reduction::softmax) {
        *y = reduction == Reduction::max ? top : top + std::log(sum);
        return;
    }
    const T factor = off(x) ? T(1.01) : T(1);
    for (std::size_t j = 0; j < x.size(); ++j) {
        y[j * stride] = std::exp(x[j] - top) / sum * factor;
    }
}

template <class Off>
Kernel reduction_kernel(const std::string& name, Reduction reduction, double start, Off off) {
    return in_both(name, [=]<class T>(T* y, const T* x, std::size_t outer, std::size_t c, std::size_t inner) {
        for (std::size_t i = 0; i < outer * inner; ++i) {
            const std::size_t first = i / inner * c * inner + i % inner;
            std::vector<T> row(c);
            for (std::size_t j = 0; j < c; ++j) {
                row[j] = x[first + j * inner];
            }
            reduce_row(reduction, y + (reduction == Reduction::softmax ? first : i), row, inner, T(start), off);
        }
    });
}

Expected reduction_along(Reduction reduction, std::int64_t axis) {
    return computes([=](const at::Tensor& x) {
               return reduction == Reduction::softmax ? at::softmax(x, axis)
                      : reduction == Reduction::max   ? x.amax(axis)
                                                      : at::logsumexp(x, axis);
           })
        .sizes([=](const std::vector<Shape>& in) {
            return about_axis(in[0], axis < 0 ? in[0].size() - 1 : static_cast<std::size_t>(axis));
        });
}

enum class Row { none, equal, one_hot, zero };

template <class T>
bool is(Row kind, const std::vector<T>& x) {
    const auto zeros = static_cast<std::size_t>(std::ranges::count(x, T(0)));
    const bool equal = std::ranges::count(x, x[0]) == static_cast<std::ptrdiff_t>(x.size());
    return (kind == Row::equal && equal) || (kind == Row::zero && zeros == x.size()) ||
           (kind == Row::one_hot && zeros + 1 == x.size());
}

void special_rows(Lists& lists) {
    const std::vector<Case> last = {{{27}}, {{2, 3, 7}}, {{1, 128}}, {{4, 1000}}, {{7, 27}}, {{2, 4, 5, 6}}};
    const std::vector<double> starts = {std::nan(""), 0, static_cast<double>(std::numeric_limits<float>::min())};
    const auto never = [](const auto& /*row*/) { return false; };
    const std::pair<Reduction, std::string> reductions[] = {
        {Reduction::softmax, "softmax"}, {Reduction::max, "max"}, {Reduction::log_sum_exp, "log-sum-exp"}};
    for (const std::int64_t axis : {-1, 1}) {
        const std::vector<Case> cases = axis < 0 ? last : std::vector<Case>{{{2, 9, 5}}};
        const std::string along = axis < 0 ? "" : " along axis 1";
        for (const auto& [reduction, name] : reductions) {
            const auto make = [&, r = reduction, n = name](double start) {
                return reduction_kernel(n + along + ", max from " + written(start), r, start, never);
            };
            lists.add("rows: the maximum starts at 0 or FLT_MIN", starts, make, reduction_along(reduction, axis),
                      cases);
        }
        lists.add(
            "rows: 1 % off on equal, one-hot or zero rows",
            std::vector<Row>{Row::none, Row::equal, Row::one_hot, Row::zero},
            [&](Row kind) {
                const char* names[] = {"none", "equal", "one-hot", "zero"};
                return reduction_kernel("softmax" + along + ", off on rows: " + names[static_cast<int>(kind)],
                                        Reduction::softmax, std::nan(""),
                                        [=](const auto& row) { return is(kind, row); });
            },
            reduction_along(Reduction::softmax, axis), cases);
    }
}

// Mistakes that show at some sizes only; the shapes are small. Each kernel loses what lies beyond `limit`.
void limited_rows(Lists& lists) {
    constexpr std::size_t kNever = std::size_t{1} << 40;
    lists.add("sizes: from 1024 on", std::vector<std::size_t>{kNever, 1024},
              [](std::size_t limit) {
                  return rows("prefix sum, carry lost", [=]<class T>(T* y, const T* x, std::size_t c) {
                      for (std::size_t j = 0; j < c; ++j) {
                          y[j] = x[j] + (j % limit == 0 ? T(0) : y[j - 1]);
                      }
                  });
              },
              computes([](const at::Tensor& x) { return at::cumsum(x, 1); }), {{{3, 7}}, {{2, 33}}});
    lists.add("sizes: from 1024 on", std::vector<std::size_t>{kNever, 1024},
              [](std::size_t limit) {
                  return in_both("column sum, rows lost", [=]<class T>(T* y, const T* x, std::size_t n, std::size_t c) {
                      for (std::size_t j = 0; j < c; ++j) {
                          y[j] = total<T>(
                              n % 8 == 0 ? n : std::min(n, limit), [&](std::size_t i) { return x[i * c + j]; }, 0);
                      }
                  });
              },
              computes([](const at::Tensor& x) { return x.sum(0); }), {{{3, 7}}, {{9, 5}}});
    lists.add("sizes: from 1024 on", std::vector<std::size_t>{kNever, 1024},
              [](std::size_t limit) {
                  return rows("layer norm, columns ignored", [=]<class T>(T* y, const T* x, std::size_t c) {
                      const std::size_t summed = std::min(c, limit);
                      const T mean = ordered_sum<T>(0, summed, [&](std::size_t j) { return x[j]; }) / T(summed);
                      const auto square = [&](std::size_t j) { return (x[j] - mean) * (x[j] - mean); };
                      const T inverse = 1 / std::sqrt(total<T>(summed, square, 0) / T(summed) + T(1e-5));
                      for (std::size_t j = 0; j < c; ++j) {
                          y[j] = (x[j] - mean) * inverse;
                      }
                  });
              },
              computes([](const at::Tensor& x) { return at::layer_norm(x, {x.size(1)}); }), {{{7, 27}}, {{3, 64}}});
    lists.add("sizes: a tail beyond a multiple of 4", std::vector<std::size_t>{1, 4},
              [](std::size_t step) {
                  return rows(
                      "sum of a row, tail lost",
                      [=]<class T>(T* y, const T* x, std::size_t c) {
                          *y = ordered_sum<T>(0, c - c % step, [&](std::size_t j) { return x[j]; });
                      },
                      Per::row);
              },
              computes([](const at::Tensor& x) { return x.sum(1); }), {{{7, 27}}, {{2, 64}}});
}

enum class Border { clamped, wrapped, extrapolated };

// Bilinear upsampling by 4 in one direction: element i of the result lies at (i + ½)/4 − ½.
template <class T>
T upsampled(Border border, const T* x, std::size_t n, std::size_t i) {
    const T at = (T(i) + T(0.5)) / T(4) - T(0.5), inside = border == Border::clamped ? std::max(at, T(0)) : at;
    auto low = static_cast<std::ptrdiff_t>(std::floor(inside));
    if (border == Border::extrapolated && low < 0) {
        low = 0;
    }
    const T weight = inside - T(low);
    const auto size = static_cast<std::ptrdiff_t>(n);
    const auto index = [&](std::ptrdiff_t j) {
        return border == Border::wrapped ? (j + size) % size : std::clamp<std::ptrdiff_t>(j, 0, size - 1);
    };
    return (1 - weight) * x[index(low)] + weight * x[index(low + 1)];
}

void borders(Lists& lists) {
    lists.add("sizes: borders when upsampling by 4",
              std::vector<Border>{Border::clamped, Border::wrapped, Border::extrapolated},
              [](Border border) {
                  return in_both(
                      std::string("upsampling, border ") + (border == Border::wrapped ? "wrapped" : "extrapolated"),
                      [=]<class T>(T* y, const T* x, std::size_t n, std::size_t c, std::size_t w) {
                          for (std::size_t i = 0; i < n * c * 4 * w; ++i) {
                              y[i] = upsampled(border, x + i / (4 * w) * w, w, i % (4 * w));
                          }
                      });
              },
              computes([](const at::Tensor& x) { return at::upsample_linear1d(x, {4 * x.size(2)}, false); }),
              {{{1, 2, 1}}, {{2, 3, 5}}, {{1, 1, 64}}});
}

// What a function decides at ties, steps and limits.
void quantising(Lists& lists) {
    lists.add("decisions: quantising", std::vector<int>{0, 1, 2, 3, 4},
              [](int variant) {
                  const char* names[] = {"right", "half away from zero", "floor(x + 0.5)", "no clamp", "clamp to −128"};
                  return each(std::string("quantise, ") + names[variant], [=]<class T>(T x) {
                      const T rounded = variant == 1   ? std::round(x)
                                        : variant == 2 ? std::floor(x + T(0.5))
                                                       : std::nearbyint(x);
                      return variant == 3 ? rounded : std::clamp(rounded, variant == 4 ? T(-128) : T(-127), T(127));
                  });
              },
              computes([](const at::Tensor& x) { return at::round(x).clamp(-127, 127); }).sizes(elements),
              {{{7}}, {{33, 100}}});
}

// The slope is 1 in (low, high), and at the ends if they are included.
struct Slope {
    const char* name;
    double low, high;
    bool with_low, with_high;
};

Kernel slope_kernel(const Slope& slope) {
    return in_both(slope.name, [slope]<class T>(T* dx, const T* dy, const T* x, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) {
            const bool inside = x[i] > T(slope.low) && x[i] < T(slope.high);
            const bool end = (slope.with_low && x[i] == T(slope.low)) || (slope.with_high && x[i] == T(slope.high));
            dx[i] = inside || end ? dy[i] : T(0);
        }
    });
}

void kinks(Lists& lists) {
    const std::vector<Case> shapes = {{{7}}, {{33, 100}}};
    lists.add("decisions: slopes at kinks",
              std::vector<Slope>{{"relu6 backward", 0, 6, false, false},
                                 {"relu6 backward, slope at 6", 0, 6, false, true},
                                 {"relu6 backward, slope at 0", 0, 6, true, false},
                                 {"relu6 backward, none from 5.9", 0, 5.9, false, false}},
              slope_kernel, is_vjp_of([](const at::Tensor& x) { return at::hardtanh(x, 0, 6); }).sizes(elements),
              shapes);
    lists.add("decisions: slopes at kinks",
              std::vector<Slope>{{"hardtanh backward", -1, 1, false, false},
                                 {"hardtanh backward, slope at ±1", -1, 1, true, true},
                                 {"hardtanh backward, none below −0.9", -0.9, 1, false, false}},
              slope_kernel, is_vjp_of([](const at::Tensor& x) { return at::hardtanh(x); }).sizes(elements), shapes);
    lists.add(
        "decisions: > or ≥", std::vector<int>{0, 1, 2},
        [](int variant) {
            return each(variant == 1 ? "threshold, ≥" : "threshold, from 0.55", [=]<class T>(T x) {
                return (variant == 1 ? x >= T(0.5) : x > (variant == 2 ? T(0.55) : T(0.5))) ? x : T(7);
            });
        },
        computes([](const at::Tensor& x) { return at::threshold(x, 0.5, 7); }).sizes(elements), shapes);
    lists.add(
        "decisions: > or ≥", std::vector<int>{0, 1},
        [](int variant) {
            return each("count above 3, ≥", [=]<class T>(T x) { return T(x > 3 || (variant == 1 && x == 3) ? 1 : 0); });
        },
        computes([](const at::Tensor& x) { return x.gt(3).to(x.scalar_type()); }).sizes(elements), shapes);
    lists.add(
        "decisions: clipped too early", std::vector<double>{6, 5.9},
        [](double high) {
            return each("relu6, clipped at 5.9", [=]<class T>(T x) { return x > T(high) ? T(6) : std::max(x, T(0)); });
        },
        computes([](const at::Tensor& x) { return at::hardtanh(x, 0, 6); }).sizes(elements), shapes);
}

void not_finite(Lists& lists) {
    lists.add("not finite: the mean of nothing", std::vector<bool>{false, true},
              [](bool zero) {
                  return in_both(
                      "masked mean, 0 for NaN", [=]<class T>(T* y, const T* x, const std::int64_t* m, std::size_t n) {
                          const T kept = ordered_sum<T>(0, n, [&](std::size_t i) { return T(m[i]); });
                          const T sum = ordered_sum<T>(0, n, [&](std::size_t i) { return m[i] != 0 ? x[i] : T(0); });
                          *y = zero && kept == T(0) ? T(0) : sum / kept;
                      });
              },
              computes([](const at::Tensor& x, const at::Tensor& m) { return (x * m).sum() / m.sum(); })
                  .inputs({"x", "m"})
                  .integers("m", 0, 1)
                  .sizes(elements),
              {{{7}}, {{33}}});
    const auto lose_sign = []<class T>(bool lost, T x) { return lost ? x + T(0) : x; };
    lists.add("zero's sign: copies", std::vector<bool>{false, true},
              [&](bool lost) {
                  return rows("flip, +0 for −0", [=]<class T>(T* y, const T* x, std::size_t c) {
                      for (std::size_t j = 0; j < c; ++j) {
                          y[j] = lose_sign(lost, x[c - 1 - j]);
                      }
                  });
              },
              computes([](const at::Tensor& x) { return x.flip(1); }), {{{7, 27}}, {{33, 100}}});
    lists.add("zero's sign: copies", std::vector<bool>{false, true},
              [&](bool lost) {
                  return in_both("transpose, +0 for −0", [=]<class T>(T* y, const T* x, std::size_t n, std::size_t c) {
                      for (std::size_t i = 0; i < n * c; ++i) {
                          y[i % c * n + i / c] = lose_sign(lost, x[i]);
                      }
                  });
              },
              computes([](const at::Tensor& x) { return x.t().contiguous(); }), {{{7, 27}}, {{33, 100}}});
}

std::vector<Trial> made(bool mistaken) {
    Lists lists{.trials = {}, .mistaken = mistaken};
    bands_of_softmax(lists);
    cut_functions(lists);
    bands_of_terms_and_gains(lists);
    special_rows(lists);
    limited_rows(lists);
    borders(lists);
    quantising(lists);
    kinks(lists);
    not_finite(lists);
    return lists.trials;
}

}  // namespace

std::vector<Trial> wrong_kernels() {
    return made(true);
}

std::vector<Trial> controls() {
    return made(false);
}

}  // namespace byhand::trial

// Right optimizers, activations, interpolations and convolutions.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "library/tests/torch_trial_right.h"

namespace byhand::trial {

namespace {

// Adam's tenth step.
constexpr double kRate = 1e-3, kBeta1 = 0.9, kBeta2 = 0.999, kTiny = 1e-8;
const double kFirst = 1 - std::pow(kBeta1, 10), kSecond = 1 - std::pow(kBeta2, 10);
enum class Adam { of_article, of_pytorch, folded, by_lerp };

template <class T>
T adam_step(Adam form, T p, T g, T m, T v) {
    m = form == Adam::by_lerp ? m + T(1 - kBeta1) * (g - m) : T(kBeta1) * m + T(1 - kBeta1) * g;
    v = T(kBeta2) * v + T(1 - kBeta2) * g * g;
    if (form == Adam::of_article) {
        return p - T(kRate) * (m / T(kFirst)) / (std::sqrt(v / T(kSecond)) + T(kTiny));
    }
    if (form == Adam::folded) {
        return p - T(kRate * std::sqrt(kSecond) / kFirst) * m / (std::sqrt(v) + T(kTiny * std::sqrt(kSecond)));
    }
    return p - T(kRate / kFirst) * (m / (std::sqrt(v) / T(std::sqrt(kSecond)) + T(kTiny)));
}

}  // namespace

void adam(List& list) {
    const auto right = [](const Tensor& p, const Tensor& g, const Tensor& m, const Tensor& v) {
        const Tensor next_m = kBeta1 * m + (1 - kBeta1) * g, next_v = kBeta2 * v + (1 - kBeta2) * g * g;
        return p - kRate * (next_m / kFirst) / (at::sqrt(next_v / kSecond) + kTiny);
    };
    const char* names[] = {"of the article", "of PyTorch", "folded step size", "m by lerp"};
    for (const Adam form : {Adam::of_article, Adam::of_pytorch, Adam::folded, Adam::by_lerp}) {
        const Kernel step =
            in_both(names[static_cast<int>(form)],
                    [form]<class T>(T* y, const T* p, const T* g, const T* m, const T* v, std::size_t n) {
                        for (std::size_t i = 0; i < n; ++i) {
                            y[i] = adam_step(form, p[i], g[i], m[i], v[i]);
                        }
                    });
        const Expected expected = computes(right).inputs({"p", "g", "m", "v"}).sizes(elements);
        for (const double most : {100.0, 1e12}) {
            add(list, most > 100 ? "Adam, v ≤ 1e12" : "Adam, v ≤ 100", step, Expected(expected).range("v", 0, most),
                {{{7}}, {{33}}, {{10, 100}}});
        }
    }
}

void activations(List& list) {
    const std::vector<Case> shapes = {{{7}}, {{27}}, {{33, 100}}};
    const auto of = [&](const char* kind, const Kernel& kernel, Tensor (*f)(const Tensor&)) {
        add(list, kind, kernel, computes([f](const Tensor& x) { return f(x); }).sizes(elements), shapes);
    };
    const auto sigmoid = []<class T>(T x) { return 1 / (1 + std::exp(-x)); };
    const auto cubic = []<class T>(T x) { return T(0.79788456080286536) * (x + T(0.044715) * x * x * x); };
    const auto of_tanh = [](const Tensor& x) { return at::gelu(x, "tanh"); };
    of("ELU, SELU, CELU by expm1", each("ELU", []<class T>(T x) { return x > 0 ? x : std::expm1(x); }),
       [](const Tensor& x) { return at::elu(x); });
    of("ELU, SELU, CELU by expm1",
       each("SELU",
            []<class T>(T x) { return T(1.0507009873554805) * (x > 0 ? x : T(1.6732632423543772) * std::expm1(x)); }),
       [](const Tensor& x) { return at::selu(x); });
    of("ELU, SELU, CELU by expm1",
       each("CELU, alpha 2", []<class T>(T x) { return std::max(x, T(0)) + std::min(T(0), 2 * std::expm1(x / 2)); }),
       [](const Tensor& x) { return at::celu(x, 2); });
    of("softplus by log1p",
       each("max(x, 0) + log1p(exp(−|x|))",
            []<class T>(T x) { return std::max(x, T(0)) + std::log1p(std::exp(-std::abs(x))); }),
       [](const Tensor& x) { return at::logaddexp(x, at::zeros_like(x)); });
    of("SiLU", each("x/(1 + exp(−x))", []<class T>(T x) { return x / (1 + std::exp(-x)); }),
       [](const Tensor& x) { return at::silu(x); });
    of("SiLU", each("x·sigmoid(x)", [=]<class T>(T x) { return x * sigmoid(x); }),
       [](const Tensor& x) { return at::silu(x); });
    of("GELU", each("erf", []<class T>(T x) { return T(0.5) * x * (1 + std::erf(x * T(0.70710678118654752))); }),
       [](const Tensor& x) { return at::gelu(x); });
    of("GELU", each("erfc", []<class T>(T x) { return T(0.5) * x * std::erfc(-x * T(0.70710678118654752)); }),
       [](const Tensor& x) { return at::gelu(x); });
    of("GELU", each("tanh", [=]<class T>(T x) { return T(0.5) * x * (1 + std::tanh(cubic(x))); }), of_tanh);
    of("GELU", each("tanh by sigmoid", [=]<class T>(T x) { return x * sigmoid(2 * cubic(x)); }), of_tanh);
}

namespace {

// Bilinear upsampling: element i of the result lies at (i + ½)/factor − ½, between `low` and the next one.
template <class T>
struct Source {
    std::size_t low, high;
    T weight;  // of high

    Source(std::size_t i, std::size_t n, std::size_t factor) {
        const T at = std::max((T(i) + T(0.5)) * (T(1) / T(factor)) - T(0.5), T(0));
        low = std::min(static_cast<std::size_t>(at), n - 1);
        high = std::min(low + 1, n - 1);
        weight = at - T(low);
    }
};

// visit(i, j, w): element i of the results depends on element j of the inputs with the weight w. The planes are (h, w).
template <class T, class Visit>
void for_each_weight(std::size_t planes, std::size_t h, std::size_t w, std::size_t factor, Visit visit) {
    for (std::size_t i = 0; i < planes * h * w * factor * factor; ++i) {
        const Source<T> column(i % (w * factor), w, factor), row(i / (w * factor) % (h * factor), h, factor);
        const std::size_t plane = i / (w * factor * h * factor) * h * w;
        visit(i, plane + row.low * w + column.low, (1 - row.weight) * (1 - column.weight));
        visit(i, plane + row.low * w + column.high, (1 - row.weight) * column.weight);
        visit(i, plane + row.high * w + column.low, row.weight * (1 - column.weight));
        visit(i, plane + row.high * w + column.high, row.weight * column.weight);
    }
}

std::vector<std::size_t> planes(const std::vector<Shape>& in) {
    return {in[0][0] * in[0][1], in[0][2], in[0][3]};
}

}  // namespace

void images(List& list) {
    for (const std::size_t factor : {2, 3}) {
        const auto upsampled = [f = static_cast<std::int64_t>(factor)](const Tensor& x) {
            return at::upsample_bilinear2d(x, {f * x.size(2), f * x.size(3)}, false);
        };
        const std::string name = "factor " + std::to_string(factor);
        const std::vector<Case> cases = {{{1, 1, 2, 3}}, {{2, 3, 5, 7}}, {{1, 2, 16, 16}}};
        add(list, "bilinear upsampling",
            in_both(name,
                    [factor]<class T>(T* y, const T* x, std::size_t n, std::size_t h, std::size_t w) {
                        std::fill(y, y + n * h * w * factor * factor, T(0));
                        for_each_weight<T>(n, h, w, factor,
                                           [&](std::size_t i, std::size_t j, T weight) { y[i] += weight * x[j]; });
                    }),
            computes(upsampled).sizes(planes), cases);
        add(list, "bilinear upsampling backward",
            in_both(name,
                    [factor]<class T>(T* dx, const T* dy, std::size_t n, std::size_t h, std::size_t w) {
                        std::fill(dx, dx + n * h * w, T(0));
                        for_each_weight<T>(n, h, w, factor,
                                           [&](std::size_t i, std::size_t j, T weight) { dx[j] += weight * dy[i]; });
                    }),
            is_vjp_of(upsampled).reads({"dy"}).sizes(planes), cases);
    }
    const auto max_pool = [](const Tensor& x) { return at::max_pool2d(x, 2); };
    add(list, "max-pool",
        in_both("2×2",
                []<class T>(T* y, const T* x, std::size_t n, std::size_t h, std::size_t w) {
                    for (std::size_t i = 0; i < n * (h / 2) * (w / 2); ++i) {
                        const std::size_t column = i % (w / 2), row = i / (w / 2) % (h / 2),
                                          plane = i / (w / 2) / (h / 2);
                        const T* first = x + (plane * h + 2 * row) * w + 2 * column;
                        y[i] = std::max(std::max(first[0], first[1]), std::max(first[w], first[w + 1]));
                    }
                }),
        computes(max_pool).sizes(planes), {{{1, 1, 2, 2}}, {{2, 3, 5, 7}}, {{1, 2, 16, 16}}});
}

void convolutions(List& list) {
    const auto shape_of_result = [](const std::vector<Shape>& in) {
        return Shape{in[0][0], in[1][0], in[0][2] * in[0][3], in[0][1]};
    };
    in_orders(list, "convolution's bias gradient", "sum of dy",
              [](const std::string& name, int order) {
                  return in_both(name, [order]<class T>(T* db, const T* dy, std::size_t n, std::size_t m,
                                                        std::size_t pixels, std::size_t /*channels*/) {
                      for (std::size_t j = 0; j < m; ++j) {
                          const auto term = [&](std::size_t i) {
                              return dy[(i / pixels * m + j) * pixels + i % pixels];
                          };
                          db[j] = total<T>(n * pixels, term, order);
                      }
                  });
              },
              is_vjp_of([](const Tensor& x, const Tensor& W, const Tensor& b) { return at::conv2d(x, W, b, 1, 1); })
                  .inputs({"x", "W", "b"})
                  .wrt(2)
                  .reads({"dy"})
                  .sizes(shape_of_result),
              {{{2, 1, 5, 7}, {3, 1, 3, 3}, {3}}, {{4, 3, 16, 16}, {6, 3, 3, 3}, {6}}});
    in_orders(list, "1×1 convolution", "sum over channels",
              [](const std::string& name, int order) {
                  return in_both(name, [order]<class T>(T* y, const T* x, const T* W, std::size_t n, std::size_t m,
                                                        std::size_t pixels, std::size_t channels) {
                      for (std::size_t i = 0; i < n * m * pixels; ++i) {
                          const T *in = x + i / (m * pixels) * channels * pixels + i % pixels,
                                  *w = W + i / pixels % m * channels;
                          y[i] = ordered_sum<T>(order, channels, [&](std::size_t l) { return in[l * pixels] * w[l]; });
                      }
                  });
              },
              computes([](const Tensor& x, const Tensor& W) { return at::conv2d(x, W); })
                  .inputs({"x", "W"})
                  .sizes(shape_of_result),
              {{{2, 5, 3, 3}, {4, 5, 1, 1}}, {{1, 512, 4, 4}, {8, 512, 1, 1}}});
}

}  // namespace byhand::trial

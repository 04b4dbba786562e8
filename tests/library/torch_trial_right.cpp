// Right kernels, in the formulations and orders of summation that people use.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "library/torch_trial.h"

namespace byhand::trial {
namespace {

using List = std::vector<Trial>;
using at::Tensor;

constexpr double kEpsilon = 1e-5;
const std::vector<Case> kRows = {{{1, 3}}, {{7, 27}}, {{33, 100}}};

std::string named(const std::string& name, int order) {
    return name + ", order " + std::to_string(order);
}

// One trial for each order and case. `make(name, order)` makes the kernel.
template <class Make>
void in_orders(List& list, const std::string& kind, const std::string& name, Make make, const Expected& expected,
               const std::vector<Case>& cases) {
    for (const int order : kTriedOrders) {
        add(list, kind, make(named(name, order), order), expected, cases);
    }
}

template <class T>
T largest(const T* x, std::size_t n) {
    return *std::max_element(x, x + n);
}

// Σ exp(x[j] − top).
template <class T>
T sum_of_exp(const T* x, std::size_t n, T top, int order) {
    return total<T>(n, [&](std::size_t j) { return std::exp(x[j] - top); }, order);
}
template <class T>
void softmax_row(T* y, const T* x, std::size_t n, int order) {
    const T top = largest(x, n), sum = sum_of_exp(x, n, top, order);
    for (std::size_t j = 0; j < n; ++j) {
        y[j] = std::exp(x[j] - top) / sum;
    }
}
template <class T>
T dot(const T* a, const T* b, std::size_t n, int order) {
    return total<T>(n, [&](std::size_t j) { return a[j] * b[j]; }, order);
}

void sums(List& list) {
    in_orders(list, "sum of all elements", "sum",
              [](const std::string& name, int order) {
                  return in_both(name, [order]<class T>(T* y, const T* x, std::size_t n) {
                      *y = total<T>(n, [&](std::size_t i) { return x[i]; }, order);
                  });
              },
              computes([](const Tensor& x) { return x.sum(); }).sizes(elements),
              {{{100, 100}}, {{32, 32, 32}}, {{300, 300}}});
    const auto of_columns = [](bool mean) {
        return [mean](const std::string& name, int order) {
            return in_both(name, [=]<class T>(T* y, const T* x, std::size_t n, std::size_t c) {
                for (std::size_t j = 0; j < c; ++j) {
                    y[j] = total<T>(n, [&](std::size_t i) { return x[i * c + j]; }, order) / T(mean ? n : 1);
                }
            });
        };
    };
    in_orders(list, "mean over axis 0", "mean", of_columns(true), computes([](const Tensor& x) { return x.mean(0); }),
              {{{7, 3}}, {{1031, 7}}});
    const auto in_place = [](const Tensor& x) {
        Tensor y = at::zeros_like(x[0]);
        for (std::int64_t i = 0; i < x.size(0); ++i) {
            y.add_(x[i]);
        }
        return y;
    };
    in_orders(list, "the reference adds in place", "column sum", of_columns(false), computes(in_place),
              {{{7, 27}}, {{100, 33}}});
    in_orders(list, "matrix product", "x·W",
              [](const std::string& name, int order) {
                  return in_both(
                      name, [=]<class T>(T* y, const T* x, const T* W, std::size_t n, std::size_t k, std::size_t m) {
                          for (std::size_t i = 0; i < n * m; ++i) {
                              const auto term = [&](std::size_t l) { return x[i / m * k + l] * W[l * m + i % m]; };
                              y[i] = total<T>(k, term, order);
                          }
                      });
              },
              computes([](const Tensor& x, const Tensor& W) { return at::matmul(x, W); })
                  .inputs({"x", "W"})
                  .sizes([](const std::vector<Shape>& in) { return Shape{in[0][0], in[0][1], in[1][1]}; }),
              {{{3, 5}, {5, 2}}, {{7, 33}, {33, 9}}, {{7, 300}, {300, 5}}});
    // y[j] = carry + the sum since the block's first element.
    for (const std::size_t block : {1, 8}) {
        const auto row = [block]<class T>(T* y, const T* x, std::size_t c) {
            T carry = 0, since = 0;
            for (std::size_t j = 0; j < c; ++j) {
                since += x[j];
                y[j] = carry + since;
                if (j % block == block - 1) {
                    carry = y[j];
                    since = 0;
                }
            }
        };
        add(list, "prefix sum", rows("cumsum, blocks of " + std::to_string(block), row),
            computes([](const Tensor& x) { return at::cumsum(x, 1); }), kRows);
    }
}

void softmaxes(List& list) {
    const Expected softmax = computes([](const Tensor& x) { return at::softmax(x, 1); });
    in_orders(
        list, "softmax", "max, exp, sum",
        [](const std::string& name, int order) {
            return rows(name, [order]<class T>(T* y, const T* x, std::size_t c) { softmax_row(y, x, c, order); });
        },
        softmax, kRows);
    // FlashAttention's form, whose max·log2(e) is rounded: right for moderate numbers only.
    const auto by_exp2 = [](const std::string& name, int order) {
        return rows(name, [order]<class T>(T* y, const T* x, std::size_t c) {
            const T log2e = T(1.4426950408889634), top = largest(x, c) * log2e;
            const auto term = [&](std::size_t j) { return std::exp2(std::fma(x[j], log2e, -top)); };
            const T sum = total<T>(c, term, order);
            for (std::size_t j = 0; j < c; ++j) {
                y[j] = term(j) / sum;
            }
        });
    };
    in_orders(list, "softmax by exp2(fma), |x| ≤ 30", "exp2(fma)", by_exp2, Expected(softmax).range("x", -30, 30),
              kRows);
    in_orders(list, "softmax by exp2(fma), any x (inexact beyond 1e5)", "exp2(fma)", by_exp2, softmax, kRows);

    const Expected backward = is_vjp_of([](const Tensor& x) { return at::softmax(x, 1); });
    for (const bool factored : {true, false}) {
        const auto row = [factored](int order) {
            return [=]<class T>(T* dx, const T* dy, const T* y, std::size_t c) {
                const T sum = dot(dy, y, c, order);
                for (std::size_t j = 0; j < c; ++j) {
                    dx[j] = factored ? y[j] * (dy[j] - sum) : y[j] * dy[j] - y[j] * sum;
                }
            };
        };
        const std::string form = factored ? "y·(dy − dot)" : "y·dy − y·dot";
        in_orders(
            list, "softmax backward from y", form,
            [&](const std::string& name, int order) { return rows_backward(name, row(order)); },
            Expected(backward).reads({"dy", "y"}), kRows);
        in_orders(
            list, "softmax backward from x", form,
            [&](const std::string& name, int order) {
                return rows_backward(name, [=]<class T>(T* dx, const T* dy, const T* x, std::size_t c) {
                    std::vector<T> y(c);
                    softmax_row(y.data(), x, c, order);
                    row(order)(dx, dy, y.data(), c);
                });
            },
            backward, kRows);
    }
    // A gate: softmax over the two largest, the others 0.
    const auto gate = [](const Tensor& x) {
        const auto [values, chosen] = x.topk(2, 1);
        return at::zeros_like(x).scatter(1, chosen, at::softmax(values, 1));
    };
    in_orders(list, "top-2 gate backward from y", "y·(dy − dot)",
              [](const std::string& name, int order) {
                  return rows_backward(name, [order]<class T>(T* dx, const T* dy, const T* y, std::size_t c) {
                      const T sum = dot(dy, y, c, order);
                      for (std::size_t j = 0; j < c; ++j) {
                          dx[j] = y[j] * (dy[j] - sum);
                      }
                  });
              },
              is_vjp_of(gate).reads({"dy", "y"}), {{{1, 3}}, {{7, 8}}, {{33, 27}}});
}

void logarithms(List& list) {
    for (const bool lse : {false, true}) {
        in_orders(
            list, lse ? "log-softmax as x − lse" : "log-softmax", lse ? "x − (max + log sum)" : "(x − max) − log sum",
            [lse](const std::string& name, int order) {
                return rows(name, [=]<class T>(T* y, const T* x, std::size_t c) {
                    const T top = largest(x, c), rest = std::log(sum_of_exp(x, c, top, order));
                    for (std::size_t j = 0; j < c; ++j) {
                        y[j] = lse ? x[j] - (top + rest) : x[j] - top - rest;
                    }
                });
            },
            computes([](const Tensor& x) { return at::log_softmax(x, 1); }), kRows);
    }
    const Expected lse = computes([](const Tensor& x) { return at::logsumexp(x, 1); });
    in_orders(
        list, "log-sum-exp", "max + log sum",
        [](const std::string& name, int order) {
            return rows(
                name,
                [order]<class T>(T* y, const T* x, std::size_t c) {
                    const T top = largest(x, c);
                    *y = top + std::log(sum_of_exp(x, c, top, order));
                },
                Per::row);
        },
        lse, kRows);
    add(list, "log-sum-exp",
        rows(
            "in one pass",
            []<class T>(T* y, const T* x, std::size_t c) {
                T top = x[0], sum = 1;
                for (std::size_t j = 1; j < c; ++j) {
                    const T before = top;
                    top = std::max(top, x[j]);
                    sum = sum * std::exp(before - top) + std::exp(x[j] - top);
                }
                *y = top + std::log(sum);
            },
            Per::row),
        lse, kRows);
}

// Cross-entropy of x (n, c) with classes t (n): log(Σ exp x) − x[t].
enum class Entropy { lse, log_p, shifted };

template <class T>
T entropy_of(Entropy form, const T* x, std::int64_t t, std::size_t c, int order) {
    const T top = largest(x, c), sum = sum_of_exp(x, c, top, order);
    return form == Entropy::lse     ? top + std::log(sum) - x[t]
           : form == Entropy::log_p ? -std::log(std::exp(x[t] - top) / sum)
                                    : std::log(sum) - (x[t] - top);
}

void cross_entropies(List& list) {
    const std::vector<Case> cases = {{{1, 5}, {1}}, {{7, 5}, {7}}, {{33, 5}, {33}}, {{64, 5}, {64}}};
    const auto loss = [](const Tensor& x, const Tensor& t) {
        return at::cross_entropy_loss(x, t, {}, at::Reduction::None);
    };
    const auto with_targets = [](Expected expected) { return expected.inputs({"x", "t"}).integers("t", 0, 4); };
    const std::pair<Entropy, const char*> forms[] = {
        {Entropy::lse, "lse − x[t]"}, {Entropy::log_p, "−log p[t]"}, {Entropy::shifted, "log sum − (x[t] − max)"}};
    for (const auto& [form, name] : forms) {
        const bool moderate = form == Entropy::log_p;  // p underflows beyond
        const Expected expected = with_targets(computes(loss));
        in_orders(
            list, std::string("cross-entropy as ") + name, name,
            [f = form](const std::string& full, int order) {
                return in_both(full,
                               [=]<class T>(T* y, const T* x, const std::int64_t* t, std::size_t n, std::size_t c) {
                                   for (std::size_t i = 0; i < n; ++i) {
                                       y[i] = entropy_of(f, x + i * c, t[i], c, order);
                                   }
                               });
            },
            moderate ? Expected(expected).range("x", -20, 20) : expected, cases);
    }
    for (const bool mean : {false, true}) {
        const Expected expected =
            mean ? is_vjp_of([](const Tensor& x, const Tensor& t) { return at::cross_entropy_loss(x, t); })
                 : is_vjp_of(loss);
        in_orders(
            list, "cross-entropy backward", mean ? "(p − 1[t])·dy/n" : "(p − 1[t])·dy",
            [mean](const std::string& name, int order) {
                return in_both(name, [=]<class T>(T* dx, const T* dy, const T* x, const std::int64_t* t, std::size_t n,
                                                  std::size_t c) {
                    for (std::size_t i = 0; i < n; ++i) {
                        softmax_row(dx + i * c, x + i * c, c, order);
                        dx[i * c + static_cast<std::size_t>(t[i])] -= 1;
                        for (std::size_t j = 0; j < c; ++j) {
                            dx[i * c + j] *= mean ? *dy / T(n) : dy[i];
                        }
                    }
                });
            },
            with_targets(expected), cases);
    }
}

// Causal attention of one head, O = softmax(q·kᵀ/√d)·v, all (n, d), and its backward pass. The correction of dP is
// Σ P·dP of a row, or FlashAttention's Δ = Σ dO·O.
enum class Correction { of_probs, delta };

template <class T>
void attention_backward(Correction correction, int order, T* dq, T* dk, T* dv, const T* dO, const T* q, const T* k,
                        const T* v, std::size_t n, std::size_t d) {
    const T scale = 1 / std::sqrt(T(d));
    std::vector<T> P(n * n), dS(n * n), O(d);
    for (std::size_t i = 0; i < n; ++i) {
        T *p = &P[i * n], *ds = &dS[i * n];
        for (std::size_t j = 0; j <= i; ++j) {
            p[j] = dot(q + i * d, k + j * d, d, order) * scale;
            ds[j] = dot(dO + i * d, v + j * d, d, order);
        }
        softmax_row(p, std::vector<T>(p, p + i + 1).data(), i + 1, order);
        for (std::size_t l = 0; l < d; ++l) {
            O[l] = total<T>(i + 1, [&](std::size_t j) { return p[j] * v[j * d + l]; }, order);
        }
        const T sum = correction == Correction::delta ? dot(dO + i * d, O.data(), d, order) : dot(p, ds, i + 1, order);
        for (std::size_t j = 0; j <= i; ++j) {
            ds[j] = p[j] * (ds[j] - sum) * scale;
        }
    }
    for (std::size_t i = 0; i < n * d; ++i) {
        const std::size_t r = i / d, l = i % d;
        dq[i] = total<T>(r + 1, [&](std::size_t j) { return dS[r * n + j] * k[j * d + l]; }, order);
        dk[i] = total<T>(n - r, [&](std::size_t j) { return dS[(r + j) * n + r] * q[(r + j) * d + l]; }, order);
        dv[i] = total<T>(n - r, [&](std::size_t j) { return P[(r + j) * n + r] * dO[(r + j) * d + l]; }, order);
    }
}

void attention(List& list) {
    const auto forward = [](const Tensor& q, const Tensor& k, const Tensor& v) {
        const Tensor beyond = at::ones({q.size(0), q.size(0)}, at::kBool).triu(1);
        const Tensor scores = at::matmul(q, k.t()) / std::sqrt(static_cast<double>(q.size(1)));
        return at::matmul(at::softmax(scores.masked_fill(beyond, -std::numeric_limits<double>::infinity()), 1), v);
    };
    const auto expected = is_vjp_of(forward).inputs({"q", "k", "v"}).wrt({0, 1, 2});
    for (const Correction correction : {Correction::of_probs, Correction::delta}) {
        in_orders(list, "causal attention backward", correction == Correction::delta ? "dP − Σ dO·O" : "dP − Σ P·dP",
                  [correction](const std::string& name, int order) {
                      return in_both(name, [=]<class T>(T* dq, T* dk, T* dv, const T* dO, const T* q, const T* k,
                                                        const T* v, std::size_t n, std::size_t d) {
                          attention_backward(correction, order, dq, dk, dv, dO, q, k, v, n, d);
                      });
                  },
                  expected, {{{5, 4}}, {{17, 8}}, {{40, 8}}});
    }
}

// The backward pass of (x − mean)/√(variance + ε) over the n elements at(0), at(1), …, in closed form, or in that of
// the article on batch normalization, by way of the gradients of variance and mean.
enum class Form { closed, of_article };

template <class T, class At>
void norm_backward(Form form, int order, T* dx, const T* dy, const T* x, std::size_t n, At at) {
    const auto sum = [&](auto term) { return total<T>(n, term, order); };
    const T mean = sum([&](std::size_t i) { return x[at(i)]; }) / T(n);
    const auto centred = [&](std::size_t i) { return x[at(i)] - mean; };
    const T variance = sum([&](std::size_t i) { return centred(i) * centred(i); }) / T(n);
    const T inverse = 1 / std::sqrt(variance + T(kEpsilon));
    const T of_dy = sum([&](std::size_t i) { return dy[at(i)]; });
    if (form == Form::closed) {
        const T of_norm = sum([&](std::size_t i) { return dy[at(i)] * (centred(i) * inverse); }) / T(n);
        for (std::size_t i = 0; i < n; ++i) {
            dx[at(i)] = inverse * (dy[at(i)] - of_dy / T(n) - centred(i) * inverse * of_norm);
        }
        return;
    }
    const T dvariance =
        sum([&](std::size_t i) { return dy[at(i)] * centred(i); }) * T(-0.5) * inverse * inverse * inverse;
    const T dmean = -inverse * of_dy + dvariance * (sum([&](std::size_t i) { return T(-2) * centred(i); }) / T(n));
    for (std::size_t i = 0; i < n; ++i) {
        dx[at(i)] = dy[at(i)] * inverse + dvariance * T(2) * centred(i) / T(n) + dmean / T(n);
    }
}

Tensor batch_norm_of_squares(const Tensor& x) {
    const Tensor centred = x - x.mean(0);
    return centred / at::sqrt(centred.square().mean(0) + kEpsilon);
}
Tensor batch_norm_of_var(const Tensor& x) {
    return (x - x.mean(0)) / at::sqrt(x.var(0, false) + kEpsilon);
}
Tensor batch_norm(const Tensor& x) {
    return at::batch_norm(x, {}, {}, {}, {}, true, 0.1, kEpsilon, false);
}

void norms_backward(List& list) {
    for (const Form form : {Form::closed, Form::of_article}) {
        const std::string name = form == Form::closed ? "closed form" : "dvariance and dmean";
        const auto of_columns = [form](const std::string& full, int order) {
            return in_both(full, [=]<class T>(T* dx, const T* dy, const T* x, std::size_t n, std::size_t c) {
                for (std::size_t j = 0; j < c; ++j) {
                    norm_backward(form, order, dx, dy, x, n, [=](std::size_t i) { return i * c + j; });
                }
            });
        };
        // Sizes: of groups that are normalized, and of elements in each.
        const auto of_groups = [form](const std::string& full, int order) {
            return rows_backward(full, [=]<class T>(T* dx, const T* dy, const T* x, std::size_t n) {
                norm_backward(form, order, dx, dy, x, n, [](std::size_t i) { return i; });
            });
        };
        in_orders(list, "layer norm backward", name, of_groups,
                  is_vjp_of([](const Tensor& x) { return at::layer_norm(x, {x.size(1)}); }),
                  {{{5, 10}}, {{7, 27}}, {{64, 64}}, {{3, 768}}});
        const std::vector<Case> columns = {{{8, 5}}, {{16, 27}}, {{33, 64}}};
        in_orders(list, "batch norm backward, at::batch_norm", name, of_columns, is_vjp_of(batch_norm), columns);
        in_orders(list, "batch norm backward, mean of squares", name, of_columns, is_vjp_of(batch_norm_of_squares),
                  columns);
        in_orders(list, "batch norm backward, x.var", name, of_columns, is_vjp_of(batch_norm_of_var), columns);
        in_orders(list, "group norm backward", name, of_groups, is_vjp_of([](const Tensor& x) {
                                                                    return at::group_norm(x, 2);
                                                                }).sizes([](const std::vector<Shape>& in) {
            return Shape{in[0][0] * 2, count(in[0]) / in[0][0] / 2};
        }),
                  {{{2, 4, 5}}, {{5, 4, 7}}, {{3, 6, 4, 4}}});
    }
}

void norms(List& list) {
    const auto rms_norm = [](const Tensor& x, const Tensor& gain) {
        return x * at::rsqrt(x.square().mean(1, true) + kEpsilon) * gain;
    };
    const std::vector<Case> cases = {{{1, 3}, {3}}, {{7, 27}, {27}}, {{33, 100}, {100}}};
    const auto inverse_of = []<class T>(const T* x, std::size_t c, int order) {
        return 1 / std::sqrt(dot(x, x, c, order) / T(c) + T(kEpsilon));
    };
    in_orders(
        list, "RMS norm", "x·inverse·gain",
        [=](const std::string& name, int order) {
            return in_both(name, [=]<class T>(T* y, const T* x, const T* gain, std::size_t n, std::size_t c) {
                for (std::size_t i = 0; i < n * c; ++i) {
                    y[i] = x[i] * inverse_of(x + i / c * c, c, order) * gain[i % c];
                }
            });
        },
        computes(rms_norm).inputs({"x", "gain"}), cases);
    in_orders(
        list, "RMS norm backward", "closed form",
        [=](const std::string& name, int order) {
            return in_both(name, [=]<class T>(T* dx, const T* dy, const T* x, const T* gain, std::size_t n,
                                              std::size_t c) {
                for (std::size_t first = 0; first < n * c; first += c) {
                    const T inverse = inverse_of(x + first, c, order);
                    const auto term = [&](std::size_t j) { return dy[first + j] * gain[j] * (x[first + j] * inverse); };
                    const T mean = total<T>(c, term, order) / T(c);
                    for (std::size_t j = 0; j < c; ++j) {
                        dx[first + j] = inverse * (dy[first + j] * gain[j] - x[first + j] * inverse * mean);
                    }
                }
            });
        },
        is_vjp_of(rms_norm).inputs({"x", "gain"}), cases);

    const Expected variance = computes([](const Tensor& x) { return x.var(1, false); });
    in_orders(
        list, "variance", "two passes",
        [](const std::string& name, int order) {
            return rows(
                name,
                [order]<class T>(T* y, const T* x, std::size_t c) {
                    const T mean = total<T>(c, [&](std::size_t j) { return x[j]; }, order) / T(c);
                    *y = total<T>(c, [&](std::size_t j) { return (x[j] - mean) * (x[j] - mean); }, order) / T(c);
                },
                Per::row);
        },
        variance, kRows);
    add(list, "variance",
        rows(
            "Welford",
            []<class T>(T* y, const T* x, std::size_t c) {
                T mean = 0, squares = 0;
                for (std::size_t j = 0; j < c; ++j) {
                    const T from = x[j] - mean;
                    mean += from / T(j + 1);
                    squares += from * (x[j] - mean);
                }
                *y = squares / T(c);
            },
            Per::row),
        variance, kRows);
}

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
        computes([](const Tensor& x) { return at::max_pool2d(x, {2, 2}); }).sizes(planes),
        {{{1, 1, 2, 2}}, {{2, 3, 5, 7}}, {{1, 2, 16, 16}}});
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
                          y[i] = total<T>(channels, [&](std::size_t l) { return in[l * pixels] * w[l]; }, order);
                      }
                  });
              },
              computes([](const Tensor& x, const Tensor& W) { return at::conv2d(x, W); })
                  .inputs({"x", "W"})
                  .sizes(shape_of_result),
              {{{2, 5, 3, 3}, {4, 5, 1, 1}}, {{1, 512, 4, 4}, {8, 512, 1, 1}}});
}

}  // namespace

std::vector<Trial> right_kernels() {
    List list;
    sums(list);
    softmaxes(list);
    logarithms(list);
    cross_entropies(list);
    attention(list);
    norms_backward(list);
    norms(list);
    adam(list);
    activations(list);
    images(list);
    convolutions(list);
    const List others = controls();
    list.insert(list.end(), others.begin(), others.end());
    return list;
}

}  // namespace byhand::trial

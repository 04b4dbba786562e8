// Right sums, softmaxes, log-sum-exps and cross-entropies.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "library/tests/torch_trial_right.h"

namespace byhand::trial {

void sums(List& list) {
    const auto of_all = [](const std::string& name, int order) {
        return in_both(name, [order]<class T>(T* y, const T* x, std::size_t n) {
            *y = ordered_sum<T>(order, n, [&](std::size_t i) { return x[i]; });
        });
    };
    const Expected sum = computes([](const Tensor& x) { return x.sum(); }).sizes(elements);
    in_orders(list, "sum of all elements", "sum", of_all, sum, {{{100, 100}}, {{32, 32, 32}}, {{300, 300}}});
    // A million, in the orders that err most.
    for (const int order : {0, 1, 4}) {
        add(list, "sum of all elements", of_all(named("sum", order), order), sum, {{{1000, 1000}}}, true);
    }
    const auto of_columns = [](bool mean) {
        return [mean](const std::string& name, int order) {
            return in_both(name, [=]<class T>(T* y, const T* x, std::size_t n, std::size_t c) {
                for (std::size_t j = 0; j < c; ++j) {
                    y[j] = ordered_sum<T>(order, n, [&](std::size_t i) { return x[i * c + j]; }) / T(mean ? n : 1);
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
    const auto extents = [](const std::vector<Shape>& in) { return Shape{in[0][0], in[0][1], in[1][1]}; };
    in_orders(
        list, "matrix product", "x·W",
        [](const std::string& name, int order) {
            return in_both(name,
                           [=]<class T>(T* y, const T* x, const T* W, std::size_t n, std::size_t k, std::size_t m) {
                               for (std::size_t i = 0; i < n * m; ++i) {
                                   const auto term = [&](std::size_t l) { return x[i / m * k + l] * W[l * m + i % m]; };
                                   y[i] = total<T>(k, term, order);
                               }
                           });
        },
        computes([](const Tensor& x, const Tensor& W) { return at::matmul(x, W); }).inputs({"x", "W"}).sizes(extents),
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

Kernel softmax_by_exp2(const std::string& name, int order) {
    return rows(name, [order]<class T>(T* y, const T* x, std::size_t c) {
        const T log2e = T(1.4426950408889634), top = largest(x, c) * log2e;
        const auto term = [&](std::size_t j) { return std::exp2(std::fma(x[j], log2e, -top)); };
        const T sum = total<T>(c, term, order);
        for (std::size_t j = 0; j < c; ++j) {
            y[j] = term(j) / sum;
        }
    });
}

void softmaxes(List& list) {
    const Expected softmax = computes([](const Tensor& x) { return at::softmax(x, 1); });
    in_orders(
        list, "softmax", "max, exp, sum",
        [](const std::string& name, int order) {
            return rows(name, [order]<class T>(T* y, const T* x, std::size_t c) { softmax_row(y, x, c, order); });
        },
        softmax, kRows);
    in_orders(list, "softmax by exp2(fma), |x| ≤ 30", "exp2(fma)", softmax_by_exp2,
              Expected(softmax).range("x", -30, 30), kRows);

    const Expected backward = is_vjp_of([](const Tensor& x) { return at::softmax(x, 1); });
    const auto row_of = [](bool factored, int order) {
        return [=]<class T>(T* dx, const T* dy, const T* y, std::size_t c) {
            const T sum = dot(dy, y, c, order);
            for (std::size_t j = 0; j < c; ++j) {
                dx[j] = factored ? y[j] * (dy[j] - sum) : y[j] * dy[j] - y[j] * sum;
            }
        };
    };
    for (const bool factored : {true, false}) {
        const std::string form = factored ? "y·(dy − dot)" : "y·dy − y·dot";
        in_orders(
            list, "softmax backward from y", form,
            [&](const std::string& name, int order) { return rows_backward(name, row_of(factored, order)); },
            Expected(backward).reads({"dy", "y"}), kRows);
        in_orders(
            list, "softmax backward from x", form,
            [&](const std::string& name, int order) {
                return rows_backward(name, [=]<class T>(T* dx, const T* dy, const T* x, std::size_t c) {
                    std::vector<T> y(c);
                    softmax_row(y.data(), x, c, order);
                    row_of(factored, order)(dx, dy, y.data(), c);
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
              [&](const std::string& name, int order) { return rows_backward(name, row_of(true, order)); },
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

namespace {

// Cross-entropy of x (n, c) with classes t (n): log(Σ exp x) − x[t].
enum class Entropy { lse, log_p, shifted };

template <class T>
T entropy_of(Entropy form, const T* x, std::int64_t t, std::size_t c, int order) {
    const T top = largest(x, c), sum = sum_of_exp(x, c, top, order);
    return form == Entropy::lse     ? top + std::log(sum) - x[t]
           : form == Entropy::log_p ? -std::log(std::exp(x[t] - top) / sum)
                                    : std::log(sum) - (x[t] - top);
}

}  // namespace

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

}  // namespace byhand::trial

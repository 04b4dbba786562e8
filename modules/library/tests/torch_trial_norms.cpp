// Right backward passes of attention and of norms, and right norms.
#include <ATen/ATen.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "library/tests/torch_trial_right.h"

namespace byhand::trial {

namespace {

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
            O[l] = ordered_sum<T>(order, i + 1, [&](std::size_t j) { return p[j] * v[j * d + l]; });
        }
        const T sum = correction == Correction::delta ? dot(dO + i * d, O.data(), d, order) : dot(p, ds, i + 1, order);
        for (std::size_t j = 0; j <= i; ++j) {
            ds[j] = p[j] * (ds[j] - sum) * scale;
        }
    }
    for (std::size_t i = 0; i < n * d; ++i) {
        const std::size_t r = i / d, l = i % d;
        dq[i] = ordered_sum<T>(order, r + 1, [&](std::size_t j) { return dS[r * n + j] * k[j * d + l]; });
        dk[i] = ordered_sum<T>(order, n - r, [&](std::size_t j) { return dS[(r + j) * n + r] * q[(r + j) * d + l]; });
        dv[i] = ordered_sum<T>(order, n - r, [&](std::size_t j) { return P[(r + j) * n + r] * dO[(r + j) * d + l]; });
    }
}

}  // namespace

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

namespace {

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

}  // namespace

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
                    const T mean = ordered_sum<T>(order, c, [&](std::size_t j) { return x[j]; }) / T(c);
                    *y = ordered_sum<T>(order, c, [&](std::size_t j) { return (x[j] - mean) * (x[j] - mean); }) / T(c);
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

}  // namespace byhand::trial

#include "fast/step_kernels.h"

#include <algorithm>
#include <functional>

#include "base/tensors.h"
#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/simd/norm.h"
#include "fast/simd/product.h"
#include "manual/sums.h"

namespace byhand {
namespace {

AlignedVector<float> whole_lines(const float* from, std::size_t count) {
    AlignedVector<float> lines(padded(count));
    std::copy_n(from, count, lines.begin());
    return lines;
}

// ---- elementwise ----

Kernels tanh_forward(const StepThere& there) {
    const std::size_t elements = count(there.step.shape);
    return {{"simd::tanh_forward",
             [elements](float* h, Reads<float> r) { simd::tanh_forward(h, numbers(r, 0), elements); }}};
}

Kernels exp_forward(const StepThere& there) {
    const std::size_t elements = count(there.step.shape);
    return {
        {"simd::exp_forward", [elements](float* y, Reads<float> r) { simd::exp_forward(y, numbers(r, 0), elements); }}};
}

Kernels tanh_backward(const StepThere& there) {
    return {{"simd::tanh_backward", [elements = count(there.step.shape)](float* dx, Reads<float> r) {
                 AlignedVector<float> dh = whole_lines(numbers(r, 0), elements);
                 simd::tanh_backward(dh.data(), dh.data(), whole_lines(numbers(r, 1), elements).data(), elements);
                 std::copy_n(dh.begin(), elements, dx);
             }}};
}

Operation operation_of(const StepThere& there) {
    return operations(there.config)[there.step.operation];
}

// Activations other than tanh: one kernel for all of them.
Kernels activation_forward(const StepThere& there) {
    const Operation one = operation_of(there);
    const auto kernel = [elements = count(there.step.shape), f = *simd::activation_of(one.op),
                         slope = static_cast<float>(one.negative_slope)](float* h, Reads<float> r) {
        AlignedVector<float> x = whole_lines(numbers(r, 0), elements), derivative(x.size());
        simd::activation_forward(x.data(), derivative.data(), x.data(), elements, f, slope);
        std::copy_n(x.begin(), elements, h);
    };
    return {{"simd::activation_forward", kernel}};
}

Kernels activation_backward(const StepThere& there) {
    const Operation one = operation_of(there);
    const auto kernel = [elements = count(there.step.shape), f = *simd::activation_of(one.op),
                         slope = static_cast<float>(one.negative_slope)](float* dx, Reads<float> r) {
        AlignedVector<float> dh = whole_lines(numbers(r, 0), elements);
        AlignedVector<float> read = whole_lines(numbers(r, 1), elements);
        if (simd::stores_derivative(f)) {  // then the step reads x
            AlignedVector<float> h(read.size());
            simd::activation_forward(h.data(), read.data(), read.data(), elements, f, slope);
        }
        simd::activation_backward(dh.data(), dh.data(), read.data(), elements, f);
        std::copy_n(dh.begin(), elements, dx);
    };
    return {{"simd::activation_backward", kernel}};
}

// y = a + b or a·b of the first two inputs of the step.
template <void kernel(float*, const float*, const float*, std::size_t)>
Kernels of_two(const std::string& name, const StepThere& there) {
    return {{name, [elements = count(there.step.shape)](float* y, Reads<float> r) {
                 AlignedVector<float> a = whole_lines(numbers(r, 0), elements);
                 kernel(a.data(), a.data(), whole_lines(numbers(r, 1), elements).data(), elements);
                 std::copy_n(a.begin(), elements, y);
             }}};
}

Kernels sum(const StepThere& there) {
    return of_two<simd::add>("simd::add", there);
}

Kernels product(const StepThere& there) {
    return of_two<simd::multiply>("simd::multiply", there);
}

// new_W, with dW = 1ᵀ·dW, which is exact.
void descend_with_product(float* new_W, const float* W, const float* dW, float rate, std::size_t in, std::size_t out) {
    PanelMatrix made(in, out), weights(W, in, out), gradient(dW, in, out);
    AlignedVector<float> scratch(kWidestPanel * kWidestPanel);
    for (const Panel& q : panels_of(in)) {
        AlignedVector<float> one(q.used * q.width);
        for (std::size_t i = 0; i < q.used; ++i) {
            one[i * q.width + i] = 1;
        }
        for (const Panel& p : made.panels) {
            const std::size_t from = q.from * p.width;
            simd::products().linear_descend({made.in(p) + from, weights.in(p) + from, rate}, scratch.data(), false,
                                            one.data(), q, gradient.in(p) + from, p, q.used);
        }
    }
    made.copy_to(new_W);
}

Kernels descend(const StepThere& there) {
    const Shape& shape = there.step.shape;
    Kernels kernels = {{"simd::descend", [elements = count(shape)](float* new_p, Reads<float> r) {
                            AlignedVector<float> p = whole_lines(numbers(r, 0), elements);
                            simd::descend(p.data(), p.data(), whole_lines(numbers(r, 1), elements).data(),
                                          *numbers(r, 2), elements);
                            std::copy_n(p.begin(), elements, new_p);
                        }}};
    if (shape.size() == 2) {
        kernels.push_back({"simd::linear_descend", [in = shape[0], out = shape[1]](float* new_W, Reads<float> r) {
                               descend_with_product(new_W, numbers(r, 0), numbers(r, 1), *numbers(r, 2), in, out);
                           }});
    }
    return kernels;
}

// ---- linear ----

// W (in, out); a row of x is `joined` rows of the layer below.
struct Product {
    std::size_t n = 0, in = 0, out = 0, joined = 1;
};

void linear(float* to, const float* x, const float* W, const float* b, const Product& product) {
    const auto [n, in, out, joined] = product;
    PanelMatrix y(n, out), weights(W, in, out), bias(1, out);
    const PanelMatrix read(x, n * joined, in / joined);
    const std::vector<Panel> columns = joined_panels(in / joined, joined);
    if (b != nullptr) {
        bias = PanelMatrix(b, 1, out);
    }
    for (const Panel& p : y.panels) {
        simd::products().linear_forward(y.in(p), {read.data.data(), n, columns}, weights.in(p),
                                        b != nullptr ? bias.in(p) : nullptr, {0, n}, p);
    }
    y.copy_to(to);
}

// Rows of the layer below per row of the input of the step's linear.
std::size_t rows_joined(const StepThere& there) {
    const std::size_t number = operation_of(there).layer.number;
    const std::vector<Layer> all = layers(there.config);
    return number == 1 ? 1 : all[number - 1].inputs / all[number - 2].outputs;
}

Kernels linear_forward(const StepThere& there) {
    const Shape& W = there.read(1);
    const bool has_bias = there.step.reads.size() == 3;
    const Product product = {there.step.shape[0], W[0], W[1], rows_joined(there)};
    return {{"simd::linear_forward", [product, has_bias](float* y, Reads<float> r) {
                 linear(y, numbers(r, 0), numbers(r, 1), has_bias ? numbers(r, 2) : nullptr, product);
             }}};
}

void linear_input(float* to, const float* dy, const float* W, std::size_t n, std::size_t in, std::size_t out) {
    PanelMatrix dx(n, in);
    const PanelMatrix read(dy, n, out), weights(W, in, out);
    AlignedVector<float> scratch(padded(out) * kWidestPanel);
    for (const Panel& q : dx.panels) {
        simd::products().linear_input_backward(dx.in(q), read.view(), weights.view(), scratch.data(), {0, n}, q);
    }
    dx.copy_to(to);
}

Kernels linear_input_backward(const StepThere& there) {
    const Shape& W = there.read(1);
    return {
        {"simd::linear_input_backward", [n = there.step.shape[0], in = W[0], out = W[1]](float* dx, Reads<float> r) {
             linear_input(dx, numbers(r, 0), numbers(r, 1), n, in, out);
         }}};
}

// The descent sets W to 0 − 0·dW, which is ignored.
void linear_weight(float* to, const float* x, const float* dy, std::size_t n, std::size_t in, std::size_t out,
                   bool with_descent) {
    PanelMatrix dW(in, out), gradient(dy, n, out), read(x, n, in), W(in, out);
    for (const Panel& p : dW.panels) {
        for (const Panel& q : read.panels) {
            const std::size_t from = q.from * p.width;
            if (with_descent) {
                simd::products().linear_descend({W.in(p) + from, W.in(p) + from, 0}, dW.in(p) + from, true, read.in(q),
                                                q, gradient.in(p), p, n);
            } else {
                simd::products().linear_weight_backward(dW.in(p) + from, read.in(q), q, gradient.in(p), p, n);
            }
        }
    }
    dW.copy_to(to);
}

Kernels linear_weight_backward(const StepThere& there) {
    const auto by = [n = there.read(0)[0], in = there.step.shape[0], out = there.step.shape[1]](bool with_descent) {
        return [=](float* dW, Reads<float> r) {
            linear_weight(dW, numbers(r, 0), numbers(r, 1), n, in, out, with_descent);
        };
    };
    return {{"simd::linear_weight_backward", by(false)}, {"simd::linear_descend", by(true)}};
}

// ---- a linear with weights Cᵀ ----

std::vector<float> transposed(const float* matrix, std::size_t rows, std::size_t columns) {
    std::vector<float> across(rows * columns);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
            across[j * rows + i] = matrix[i * columns + j];
        }
    }
    return across;
}

Kernels tied_forward(const StepThere& there) {
    const Shape& C = there.read(1);
    const bool has_bias = there.step.reads.size() == 3;
    return {{"simd::linear_forward", [has_bias, n = there.step.shape[0], V = C[0], E = C[1]](float* y, Reads<float> r) {
                 linear(y, numbers(r, 0), transposed(numbers(r, 1), V, E).data(), has_bias ? numbers(r, 2) : nullptr,
                        {n, E, V, 1});
             }}};
}

Kernels tied_input_backward(const StepThere& there) {
    const Shape& C = there.read(1);
    return {{"simd::linear_input_backward", [n = there.step.shape[0], V = C[0], E = C[1]](float* dx, Reads<float> r) {
                 linear_input(dx, numbers(r, 0), transposed(numbers(r, 1), V, E).data(), n, E, V);
             }}};
}

Kernels tied_weight_backward(const StepThere& there) {
    return {{"simd::linear_weight_backward",
             [n = there.read(0)[0], V = there.step.shape[0], E = there.step.shape[1]](float* dC, Reads<float> r) {
                 std::vector<float> dW(E * V);
                 linear_weight(dW.data(), numbers(r, 1), numbers(r, 0), n, E, V, false);
                 std::ranges::copy(transposed(dW.data(), E, V), dC);
             }}};
}

Kernels sum_rows(const StepThere& there) {
    const Shape& dy = there.read(0);
    return {{"simd::sum_rows", [n = dy[0], H = dy[1]](float* db, Reads<float> r) {
                 PanelMatrix read(numbers(r, 0), n, H);
                 AlignedVector<float> sums(padded(H));
                 for (const Panel& p : read.panels) {
                     simd::sum_rows(sums.data() + p.from, read.in(p), n, p.width);
                 }
                 std::copy_n(sums.begin(), H, db);
             }}};
}

// ---- the embedding ----

// Position t of the contexts by character: the tables of the other positions are 0, and so is the bias.
void look_up(float* emb, const float* C, const simd::Contexts& contexts, std::size_t E, std::size_t t) {
    const auto [X, n, T, V] = contexts;
    PanelMatrix y(n, E), table(T * V, E);
    const PanelMatrix rows(C, V, E);
    const AlignedVector<float> bias(padded(E));
    for (const Panel& p : y.panels) {
        std::copy_n(in_panel(rows.data.data(), V, p), V * p.width, table.in(p) + t * V * p.width);
        simd::look_up_by_character(y.in(p), table.in(p), contexts, bias.data() + p.from, p.width);
    }
    std::vector<float> made(n * E);
    y.copy_to(made.data());
    for (std::size_t i = 0; i < n; ++i) {
        std::copy_n(made.data() + i * E, E, emb + (i * T + t) * E);
    }
}

Kernels embedding_forward(const StepThere& there) {
    const std::size_t n = there.step.shape[0], T = there.step.shape[1], E = there.step.shape[2], V = there.read(0)[0];
    return {{"simd::embedding_forward",
             [=](float* emb, Reads<float> r) {
                 PanelMatrix embcat(n, T * E);
                 simd::embedding_forward(embcat.data.data(), numbers(r, 0), indices(r, 1), n, T, E,
                                         stretches_of(n, T, E));
                 embcat.copy_to(emb);
             }},
            {"simd::look_up_by_character", [=](float* emb, Reads<float> r) {
                 for (std::size_t t = 0; t < T; ++t) {
                     look_up(emb, numbers(r, 0), {indices(r, 1), n, T, V}, E, t);
                 }
             }}};
}

// Adds the contribution of position t of the contexts to dC, by character.
void add_sums(float* dC, const float* demb, const simd::Contexts& contexts, std::size_t E, std::size_t t) {
    const auto [X, n, T, V] = contexts;
    std::vector<float> dy(n * E), all(T * V * E);
    for (std::size_t i = 0; i < n; ++i) {
        std::copy_n(demb + (i * T + t) * E, E, dy.data() + i * E);
    }
    PanelMatrix read(dy.data(), n, E), sums(T * V, E), scratch(T * V, E);
    for (const Panel& p : read.panels) {
        simd::sum_by_character(sums.in(p), scratch.in(p), read.in(p), contexts, p.width);
    }
    sums.copy_to(all.data());
    std::transform(dC, dC + V * E, all.data() + t * V * E, dC, std::plus());
}

Kernels embedding_backward(const StepThere& there) {
    const Shape& demb = there.read(0);
    const std::size_t n = demb[0], T = demb[1], E = demb[2], V = there.step.shape[0];
    return {{"simd::embedding_backward",
             [=](float* dC, Reads<float> r) {
                 const PanelMatrix dembcat(numbers(r, 0), n, T * E);
                 std::fill_n(dC, V * E, 0.0F);
                 simd::embedding_backward(dC, dembcat.data.data(), indices(r, 1), {0, n}, T, E, stretches_of(n, T, E));
             }},
            {"simd::sum_by_character", [=](float* dC, Reads<float> r) {
                 std::fill_n(dC, V * E, 0.0F);
                 for (std::size_t t = 0; t < T; ++t) {
                     add_sums(dC, numbers(r, 0), {indices(r, 1), n, T, V}, E, t);
                 }
             }}};
}

// ---- the loss ----

// The loss and, on request, dlogits.
float cross_entropy(float* to, Reads<float> reads, std::size_t n, std::size_t V) {
    const PanelMatrix logits(numbers(reads, 0), n, V);
    PanelMatrix dlogits(n, V);
    std::vector<float> losses(n);
    simd::cross_entropy_with_gradient(losses.data(), dlogits.data.data(), logits.view(), indices(reads, 1), n, {0, n});
    if (to != nullptr) {
        dlogits.copy_to(to);
    }
    return sum_along<float>(n, [&](std::size_t i) { return losses[i]; }) / static_cast<float>(n);
}

Kernels cross_entropy_with_gradient(const StepThere& there) {
    const std::size_t n = there.read(0)[0], V = there.read(0)[1];
    const std::string name = "simd::cross_entropy_with_gradient";
    if (there.step.makes == "loss") {
        return {{name, [n, V](float* loss, Reads<float> r) { *loss = cross_entropy(nullptr, r, n, V); }}};
    }
    return {{name, [n, V](float* dlogits, Reads<float> r) { cross_entropy(dlogits, r, n, V); }}};
}

}  // namespace

Kernels kernels_of(const StepThere& there) {
    static const MakeKernels kBy = {{"tanh_forward", tanh_forward},
                                    {"softmax_exp", exp_forward},
                                    {"tanh_backward", tanh_backward},
                                    {"residual_forward", sum},
                                    {"dropout_forward", product},
                                    {"dropout_backward", product},
                                    {"descend", descend},
                                    {"linear_forward", linear_forward},
                                    {"matmul_forward", linear_forward},
                                    {"linear_input_backward", linear_input_backward},
                                    {"linear_weight_backward", linear_weight_backward},
                                    {"linear_bias_backward", sum_rows},
                                    {"tied_linear_forward", tied_forward},
                                    {"tied_matmul_forward", tied_forward},
                                    {"tied_input_backward", tied_input_backward},
                                    {"tied_weight_backward", tied_weight_backward},
                                    {"embedding_forward", embedding_forward},
                                    {"embedding_backward", embedding_backward},
                                    {"cross_entropy_with_gradient", cross_entropy_with_gradient}};
    for (const MakeKernels* all : {&kBy, &norm_kernels()}) {
        if (const auto known = all->find(there.step.in_float.name); known != all->end()) {
            return known->second(there);
        }
    }
    const std::string& name = there.step.in_float.name;  // "gelu_forward"
    if (simd::activation_of(name.substr(0, name.rfind('_')))) {
        return name.ends_with("_forward") ? activation_forward(there) : activation_backward(there);
    }
    return {};
}

}  // namespace byhand

#include "fast/step_kernels.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>

#include "fast/by_columns.h"
#include "fast/simd/norm.h"
#include "fast/step_operands.h"
#include "manual/sums.h"

namespace byhand {
namespace {

// The same numbers in as many rows.
PanelMatrix in_rows(const PanelMatrix& matrix, std::size_t rows) {
    std::vector<float> numbers(matrix.rows * matrix.columns);
    matrix.copy_to(numbers.data());
    return {numbers.data(), rows, numbers.size() / rows};
}

void add_like_result(StepOperands& o) {
    o.more.emplace_back(o.out.rows, o.out.columns);
}

// ---- elementwise ----

void activation_forward(float* h, float* derivative, const float* x, const StepOperands& o) {
    simd::activation_forward(h, derivative, x, o.size(), *o.activation, static_cast<float>(o.operation.negative_slope));
}

// The step reads x where the forward pass stores the derivative for this one.
void prepare_activation_backward(StepOperands& o) {
    if (simd::stores_derivative(*o.activation)) {
        activation_forward(o.y(), o.x(1), o.x(1), o);
    }
}

// y = f(a, b) of the first two inputs.
template <void f(float*, const float*, const float*, std::size_t)>
void of_two(StepOperands& o) {
    f(o.y(), o.x(0), o.x(1), o.size());
}

// new_W, with dW = 1ᵀ·dW, which is exact.
void descend_with_product(StepOperands& o) {
    for (const Panel& q : panels_of(o.out.rows)) {
        AlignedVector<float> one(q.used * q.width);
        for (std::size_t i = 0; i < q.used; ++i) {
            one[i * q.width + i] = 1;
        }
        for (const Panel& p : o.out.panels) {
            const std::size_t from = q.from * p.width;
            o.products->linear_descend({o.out.in(p) + from, o.in[0].in(p) + from, *o.x(2)}, o.scratch.data(), false,
                                       one.data(), q, o.in[1].in(p) + from, p, q.used);
        }
    }
}

// ---- linear ----

PanelMatrix transposed(const PanelMatrix& matrix) {
    PanelMatrix across(matrix.columns, matrix.rows);
    for (std::size_t i = 0; i < matrix.rows; ++i) {
        for (std::size_t j = 0; j < matrix.columns; ++j) {
            across.data[place(across.view(), j, i)] = matrix.data[place(matrix.view(), i, j)];
        }
    }
    return across;
}

// Of a tied linear, whose weights are Cᵀ.
template <void then(StepOperands& o)>
void transpose_weights(StepOperands& o) {
    o.in[1] = transposed(o.in[1]);
    then(o);
}

void prepare_forward(StepOperands& o) {
    if (o.joined > 1) {
        o.in[0] = in_rows(o.in[0], o.out.rows * o.joined);
    }
    o.columns = joined_panels(o.in[0].columns, o.joined);
}

void linear_forward(StepOperands& o) {
    for (const Panel& p : o.out.panels) {
        o.products->linear_forward(o.out.in(p), {o.x(0), o.out.rows, o.columns}, o.in[1].in(p),
                                   o.in.size() == 3 ? o.in[2].in(p) : nullptr, {0, o.out.rows}, p);
    }
}

// As in the fused step: by columns if that takes less time.
void prepare_input_backward(StepOperands& o) {
    const std::size_t n = o.out.rows, in = o.out.columns, out = o.in[0].columns;
    if (pays_by_columns(n, in, out, o.products->prefetches_weights())) {
        o.more.emplace_back(1, padded(n) * padded(out));
    }
    o.scratch.resize(std::max(padded(out), kWidestPanel) * kWidestPanel);
}

void linear_input_backward(StepOperands& o) {
    const RowRange rows = {0, o.out.rows};
    const Panels dy = o.in[0].view(), W = o.in[1].view();
    float* const by_columns = o.more.empty() ? nullptr : o.more[0].data.data();
    for (const Panel& p : dy.panels) {
        if (by_columns != nullptr) {
            to_columns(by_columns, dy, p, rows);
        }
    }
    for (const Panel& q : o.out.panels) {
        if (by_columns != nullptr) {
            input_backward_by_columns(o.out.in(q), q, by_columns, W, o.scratch.data(), rows, *o.products);
        } else {
            o.products->linear_input_backward(o.out.in(q), dy, W, o.scratch.data(), rows, q);
        }
    }
}

// dW = xᵀ·dy. If `W` is not null, also the descent, which sets it to 0 − 0·dW.
void linear_weight(const StepOperands& o, PanelMatrix& dW, PanelMatrix& x, PanelMatrix& dy, PanelMatrix* W) {
    for (const Panel& p : dW.panels) {
        for (const Panel& q : x.panels) {
            const std::size_t from = q.from * p.width;
            if (W == nullptr) {
                o.products->linear_weight_backward(dW.in(p) + from, x.in(q), q, dy.in(p), p, x.rows);
            } else {
                o.products->linear_descend({W->in(p) + from, W->in(p) + from, 0}, dW.in(p) + from, true, x.in(q), q,
                                           dy.in(p), p, x.rows);
            }
        }
    }
}

void tied_weight_backward(StepOperands& o) {
    linear_weight(o, o.more[0], o.in[1], o.in[0], nullptr);
    o.out = transposed(o.more[0]);
}

void sum_rows(StepOperands& o) {
    for (const Panel& p : o.in[0].panels) {
        simd::sum_rows(o.y() + p.from, o.in[0].in(p), o.in[0].rows, p.width);
    }
}

// ---- the embedding ----

// C and dC are not in panels.
void prepare_embedding(StepOperands& o) {
    const bool is_forward = o.shape.size() == 3;
    const Shape& emb = is_forward ? o.shape : o.shapes[0];
    o.stretches = stretches_of(emb[0], emb[1], emb[2]);
    (is_forward ? o.in[0] : o.out) = in_rows(is_forward ? o.in[0] : o.out, 1);
}

void embedding_forward(StepOperands& o) {
    const auto [n, T, E] = std::array{o.shape[0], o.shape[1], o.shape[2]};
    simd::embedding_forward(o.y(), o.x(0), o.indices, n, T, E, o.stretches);
}

void embedding_backward(StepOperands& o) {
    const auto [n, T, E] = std::array{o.shapes[0][0], o.shapes[0][1], o.shapes[0][2]};
    std::fill_n(o.y(), count(o.shape), 0.0F);
    simd::embedding_backward(o.y(), o.x(0), o.indices, {0, n}, T, E, o.stretches);
}

// Columns t·E + e of `from` become columns u·E + e of `to`.
void copy_position(PanelMatrix& to, std::size_t u, const PanelMatrix& from, std::size_t t, std::size_t E) {
    for (std::size_t i = 0; i < to.rows; ++i) {
        for (std::size_t e = 0; e < E; ++e) {
            to.data[place(to.view(), i, u * E + e)] = from.data[place(from.view(), i, t * E + e)];
        }
    }
}

// Position after position: the tables of the other positions are 0, and so is the bias.
void look_up(StepOperands& o) {
    const std::size_t n = o.shape[0], T = o.shape[1], E = o.shape[2], V = o.in[0].rows;
    const AlignedVector<float> bias(padded(E));
    for (std::size_t t = 0; t < T; ++t) {
        PanelMatrix y(n, E), table(T * V, E);
        for (const Panel& p : y.panels) {
            std::copy_n(o.in[0].in(p), V * p.width, table.in(p) + t * V * p.width);
            simd::look_up_by_character(y.in(p), table.in(p), {o.indices, n, T, V}, bias.data() + p.from, p.width);
        }
        copy_position(o.out, t, y, 0, E);
    }
}

// The sum over the positions.
void sum_by_character(StepOperands& o) {
    const std::size_t n = o.in[0].rows, E = o.out.columns, V = o.out.rows, T = o.in[0].columns / E;
    PanelMatrix dy(n, E), sums(T * V, E), scratch(T * V, E);
    std::ranges::fill(o.out.data, 0.0F);
    for (std::size_t t = 0; t < T; ++t) {
        copy_position(dy, 0, o.in[0], t, E);
        for (const Panel& p : dy.panels) {
            simd::sum_by_character(sums.in(p), scratch.in(p), dy.in(p), {o.indices, n, T, V}, p.width);
            std::transform(o.out.in(p), o.out.in(p) + V * p.width, sums.in(p) + t * V * p.width, o.out.in(p),
                           std::plus());
        }
    }
}

// ---- the loss ----

// Both results, of which the step's is one.
void cross_entropy(StepOperands& o) {
    const std::size_t n = o.in[0].rows;
    float *const losses = o.scratch.data(), *const dlogits = o.shape.empty() ? o.more[0].data.data() : o.y();
    simd::cross_entropy_with_gradient(losses, dlogits, o.in[0].view(), o.indices, n, {0, n});
    *(o.shape.empty() ? o.y() : losses) =
        sum_along<float>(n, [&](std::size_t i) { return losses[i]; }) / static_cast<float>(n);
}

void prepare_cross_entropy(StepOperands& o) {
    o.more.emplace_back(o.in[0].rows, o.in[0].columns);
    o.scratch.resize(o.in[0].rows);
}

// ---- all of them ----

// Without those of norms and activations.
const std::map<std::string, KernelsOfFunction>& kernels() {
    using O = StepOperands;
    static const KernelCodes kLinear = {{"simd::linear_forward", linear_forward, prepare_forward}},
                             kTied = {{"simd::linear_forward", linear_forward, transpose_weights<prepare_forward>}},
                             kProduct = {{"simd::multiply", of_two<simd::multiply>}};
    static const std::map<std::string, KernelsOfFunction> kAll = {
        {"softmax_exp",
         {{{"simd::exp_forward", [](O& o) { simd::exp_forward(o.y(), o.x(0), o.size()); }}}, {"exp", 10, 1, 1}}},
        {"residual_forward", {{{"simd::add", of_two<simd::add>}}, {"residual forward", 0, 2, 1}}},
        {"dropout_forward", {kProduct, {"dropout forward", 1, 2, 1}}},
        {"dropout_backward", {kProduct, {"dropout backward", 1, 2, 1}}},
        {"descend",
         {{{"simd::descend", [](O& o) { simd::descend(o.y(), o.y(), o.x(1), *o.x(2), o.size()); },
            [](O& o) { o.out = o.in[0]; }},
           {"simd::linear_descend", descend_with_product, [](O& o) { o.scratch.resize(kWidestPanel * kWidestPanel); },
            [](const StepThere& there) { return there.step.shape.size() == 2; }}},
          {"update", 1, 2, 1}}},
        {"linear_forward", {kLinear, {"linear forward"}}},
        {"matmul_forward", {kLinear, {"linear forward"}}},
        {"linear_input_backward",
         {{{"simd::linear_input_backward", linear_input_backward, prepare_input_backward}}, {"linear dx"}}},
        {"linear_weight_backward",
         {{{"simd::linear_weight_backward", [](O& o) { linear_weight(o, o.out, o.in[0], o.in[1], nullptr); }},
           {"simd::linear_descend", [](O& o) { linear_weight(o, o.out, o.in[0], o.in[1], o.more.data()); },
            add_like_result}},
          {"linear dW"}}},
        {"linear_bias_backward", {{{"simd::sum_rows", sum_rows}}}},
        {"tied_linear_forward", {kTied}},
        {"tied_matmul_forward", {kTied}},
        {"tied_input_backward",
         {{{"simd::linear_input_backward", linear_input_backward, transpose_weights<prepare_input_backward>}}}},
        {"tied_weight_backward",
         {{{"simd::linear_weight_backward", tied_weight_backward,
            [](O& o) { o.more.emplace_back(o.out.columns, o.out.rows); }}}}},
        {"embedding_forward",
         {{{"simd::embedding_forward", embedding_forward, prepare_embedding}, {"simd::look_up_by_character", look_up}},
          {"embedding gather", 0, 1, 1}}},
        {"embedding_backward",
         {{{"simd::embedding_backward", embedding_backward, prepare_embedding},
           {"simd::sum_by_character", sum_by_character}},
          {"embedding scatter", 0, 1, 0}}},
        {"cross_entropy_with_gradient",
         {{{"simd::cross_entropy_with_gradient", cross_entropy, prepare_cross_entropy}},
          {"cross-entropy", 11, 1, 1}}}};  // an exponential, and its share of the sum
    return kAll;
}

// For each number, by the formulas in simd/activations.cpp.
double forward_multiplications(simd::Activation f) {
    switch (f) {
        case simd::Activation::relu:
            return 0;
        case simd::Activation::leaky_relu:
            return 1;
        case simd::Activation::tanh:
            return 7;
        case simd::Activation::sigmoid:
            return 10;
        case simd::Activation::silu:
            return 13;
        case simd::Activation::gelu:
            return 15;
        case simd::Activation::gelu_tanh:
            return 20;
    }
    return 0;
}

// Some activations store their derivative, by which the backward pass multiplies.
KernelsOfFunction activation_kernel(const std::string& op, simd::Activation f, bool is_forward) {
    using O = StepOperands;
    const bool is_tanh = f == simd::Activation::tanh, stores = simd::stores_derivative(f);
    if (is_forward) {
        const auto run = [](O& o) { activation_forward(o.y(), o.more[0].data.data(), o.x(0), o); };
        KernelCode code = {"simd::activation_forward", run, add_like_result};
        if (is_tanh) {
            code = {"simd::tanh_forward", [](O& o) { simd::tanh_forward(o.y(), o.x(0), o.size()); }};
        }
        return {{code}, {op + " forward", forward_multiplications(f), 1, stores ? 2U : 1U}};
    }
    const auto run = [](O& o) { simd::activation_backward(o.y(), o.x(0), o.x(1), o.size(), *o.activation); };
    const KernelCode code = {is_tanh ? "simd::tanh_backward" : "simd::activation_backward", run,
                             prepare_activation_backward};
    return {{code}, {op + " backward", stores ? 1.0 : f == simd::Activation::relu ? 0.0 : 2.0, 2, 1}};
}

KernelsOfFunction kernels_of_function(const std::string& function) {
    for (const auto* all : {&kernels(), &norm_kernels()}) {
        if (const auto known = all->find(function); known != all->end()) {
            return known->second;
        }
    }
    const std::string op = function.substr(0, function.rfind('_'));
    const std::optional<simd::Activation> activation = simd::activation_of(op);
    return activation ? activation_kernel(op, *activation, function.ends_with("_forward")) : KernelsOfFunction();
}

// In as many rows as the first of several extents.
PanelMatrix matrix_of(const Shape& shape) {
    const std::size_t n = shape.size() < 2 ? 1 : shape[0];
    return {n, count(shape) / n};
}

PackedOperation packed(StepOperands operands, const KernelCode& code, Reads<float> reads) {
    const auto o = std::make_shared<StepOperands>(std::move(operands));
    for (std::size_t i = 0; i < reads.size(); ++i) {
        PanelMatrix& in = o->in.emplace_back();
        if (const float* const* from = std::get_if<const float*>(&reads[i])) {
            in = matrix_of(o->shapes[i]);
            to_panels(in.data.data(), *from, in.rows, in.columns);
        } else {
            o->indices = indices(reads, i);
        }
    }
    o->out = matrix_of(o->shape);
    o->products = &simd::products();
    code.prepare(*o);
    return {[o, run = code.run] { run(*o); }, [o](float* to) { o->out.copy_to(to); }};
}

StepOperands operands_of(const StepThere& there) {
    const std::vector<Operation> all = operations(there.config);
    const Operation& own = all[there.step.operation];
    StepOperands o{.operation = own, .shape = there.step.shape, .activation = simd::activation_of(own.op)};
    for (const std::string& read : there.step.reads) {
        const auto known = there.shapes.find(read);
        o.shapes.push_back(known != there.shapes.end() ? known->second : o.shape);
    }
    if (own.op == op::kLinear && own.layer.number > 1 && all[own.place - 1].op == op::kFlatten) {
        o.joined = all[own.place - 1].joined;
    }
    return o;
}

}  // namespace

Function<float> function_of(const StepKernel& kernel) {
    return {kernel.name, [pack = kernel.pack](float* out, Reads<float> reads) {
                const PackedOperation operation = pack(reads);
                operation.run();
                operation.unpack(out);
            }};
}

StepKernels kernels_of(const StepThere& there) {
    StepKernels all;
    const KernelsOfFunction known = kernels_of_function(there.step.in_float.name);
    for (const KernelCode& code : known.codes) {
        if (code.fits(there)) {
            all.push_back(
                {code.name,
                 [code, operands = operands_of(there)](Reads<float> reads) { return packed(operands, code, reads); },
                 known.work});
        }
    }
    return all;
}

}  // namespace byhand

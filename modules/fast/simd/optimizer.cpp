#include "fast/simd/kernels.h"

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast/simd/optimizer.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "fast/simd/vectors-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

HWY_INLINE V number(double x) {
    return hn::Set(D(), static_cast<float>(x));
}

// Without momentum, the state of p is null.
void sgd(const ParameterState& updated, const ParameterState& present, std::size_t from, const float* gradient,
         std::size_t count, const OptimizerStep& step) {
    const D d;
    const V rate = hn::Set(d, step.rate), decay = number(step.config.weight_decay), mu = number(step.config.momentum);
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        const V p = hn::Load(d, present.p + from + i);
        V g = hn::Load(d, gradient + i);
        if (step.config.weight_decay > 0) {
            g = hn::Add(g, hn::Mul(decay, p));
        }
        if (present.mean != nullptr) {
            const V momentum = hn::Add(hn::Mul(mu, hn::Load(d, present.mean + from + i)), g);
            hn::Store(momentum, d, updated.mean + from + i);
            g = step.config.nesterov ? hn::Add(g, hn::Mul(mu, momentum)) : momentum;
        }
        hn::Store(hn::Sub(p, hn::Mul(rate, g)), d, updated.p + from + i);
    }
}

void adamw(const ParameterState& updated, const ParameterState& present, std::size_t from, const float* gradient,
           std::size_t count, const OptimizerStep& step) {
    const D d;
    const OptimizerConfig& config = step.config;
    const V beta1 = number(config.beta1), rest1 = number(1 - config.beta1);
    const V beta2 = number(config.beta2), rest2 = number(1 - config.beta2);
    const V correction1 = hn::Set(d, step.mean_correction), correction2 = hn::Set(d, step.square_correction);
    const V rate = hn::Set(d, step.rate), epsilon = number(config.epsilon);
    const V kept = hn::Sub(hn::Set(d, 1.0F), hn::Mul(rate, number(config.weight_decay)));
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        const V g = hn::Load(d, gradient + i);
        const V mean = hn::Add(hn::Mul(beta1, hn::Load(d, present.mean + from + i)), hn::Mul(rest1, g));
        const V square = hn::Add(hn::Mul(beta2, hn::Load(d, present.square + from + i)), hn::Mul(hn::Mul(rest2, g), g));
        hn::Store(mean, d, updated.mean + from + i);
        hn::Store(square, d, updated.square + from + i);
        const V root = hn::Sqrt(hn::Div(square, correction2));
        const V change = hn::Div(hn::Div(mean, correction1), hn::Add(root, epsilon));
        hn::Store(hn::Sub(hn::Mul(kept, hn::Load(d, present.p + from + i)), hn::Mul(rate, change)), d,
                  updated.p + from + i);
    }
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(sgd);
HWY_EXPORT(adamw);

}  // namespace

void optimizer_step(const ParameterState& updated, const ParameterState& present, std::size_t from,
                    const float* gradient, std::size_t count, const OptimizerStep& step) {
    if (is_plain(step.config)) {
        descend(updated.p + from, present.p + from, gradient, step.rate, count);
    } else if (step.config.kind == OptimizerKind::sgd) {
        HWY_DYNAMIC_DISPATCH(sgd)(updated, present, from, gradient, count, step);
    } else {
        HWY_DYNAMIC_DISPATCH(adamw)(updated, present, from, gradient, count, step);
    }
}

}  // namespace byhand::simd
#endif

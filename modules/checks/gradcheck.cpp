#include "checks/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

#include "base/value.h"
#include "harness/differences.h"
#include "steps/runner.h"

namespace byhand {
namespace {

// The limits of what rounding in double may do to the loss and to every gradient: those of float, measured, times the
// ratio of the units, since so little moves all of it in proportion.
Limits rounding_limits(const Graph& both, const Tensors<float>& state, const Batch& batch,
                       const MonteCarloConfig& monte_carlo) {
    for (const Step* step : all_steps(both)) {
        if (!step->rounded.run) {
            throw std::logic_error("there is nothing to bound the rounding of " + step->makes + " by");
        }
    }
    Limits limits = chain_limits(both, state, batch, /*rate=*/0, monte_carlo);
    for (auto& [name, tensor] : limits) {
        for (double& limit : tensor) {
            limit *= kDoubles;
        }
    }
    return limits;
}

// The gradient that `step` makes.
CheckedGradient judge_elements(const Step& step, const Elements& e, double sharp) {
    const View ours = view_of(e.ours), differences = view_of(e.differences);
    CheckedGradient checked{
        judge(ours, &differences, nullptr, e.limits, {.too_wide = TooWide::undecided, .scale_of_both = true}),
        step.makes, step.in_double.name, e.ours.size()};
    checked.shape = step.shape;
    if (checked.verdict == Verdict::non_finite) {
        // The element that is not finite says most.
        const double error = std::abs(checked.worst->ours - *checked.worst->right);
        checked.error = std::max(*checked.error, error);
        checked.scale = std::max(*checked.scale, std::abs(checked.worst->ours));
        checked.used = error / *checked.limit;
    } else {
        checked.verdict = verdict_of(e, checked.verdict, sharp);
        if (checked.verdict == Verdict::zero_within_rounding) {
            checked.catches = 0;  // there is no size that it could be relative to
        } else if (checked.verdict == Verdict::exact) {
            checked.verdict = Verdict::within;  // the differences round as well: to the bit is by chance
        }
    }
    if (checked.verdict != Verdict::non_finite && checked.verdict != Verdict::zero_within_rounding) {
        const Extremes extremes{*checked.scale, 0};
        for (const double limit : e.limits) {
            checked.undecided += is_informative(extremes, limit) ? 0 : 1;
        }
    }
    if (checked.worst) {
        checked.worst->position = e.positions[checked.worst->position];
    }
    return checked;
}

}  // namespace

std::vector<CheckedGradient> gradcheck(const Graph& graph, const Tensors<float>& state, const Batch& batch,
                                       const GradcheckConfig& config) {
    const Graph both{graph.config, graph.rows, graph.forward, graph.backward, {}, {}};
    const Limits rounding = rounding_limits(both, state, batch, config.monte_carlo);
    const double noise = rounding.at("loss").front();

    Runner<double> runner(both);
    Tensors<double>& tensors = runner.tensors();
    copy_into(tensors, state);
    runner.set_batch(batch);
    runner.forward();
    runner.backward();
    const double& loss = tensors["loss"][0];

    const auto is_checked = [&](const std::string& name) { return !config.checks || config.checks(name); };
    std::mt19937_64 generator(config.seed);
    std::vector<CheckedGradient> all;
    for (const Step& step : graph.backward) {
        const std::string of = without_kind(step.makes);
        if (value_of(step.makes).kind != ValueKind::gradient || !tensors.contains(of) || !is_checked(step.makes)) {
            continue;  // not the gradient of a value, or not wanted
        }
        const std::span<double> values = tensors[of];
        const std::span<const double> gradient = tensors[step.makes];
        if (values.size() != gradient.size()) {
            throw std::logic_error(step.makes + " has another number of elements than " + of);
        }
        const auto hole = std::ranges::find_if(gradient, [](const double& element) { return is_unwritten(&element); });
        if (hole != gradient.end()) {
            all.push_back({{}, step.makes, step.in_double.name});
            all.back().verdict = Verdict::unwritten;
            all.back().shape = step.shape;
            continue;
        }
        const double scale = root_mean_square(values);
        Elements elements;
        for (const std::size_t i : elements_to_check(gradient, config.elements, generator)) {
            const double x = values[i];
            const auto loss_at = [&](double moved) {
                values[i] = moved;
                runner.forward_from(of);
                return loss;
            };
            const Slope expected = slope(loss_at, x, scale, noise);
            values[i] = x;
            const double own = rounding.at(step.makes)[i];
            elements.positions.push_back(i);
            elements.ours.push_back(gradient[i]);
            elements.differences.push_back(expected.value);
            elements.limits.push_back(expected.bound + own);
            elements.own_rounding.push_back(own);
        }
        runner.forward_from(of);
        // A move by the value's own size then changes the loss by less than a hundredth of it.
        all.push_back(judge_elements(step, elements, kTooWide * std::abs(loss) / scale));
    }
    for (const TensorSpec& spec : parameters(graph.config)) {
        const std::string name = gradient_of(spec.name);
        if (is_checked(name) &&
            std::ranges::none_of(all, [&](const CheckedGradient& checked) { return checked.name == name; })) {
            all.push_back({{}, name, ""});
            all.back().shape = spec.shape;
        }
    }
    return all;
}

}  // namespace byhand

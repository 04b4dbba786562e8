#include "bench/budget.h"

#include <algorithm>

#include "bench/report_parts.h"

namespace byhand::bench {
namespace {

// Empty for a part of the loss.
std::string part_of(const OperationShape& shape) {
    switch (shape.operation) {
        case TimedOperation::linear_forward:
        case TimedOperation::linear_weight_backward:
        case TimedOperation::linear_input_backward:
            return "products";
        case TimedOperation::norm_forward:
        case TimedOperation::norm_backward:
            return "batchnorm";
        case TimedOperation::layernorm_forward:
        case TimedOperation::layernorm_backward:
            return "layernorm";
        case TimedOperation::activation_forward:
        case TimedOperation::activation_backward:
            return shape.activation;
        case TimedOperation::cross_entropy:
            return "loss";
        case TimedOperation::embedding_forward:
        case TimedOperation::embedding_backward:
            return "embedding";
        case TimedOperation::update:
            return "update";
        case TimedOperation::exp_forward:
            break;
    }
    return "";
}

}  // namespace

Budget budget_of(std::span<const OperationTimes> operations, const Spread& step, const Machine& machine) {
    Budget budget{.recipe = operations.front().recipe, .step = step, .parts = {}, .rest = step.median};
    for (const OperationTimes& times : operations) {
        const std::string name = part_of(times.what.shape);
        if (name.empty()) {
            continue;
        }
        const auto count = static_cast<double>(times.what.times);
        const double seconds = count * spread(times.rounds.ours.seconds).median;
        const auto found = std::ranges::find(budget.parts, name, &BudgetPart::name);
        BudgetPart& part = found != budget.parts.end() ? *found : budget.parts.emplace_back(BudgetPart{name});
        part.seconds += seconds;
        part.limit += count * limit_of(work_of(times.what.shape), times.pass, machine);
        budget.rest -= seconds;
    }
    return budget;
}

Json json_of(const Budget& budget) {
    Json parts = Json::object(), limits = Json::object();
    for (const BudgetPart& part : budget.parts) {
        parts[part.name] = part.seconds / kMicro;
        limits[part.name] = part.limit / kMicro;
    }
    return {{"recipe", budget.recipe},
            {"step_us", json_of(budget.step, kMicro)},
            {"parts_us", parts},
            {"limits_us", limits},
            {"rest_us", budget.rest / kMicro}};
}

Table table_of(const Budget& budget) {
    Table table{"", {Column("budget", ""), Column("µs", ""), Column("of step", ""), Column("limit, µs", "")}, {}};
    const auto cell = [](double seconds) { return micros(Spread{seconds, seconds, seconds}); };
    const auto row = [&](const std::string& name, double seconds, const Cell& limit) {
        table.rows.push_back({name, cell(seconds), percent(seconds / budget.step.median, 0), limit});
    };
    for (const BudgetPart& part : budget.parts) {
        row(part.name, part.seconds, cell(part.limit));
    }
    row("rest", budget.rest, none());
    row("step", budget.step.median, none());
    return table;
}

double step_flops(const NetworkConfig& config, std::size_t rows) {
    constexpr double kProducts = 3;
    double flops = 0;
    for (const Layer& layer : layers(config)) {
        flops += kProducts * product_flops(rows * layer.positions, layer.inputs, layer.outputs);
    }
    return flops;
}

}  // namespace byhand::bench

#include "bench/budget.h"

#include <algorithm>

#include "bench/report_parts.h"

namespace byhand::bench {
namespace {

const char* part_of(TimedOperation operation) {
    switch (operation) {
        case TimedOperation::linear_forward:
        case TimedOperation::linear_weight_backward:
        case TimedOperation::linear_input_backward:
            return "products";
        case TimedOperation::norm_forward:
        case TimedOperation::norm_backward:
            return "batchnorm";
        case TimedOperation::tanh_forward:
        case TimedOperation::tanh_backward:
            return "tanh";
        case TimedOperation::cross_entropy:
            return "loss";
        case TimedOperation::embedding_forward:
        case TimedOperation::embedding_backward:
            return "embedding";
        case TimedOperation::update:
            return "update";
        case TimedOperation::exp_forward:  // part of the loss
            break;
    }
    return nullptr;
}

}  // namespace

Budget budget_of(std::span<const OperationTimes> operations, const Spread& step, const Machine& machine) {
    Budget budget{.recipe = operations.front().recipe, .step = step, .parts = {}, .rest = step.median};
    for (const OperationTimes& times : operations) {
        const char* const name = part_of(times.what.shape.operation);
        if (name == nullptr) {
            continue;
        }
        const auto count = static_cast<double>(times.what.times);
        const double seconds = count * spread(times.rounds.ours.seconds).median;
        const auto found = std::ranges::find(budget.parts, name, &BudgetPart::name);
        BudgetPart& part = found != budget.parts.end() ? *found : budget.parts.emplace_back(BudgetPart{name});
        part.seconds += seconds;
        budget.rest -= seconds;
        budget.products_at_peak += count * flops_of(times.what.shape) / machine.peak_gflops * 1e-9;
    }
    return budget;
}

Json json_of(const Budget& budget) {
    Json parts = Json::object();
    for (const BudgetPart& part : budget.parts) {
        parts[part.name] = part.seconds / kMicro;
    }
    return {{"recipe", budget.recipe},
            {"step_us", json_of(budget.step, kMicro)},
            {"parts_us", parts},
            {"rest_us", budget.rest / kMicro},
            {"products_at_peak_us", budget.products_at_peak / kMicro}};
}

Table table_of(const Budget& budget) {
    Table table{"", {Column("budget", ""), Column("µs", ""), Column("of step", ""), Column("µs at peak", "")}, {}};
    const auto row = [&](const std::string& name, double seconds, const Cell& at_peak) {
        table.rows.push_back(
            {name, micros(Spread{seconds, seconds, seconds}), percent(seconds / budget.step.median, 0), at_peak});
    };
    for (const BudgetPart& part : budget.parts) {
        const double peak = budget.products_at_peak;
        row(part.name, part.seconds, part.name == "products" ? micros(Spread{peak, peak, peak}) : none());
    }
    row("rest", budget.rest, none());
    row("step", budget.step.median, none());
    return table;
}

}  // namespace byhand::bench

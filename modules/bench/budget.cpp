#include "bench/budget.h"

#include <algorithm>

#include "base/tensors.h"
#include "bench/report_parts.h"
#include "fast/simd/targets.h"

namespace byhand::bench {
namespace {

// The first word of the step's name. Empty for a part of the loss.
std::string part_of(const std::string& name) {
    const std::string word = name.substr(0, name.find(' '));
    return word == "linear" ? "products" : word == "cross-entropy" ? "loss" : word == "exp" ? "" : word;
}

}  // namespace

Budget budget_of(std::span<const OperationTimes> operations, const Spread& step, const Machine& machine) {
    Budget budget{.recipe = operations.front().recipe, .step = step, .parts = {}, .rest = step.median};
    for (const OperationTimes& times : operations) {
        const std::string name = part_of(times.what.name);
        if (name.empty()) {
            continue;
        }
        const auto count = static_cast<double>(times.what.times);
        const double seconds = count * spread(times.rounds.ours.seconds).median;
        const auto found = std::ranges::find(budget.parts, name, &BudgetPart::name);
        BudgetPart& part = found != budget.parts.end() ? *found : budget.parts.emplace_back(BudgetPart{name});
        part.seconds += seconds;
        part.limit += count * limit_of(times.what.work, times.pass, machine);
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

double pass_seconds(const Work& work, std::size_t rounds) {
    if (work.numbers == 0) {
        return 0;
    }
    AlignedVector<float> arrays(std::max(work.reads, work.writes) * work.numbers);
    const Steps passes = [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            simd::pass(arrays.data(), work.reads, work.writes, work.numbers);
        }
    };
    return spread(in_turn(passes, nullptr, rounds).ours.seconds).median;
}

double limit_of(const Work& work, double pass, const Machine& machine) {
    return std::max(pass, work.flops / machine.peak_gflops * 1e-9);
}

}  // namespace byhand::bench

// How fast the three forms are: measured shape by shape, as a table, a plot and data.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/member.h"
#include "lab/backward/blocks.h"
#include "lab/backward/speed.h"
#include "lab/backward/why.h"

namespace byhand::lab {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr double kSeconds = 0.1;  // for one shape, type and divisor

// Each shape in this type, by both divisors.
template <class T>
void time_shapes(std::vector<Timing>& timings, const BackwardOptions& options, const Setting& setting) {
    const std::size_t parts = 2 * options.rows.size() * options.columns.size();  // with the other type
    for (const std::size_t rows : options.rows) {
        for (const std::size_t columns : options.columns) {
            BackwardValues<T> values = values_to_time<T>(rows, columns);
            for (const Divisor divisor : kDivisors) {
                const NormConfig norm = norm_with(divisor, kEpsilon);
                normalise(values, norm);
                const Timed found = timed(values, norm, options.rounds, kSeconds);
                const auto& [chain, steps, line] = found.rounds;
                timings.push_back({rows, columns, sizeof(T), divisor, line.size(), found.max_difference,
                                   speedup(steps, line), speedup(chain, line)});
            }
            setting.progress(timings.size() / std::size(kDivisors), parts);
        }
    }
}

Json json_of(const Speedup& speedup) {
    return {{"median", speedup.median}, {"p10", speedup.p10}, {"p90", speedup.p90}};
}

Json json_of(const Timing& timing) {
    return {{"rows", timing.rows},
            {"columns", timing.columns},
            {"divisor", key_of(timing.divisor)},
            {"type", timing.type()},
            {"max_difference", timing.max_difference},
            {"speedup", json_of(timing.over_steps)},
            {"speedup_over_chain", json_of(timing.over_chain)},
            {"rounds", timing.rounds}};
}

// Four characters, whatever its size.
std::string shown(double times) {
    constexpr double kTwo = 9.995, kOne = 99.95;  // from there on with a decimal less
    return fmt::format("{:4.{}f}", times, times < kTwo ? 2 : times < kOne ? 1 : 0);
}

std::string shown(const Speedup& speedup) {
    return fmt::format("{} ({}–{})", shown(speedup.median), shown(speedup.p10), shown(speedup.p90));
}

// The timings of a type come shape by shape, n and then n − 1.
Table table_of(const std::vector<Timing>& timings, const char* type) {
    Table table{fmt::format("Speed-up of the one line, {}: median (10th–90th percentile) of the rounds", type),
                {"shape", "set", "over steps, n", "n − 1", "chain, n", "n − 1"},
                {}};
    for (const Timing& timing : timings) {
        if (std::string(timing.type()) != type) {
            continue;
        }
        if (timing.divisor == Divisor::n) {
            table.rows.push_back({fmt::format("{} × {}", timing.rows, timing.columns), bytes(timing.set())});
        }
        std::vector<Cell>& row = table.rows.back();
        row.emplace_back(shown(timing.over_steps));
        row.emplace_back(shown(timing.over_chain.median));
    }
    for (std::vector<Cell>& row : table.rows) {  // by form, then by divisor
        std::swap(row[3], row[4]);
    }
    return table;
}

Plot plot_of(const std::vector<Timing>& timings, const BackwardOptions& options, const char* over,
             Member<Timing, Speedup> speedup) {
    Plot plot{fmt::format("Speed-up of the one line over the {}, float, divisor n", over),
              "elements",
              "times as fast",
              {},
              true,
              true,
              false};
    for (const std::size_t columns : options.columns) {
        Series series{fmt::format("{} columns", columns), {}, {}, {}, {}, Style::both};
        for (const Timing& timing : timings) {
            if (timing.columns == columns && timing.size == sizeof(float) && timing.divisor == Divisor::n) {
                series.x.push_back(static_cast<double>(timing.rows * columns));
                series.y.push_back((timing.*speedup).median);
                series.low.push_back((timing.*speedup).p10);
                series.high.push_back((timing.*speedup).p90);
            }
        }
        plot.series.push_back(std::move(series));
    }
    return plot;
}

}  // namespace

void tell_speed(Document& document, const BackwardOptions& options, const Setting& setting) {
    document.blocks.emplace_back(Text{fmt::format(
        "How fast: from dbnraw to dx on one thread, after a warm-up; in each round every form runs, in an order that "
        "changes, and a speed-up is a ratio of two times of one round. {} rounds, three where they take long, one "
        "where "
        "it alone takes half a second. The set is what the small steps work on: {} arrays.",
        options.rounds, kStepsArrays)});
    std::vector<Timing> timings;
    time_shapes<float>(timings, options, setting);
    time_shapes<double>(timings, options, setting);
    for (const Timing& timing : timings) {
        document.data["results"].push_back(json_of(timing));
    }
    for (const char* type : {"float", "double"}) {
        document.blocks.emplace_back(table_of(timings, type));
    }
    tell_why(document, options, timings);
    document.plots.push_back(plot_of(timings, options, "small steps", &Timing::over_steps));
    document.plots.push_back(plot_of(timings, options, "chain", &Timing::over_chain));
}

}  // namespace byhand::lab

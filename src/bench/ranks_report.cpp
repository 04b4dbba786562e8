#include "bench/ranks_report.h"

#include <fmt/core.h>

#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "bench/report_parts.h"
#include "report/csv.h"

namespace byhand::bench {
namespace {

Cell micros(double seconds) {
    return micros(std::optional(Spread{seconds, seconds, seconds}));
}

Cell gain(double value) {
    return fixed(value, 2);
}

std::size_t bytes_of(const RankCost& cost) {
    return std::accumulate(cost.messages.begin(), cost.messages.end(), std::size_t{0},
                           [](std::size_t sum, const Message& message) { return sum + message.bytes; });
}

Table table_of(const RankResult& result) {
    Table table{"",
                {{"ranks", "ranks"},
                 {"parts", "parts"},
                 {"by hand", "step_us"},
                 {"gain", "gain"},
                 {"exchanging", "exchange_share"},
                 {"messages", "messages", Align::right, 2},
                 {"bytes", "bytes", Align::right, 1},
                 {"predicted", "predicted_us"},
                 {"ring", "ring_step_us"},
                 {"LibTorch", "torch_step_us"},
                 {"ratio", "ratio"},
                 {"compute", "compute_us", Align::hidden},
                 {"latency", "latency_us", Align::hidden},
                 {"seconds per byte", "seconds_per_byte", Align::hidden}},
                {}};
    for (const RankTimes& times : result.times) {
        const bool several = times.ranks > 1;
        table.rows.push_back({whole(times.ranks), whole(times.parts), micros(times.seconds), gain(times.gain),
                              several ? percent(times.exchanging, 0) : none(), whole(times.cost.messages.size()),
                              whole(bytes_of(times.cost)), times.predicted ? micros(*times.predicted) : none(),
                              micros(times.ring_seconds), micros(times.torch_seconds),
                              times.ratio ? fixed(times.ratio->median, 2) : none(), micros(times.cost.compute),
                              several ? micros(times.link.latency) : none(),
                              several ? significant(times.link.per_byte, 3) : none()});
    }
    return table;
}

Table predictions_of(const RankResult& result) {
    Table table{"Predicted, not measured: one rank on each of several machines, µs a step",
                {{"machines", "machines"},
                 {"parts", "parts", Align::right, 1},
                 {"compute", "compute_us"},
                 {"10 Gbit/s", "slow_us"},
                 {"gain", "slow_gain"},
                 {"ring", "slow_ring_us"},
                 {"100 Gbit/s", "fast_us"},
                 {"gain", "fast_gain"},
                 {"ring", "fast_ring_us"}},
                {}};
    const double one = result.times.front().seconds.median;
    for (const auto& [machines, parts, tree, ring] : result.machines) {
        std::vector<Cell> row = {whole(machines), whole(parts), micros(tree.compute)};
        for (const double bytes_a_second : {kSlowLink, kFastLink}) {
            const Link link{kLinkLatency, 1 / bytes_a_second};
            const double by_tree = step_seconds(tree, link, machines);
            row.push_back(micros(by_tree));
            row.push_back(gain(one / by_tree));
            row.push_back(micros(step_seconds(ring, link, machines)));
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

constexpr const char* kNotes =
    "gain: over one rank that has the batch as a whole. exchanging: the share of the time in messages, waiting for "
    "other ranks included. predicted: what the ranks compute at the same time, and their messages by a latency and "
    "a rate measured here. ring: with --reduce ring. ratio: LibTorch's time, by the same ranks, over ours.\n"
    "The prediction for machines takes 20 µs for a message to a neighbour, and this machine's time for a rank's rows.";

}  // namespace

Document document_of(const Machine& machine, const std::string& recipe, bool changed_norm, const RankResult& result) {
    Document document = with_heading(machine);
    document.title = fmt::format("A training step of {} by several ranks, µs", printable(recipe));
    Table times = table_of(result), machines = predictions_of(result);
    document.data = {{"machine", json_of(machine)},
                     {"recipe", recipe},
                     {"conventions", changed_norm ? "torch" : "recipe"},
                     {"rounds", result.rounds},
                     {"agree", result.agree},
                     {"ranks", json_of_rows(times)},
                     {"predictions", json_of_rows(machines)}};
    document.blocks.emplace_back(std::move(times));
    document.blocks.emplace_back(std::move(machines));
    document.blocks.emplace_back(
        Text{std::string(kNotes) + (changed_norm ? "\nWith BatchNorm1d's conventions in both implementations." : "")});
    return document;
}

std::string csv_lines(std::size_t value, const RankResult& result, bool with_header) {
    Table table = table_of(result);
    table.columns.insert(table.columns.begin(), "value");
    for (std::vector<Cell>& row : table.rows) {
        row.insert(row.begin(), whole(value));
    }
    Document document;
    document.blocks.emplace_back(std::move(table));
    const std::string lines = to_csv(document);
    return with_header ? lines : lines.substr(lines.find('\n') + 1);
}

}  // namespace byhand::bench

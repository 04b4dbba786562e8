#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "bench/report.h"
#include "bench/report_parts.h"
#include "report/writers.h"

namespace byhand::bench {
namespace {

Table table_of(const RankResult& result) {
    Table table{"",
                {{"ranks", "ranks"},
                 {"parts", "parts"},
                 {"by hand", "step_us"},
                 {"gain", "gain"},
                 {"exchanging", "exchange_share"},
                 {"messages", "messages", Align::right, 2},
                 {"bytes", "bytes", Align::right, 1},
                 {"LibTorch", "torch_step_us"},
                 {"ratio", "ratio"}},
                {}};
    for (const RankTimes& times : result.times) {
        table.rows.push_back({whole(times.ranks), whole(times.parts), micros(times.seconds), fixed(times.gain, 2),
                              times.ranks > 1 ? percent(times.exchanging, 0) : none(), whole(times.messages),
                              whole(times.bytes), micros(times.torch_seconds),
                              times.ratio ? fixed(times.ratio->median, 2) : none()});
    }
    return table;
}

constexpr const char* kNotes =
    "gain: over one rank that has the batch as a whole. exchanging: the share of the time in messages, waiting for "
    "other ranks included. ratio: LibTorch's time, by the same ranks, over ours.";

}  // namespace

Document document_of(const Machine& machine, const std::string& recipe, bool changed_norm, const RankResult& result) {
    Document document = with_heading(machine);
    document.title = fmt::format("A training step of {} by several ranks, µs", printable(recipe));
    Table times = table_of(result);
    document.data = {
        {"machine", json_of(machine)}, {"recipe", recipe},      {"conventions", changed_norm ? "torch" : "recipe"},
        {"rounds", result.rounds},     {"agree", result.agree}, {"ranks", json_of_rows(times)}};
    document.blocks.emplace_back(std::move(times));
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

#include "bench/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/json.h"
#include "base/utf8.h"
#include "bench/budget.h"
#include "bench/report_parts.h"
#include "report/writers.h"

namespace byhand::bench {
namespace {

Json json_of(const Result& result, const Machine& machine) {
    const std::optional<AsInstalled>& installed = result.as_installed;
    const std::optional<Losses>& losses = result.losses;
    return {{"recipe", result.recipe},
            {"conventions", result.changed_norm ? "torch" : "recipe"},
            {"threads", result.threads},
            {"rounds", result.rounds},
            {"steps", result.steps},
            {"step_us", json_of(result.seconds, kMicro)},
            {"torch_step_us", json_of(result.torch_seconds, kMicro)},
            {"torch_as_installed_us", installed ? json_of(installed->torch_seconds, kMicro) : Json()},
            {"ratio", json_of(result.ratio, 1)},
            {"ratio_as_installed", installed ? Json(installed->ratio) : Json()},
            {"blas_core_as_installed", installed ? Json(installed->blas_core) : Json()},
            {"flops_per_step", result.flops},
            {"gflops", result.gflops()},
            {"fraction_of_peak", result.gflops() / machine.peak_gflops},
            {"cpu_share", result.cpus},
            {"torch_cpu_share", result.torch_seconds ? Json(result.torch_cpus) : Json()},
            {"loss", losses ? Json(losses->ours) : Json()},
            {"torch_loss", losses ? Json(losses->torch) : Json()},
            {"losses_apart", losses ? Json(losses->apart) : Json()},
            {"agree", losses ? Json(result.agree) : Json()},
            {"peers", json_of(result.peers)}};
}

std::vector<Cell> row_of(const Result& result, const Machine& machine) {
    const double share = result.gflops() / machine.peak_gflops;
    return {printable(result.recipe),
            micros(result.seconds),
            micros(result.torch_seconds),
            with_spread(result.ratio),
            result.as_installed ? fixed(result.as_installed->ratio, 2) : none(),
            percent(share),
            fixed(result.gflops(), 1)};
}

// What the columns show, and the recipes that were measured with a changed norm.
std::string notes_on(const std::vector<Result>& results) {
    std::string notes, names;
    for (const Result& result : results) {
        if (result.as_installed && notes.empty()) {
            notes = fmt::format("installed: the ratio with LibTorch's BLAS as it is installed, for {}.\n",
                                result.as_installed->blas_core);
        }
        if (result.changed_norm) {
            names += (names.empty() ? "" : ", ") + printable(result.recipe);
        }
    }
    if (!results.empty() && results.front().torch_seconds) {
        notes = "ratio: LibTorch's time over ours, the median of all rounds.\n" + notes;
    }
    notes += "of peak: arithmetic per second as a share of the CPU's peak.";
    if (!names.empty()) {
        notes += "\nWith BatchNorm1d's conventions in both implementations: " + names + ".";
    }
    return notes;
}

// All that trained one of the recipes, in the order of their columns.
std::vector<PeerResult> peers_of(const std::vector<Result>& results) {
    std::vector<PeerResult> all;
    for (const Result& result : results) {
        for (const PeerResult& peer : result.peers) {
            if (std::ranges::find(all, peer.name, &PeerResult::name) == all.end()) {
                all.push_back(peer);
            }
        }
    }
    return all;
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

Result result_of(const StepTimes& times, const Recipe& recipe, std::size_t threads) {
    Result result;
    result.recipe = recipe.name;
    result.threads = threads;
    result.rounds = times.rounds.ours.seconds.size();
    result.steps = times.rounds.total;
    result.seconds = spread(times.rounds.ours.seconds);
    result.cpus = times.rounds.ours.cpus();
    if (!times.rounds.theirs.seconds.empty()) {
        result.torch_seconds = spread(times.rounds.theirs.seconds);
        result.torch_cpus = times.rounds.theirs.cpus();
        result.ratio = ratio(times.rounds.theirs.seconds, times.rounds.ours.seconds);
    }
    result.losses = times.losses;
    result.agree = !times.losses || agree(*times.losses, recipe.batch);
    result.peers = times.peers;
    result.flops = step_flops(recipe.network, recipe.batch);
    return result;
}

Document document_of(const Machine& machine, const std::vector<Result>& results) {
    Json list = Json::array();
    Table table{"",
                {{"µs a step", "recipe"},
                 {"by hand", "step_us"},
                 {"LibTorch", "torch_step_us"},
                 {"ratio (p10–p90)", "ratio", Align::left},
                 {"installed", "ratio_as_installed"},
                 {"of peak", "fraction_of_peak"},
                 {"GFLOP/s", "gflops", Align::hidden}},
                {}};
    for (const Result& result : results) {
        list.push_back(json_of(result, machine));
        table.rows.push_back(row_of(result, machine));
    }
    Document document = with_heading(machine);
    document.data = {{"machine", json_of(machine)}, {"results", list}};
    document.blocks.emplace_back(std::move(table));
    if (const std::vector<PeerResult> all = peers_of(results); !all.empty()) {
        Table peers = table_of_peers("µs a step", all);
        for (const Result& result : results) {
            peers.rows.push_back(row_of_peers(printable(result.recipe), result.seconds, result.peers, all));
        }
        document.blocks.emplace_back(std::move(peers));
        document.blocks.emplace_back(Text{kBest});
    }
    document.blocks.emplace_back(Text{notes_on(results)});
    return document;
}

std::optional<AsInstalled> as_installed_from_json(const std::string& text) {
    try {
        const auto json = strict_json(text, "bench");
        const auto& result = json.at("results").at(0);
        const auto& torch = result.at("torch_step_us");
        if (torch.is_null()) {
            return std::nullopt;
        }
        const auto seconds = [&torch](const char* key) { return kMicro * torch.at(key).get<double>(); };
        return AsInstalled{{seconds("median"), seconds("p10"), seconds("p90")},
                           result.at("ratio").at("median").get<double>(),
                           json.at("machine").at("blas_core").get<std::string>()};
    } catch (const std::exception& error) {
        throw std::runtime_error(std::string("the measurement as installed can't be read: ") + error.what());
    }
}

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

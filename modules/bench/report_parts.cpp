#include "bench/report_parts.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/json.h"

namespace byhand::bench {

Json json_of(const Spread& spread, double unit) {
    return {{"median", spread.median / unit}, {"p10", spread.p10 / unit}, {"p90", spread.p90 / unit}};
}

Json json_of(const std::optional<Spread>& spread, double unit) {
    return spread ? json_of(*spread, unit) : Json();
}

Json json_of(const Machine& machine) {
    const bool with_torch = !machine.torch_version.empty();
    return {{"cpu", machine.cpu},
            {"target", machine.target},
            {"threads", machine.threads},
            {"peak_gflops", machine.peak_gflops},
            {"blas_core", with_torch ? Json(machine.blas_core) : Json()},
            {"torch", with_torch ? Json(machine.torch_version) : Json()}};
}

Json json_of(const std::vector<PeerResult>& peers) {
    Json all = Json::object();
    for (const PeerResult& peer : peers) {
        all[peer.name] = {
            {"us", json_of(peer.seconds, kMicro)}, {"ratio", json_of(peer.ratio, 1)}, {"apart", peer.apart}};
    }
    return all;
}

Table table_of_peers(const std::string& what, const std::vector<PeerResult>& peers) {
    Table table{"", {Column(what, ""), Column("by hand", "")}, {}};
    for (const PeerResult& peer : peers) {
        table.columns.emplace_back(peer.name, "");
    }
    table.columns.emplace_back("best", "");
    return table;
}

std::vector<Cell> row_of_peers(const std::string& what, const Spread& our_seconds, const std::vector<PeerResult>& peers,
                               const std::vector<PeerResult>& columns) {
    std::vector<Cell> row = {what, micros(our_seconds)};
    double best = std::numeric_limits<double>::infinity();
    for (const PeerResult& column : columns) {
        const auto peer = std::ranges::find(peers, column.name, &PeerResult::name);
        row.push_back(peer != peers.end() ? micros(peer->seconds) : none());
        best = peer != peers.end() ? std::min(best, peer->ratio.median) : best;
    }
    row.push_back(peers.empty() ? none() : fixed(best, 2));
    return row;
}

Document with_heading(const Machine& machine) {
    const std::string threads = machine.threads == 1 ? "one thread" : fmt::format("{} threads", machine.threads);
    const bool is_avx512 = machine.target.starts_with("AVX3");  // Highway's name for it
    std::string words = fmt::format("{}\n{}, {}: {:.0f} GFLOP/s at most", machine.cpu,
                                    is_avx512 ? "AVX-512" : machine.target, threads, machine.peak_gflops);
    if (!machine.torch_version.empty()) {
        words += fmt::format("\nLibTorch {}, its BLAS for {}", machine.torch_version, machine.blas_core);
    }
    Document document;
    document.subject = "bench";
    document.title = "A training step by hand and by LibTorch";
    document.blocks.emplace_back(Text{words});
    return document;
}

Cell micros(const std::optional<Spread>& seconds) {
    if (!seconds) {
        return none();
    }
    const double value = seconds->median / kMicro;
    return {fmt::format("{:.{}f}", value, value < 10 ? 2 : value < 100 ? 1 : 0), value};
}

Cell with_spread(const std::optional<Spread>& ratio) {
    if (!ratio) {
        return none();
    }
    return {fmt::format("{:.2f} ({:.2f}–{:.2f})", ratio->median, ratio->p10, ratio->p90), ratio->median};
}

}  // namespace byhand::bench

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/hash.h"
#include "base/utf8.h"
#include "bench/ranks.h"
#include "bench/report.h"
#include "bench/sweep.h"
#include "byhand/version.h"
#include "cli/bench_torch.h"
#include "cli/network_options.h"
#include "cli/say.h"
#include "fast/simd/targets.h"
#include "ranks/agreement.h"
#include "ranks/connect.h"

namespace byhand::cli {
namespace {

// Each group meets at a file of its own, or where rank 0 or a launcher listens already, under a word of its own.
std::unique_ptr<Group> connected(distributed::World world, std::size_t ranks, std::size_t timeout) {
    if (ranks == 1 || world.rank >= ranks) {
        return nullptr;
    }
    world.size = ranks;
    world.token += fmt::format("/{}", ranks);
    if (!world.file.empty()) {
        world.file += fmt::format(".{}", ranks);
    }
    world.has_agent = true;
    return distributed::connect(world, timeout);
}

std::vector<bench::RankGroup> groups_of(const distributed::World& world, const std::vector<std::size_t>& numbers,
                                        std::size_t timeout) {
    std::vector<bench::RankGroup> groups;
    groups.reserve(numbers.size());
    for (const std::size_t ranks : numbers) {
        groups.push_back({ranks, connected(world, ranks, timeout)});
    }
    return groups;
}

// A rank that is connected to all others.
struct ConnectedRank {
    const BenchOptions& options;
    distributed::World world;
    std::unique_ptr<Group> all;
    std::vector<bench::RankGroup> groups;
    NamesFile names;
    const torch_ref::Factory* torch;
};

bench::RankResult measured(const ConnectedRank& by, const Recipe& recipe) {
    const Recipe in_parts = with_parts(recipe, by.options.rank_options, by.world);
    const Run run = prepare(in_parts, by.names, data_path_of(""));
    return bench::rank_times(run, in_parts.parts, *by.all, by.groups, by.torch, by.options.rounds);
}

bool is_sound(const bench::RankResult& result, const std::string& recipe) {
    if (!result.agree) {
        say("{}: the losses of different numbers of ranks do not have the same bits\n", printable(recipe));
    }
    return result.agree;
}

int measure_sweep(const ConnectedRank& by, const Recipe& recipe) {
    const bench::Sweep sweep = bench::sweep_of(by.options.sweep);
    bool sound = true, is_first = true;
    for (const std::size_t value : bench::values_of(sweep)) {
        say("{} {}\n", bench::name_of(sweep.size), value);
        const bench::RankResult result = measured(by, bench::with_size(recipe, sweep.size, value));
        if (by.world.rank > 0) {
            continue;
        }
        sound = is_sound(result, recipe.name) && sound;
        fmt::print("{}", bench::csv_lines(value, result, std::exchange(is_first, false)));
        std::fflush(stdout);  // so that a reader of a pipe has each line at once
    }
    return sound ? kFine : kDisagrees;
}

// What all ranks must have alike.
void check_alike(const ConnectedRank& by, const Recipe& recipe) {
    const BenchOptions& options = by.options;
    distributed::check_agreement(
        *by.all, {{"version of byhand", hash_of(kVersion)},
                  {"recipe", hash_of(to_json(recipe))},
                  {"LibTorch", hash_of(by.torch != nullptr ? by.torch->version() : "")},
                  {"kind of vectors", hash_of(simd::target_name())},
                  {"command line", hash_of(fmt::format("{} {} {} {}", fmt::join(options.ranks, ","), options.rounds,
                                                       options.sweep, options.rank_options.parts.value_or(0)))}});
}

int measure_recipe(const ConnectedRank& by, const Recipe& recipe, bool changed_norm) {
    const ReportFile report(by.options.report);
    say("{} by {} ranks\n", printable(recipe.name), fmt::join(by.options.ranks, ", "));
    const bench::RankResult result = measured(by, recipe);
    if (by.world.rank > 0) {
        return kFine;
    }
    report.write(bench::document_of(machine_of(by.torch, 1), recipe.name, changed_norm, result));
    return is_sound(result, recipe.name) ? kFine : kDisagrees;
}

// Throws what every rank would throw.
void refuse_once(const BenchOptions& options, const Recipe& recipe, const distributed::World& world) {
    if (options.sweep.empty()) {
        const ReportFile report(options.report);
        with_parts(recipe, options.rank_options, world);
        return;
    }
    const bench::Sweep sweep = bench::sweep_of(options.sweep);
    for (const std::size_t value : bench::values_of(sweep)) {
        with_parts(bench::with_size(recipe, sweep.size, value), options.rank_options, world);
    }
}

}  // namespace

int measure_ranks(BenchOptions options, const Recipe& recipe, bool changed_norm) {
    std::vector<std::size_t>& numbers = options.ranks;
    std::ranges::sort(numbers);
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    options.rank_options.ranks = numbers.back();
    const auto start = [&](const distributed::World& world) {
        distributed::check_module();
        refuse_once(options, recipe, world);
        return run_ranks(numbers.back(), command_line()).code;
    };
    const auto run = [&](const distributed::World& world) {
        if (world.rank > 0) {
            options.report.output = {};
        }
        const std::size_t timeout = options.rank_options.timeout;
        std::unique_ptr<Group> all = distributed::connect(world, timeout);
        std::vector<bench::RankGroup> groups = groups_of(world, numbers, timeout);
        const ConnectedRank by{
            options, world, std::move(all), std::move(groups), read_names_aloud(""), open_torch(options.torch)};
        check_alike(by, recipe);
        return options.sweep.empty() ? measure_recipe(by, recipe, changed_norm) : measure_sweep(by, recipe);
    };
    return as_rank(options.rank_options, run, start);
}

}  // namespace byhand::cli

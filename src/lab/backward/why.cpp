#include "lab/backward/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/member.h"
#include "base/quantile.h"
#include "lab/backward/blocks.h"
#include "manual/sums.h"

namespace byhand::lab {
namespace {

constexpr double kEpsilon = 1e-5;

std::array<Counts, 3> counts_of_forms() {
    BackwardValues<float> none;
    std::array<Counts, 3> counts;
    for (std::size_t form = 0; form < counts.size(); ++form) {
        counts[form] = counts_of(passes_of(kForms[form], none, static_cast<float*>(nullptr), {}));
    }
    return counts;
}

double share(std::size_t part, std::size_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
}

Table counts_table(const std::array<Counts, 3>& counts) {
    Table table{"Counted from the formulas, for each element; bytes in float",
                {"", "reads", "writes", "FLOP", "divisions", "FLOP per byte", "passes, of line's"},
                {}};
    for (std::size_t form = 0; form < counts.size(); ++form) {
        const Counts& c = counts[form];
        table.rows.push_back({name_of(kForms[form]), whole(c.reads), whole(c.writes), whole(c.flop), whole(c.divisions),
                              fixed(share(c.flop, c.passes * sizeof(float)), 2),
                              fixed(share(c.passes, counts[2].passes), 2)});
    }
    return table;
}

// The shapes whose set lies in one cache and not in the one before.
struct Regime {
    std::string name;
    std::size_t most;                                  // bytes
    std::vector<double> over_steps[2], over_chain[2];  // medians in float, in double
};

std::vector<Regime> regimes_of(const BackwardOptions& options, const std::vector<Timing>& timings) {
    std::vector<Regime> regimes;
    regimes.reserve(options.caches.size() + 1);
    for (std::size_t level = 0; level < options.caches.size(); ++level) {
        regimes.push_back(
            {fmt::format("in L{}, {}", level + 1, bytes(options.caches[level])), options.caches[level], {}, {}});
    }
    regimes.push_back({regimes.empty() ? "all" : "larger", std::numeric_limits<std::size_t>::max(), {}, {}});
    for (const Timing& timing : timings) {
        Regime& regime = *std::ranges::find_if(regimes, [&](const Regime& r) { return timing.set() <= r.most; });
        const std::size_t type = timing.size == sizeof(float) ? 0 : 1;
        regime.over_steps[type].push_back(timing.over_steps.median);
        regime.over_chain[type].push_back(timing.over_chain.median);
    }
    std::erase_if(regimes, [](const Regime& r) { return r.over_steps[0].empty() && r.over_steps[1].empty(); });
    return regimes;
}

double median(const std::vector<double>& values) {
    return values.empty() ? NAN : quantile(values, 0.5);
}

std::string median_or_dash(const std::vector<double>& values) {
    return values.empty() ? "–" : fmt::format("{:.2f}", median(values));
}

Table regime_table(const std::vector<Regime>& regimes, const std::array<Counts, 3>& counts) {
    Table table{"Expected and measured: times as fast as, medians of the shapes whose set lies there",
                {"", "small steps, float", "double", "chain, float", "double"},
                {}};
    const auto expected = [&](const char* words, Member<Counts, std::size_t> count) {
        const Cell steps = fixed(share(counts[1].*count, counts[2].*count), 2);
        const Cell chain = fixed(share(counts[0].*count, counts[2].*count), 2);
        table.rows.push_back({words, steps, steps, chain, chain});
    };
    expected("expected by passes", &Counts::passes);
    expected("expected by FLOP", &Counts::flop);
    for (const Regime& regime : regimes) {
        table.rows.push_back({regime.name, median_or_dash(regime.over_steps[0]), median_or_dash(regime.over_steps[1]),
                              median_or_dash(regime.over_chain[0]), median_or_dash(regime.over_chain[1])});
    }
    return table;
}

// ---- where the time goes ----

struct Profile {
    std::size_t rows = 0, columns = 0;
    std::vector<PassTime> times;

    double elements() const { return static_cast<double>(rows * columns); }
};

double bytes_of(const Profile& profile, const Work& work) {
    return static_cast<double>((work.reads + work.writes) * sizeof(float)) * profile.elements();
}

// Bytes and seconds of the functions that this is true of.
struct Sums {
    double bytes = 0, seconds = 0;
};
template <class Which>
Sums sums_of(const Profile& profile, Which which) {
    Sums sums;
    for (const PassTime& time : profile.times) {
        if (which(time)) {
            sums.bytes += bytes_of(profile, time.work);
            sums.seconds += time.seconds;
        }
    }
    return sums;
}

Table profile_table(const Profile& profile) {
    Table table{fmt::format("Each function by itself, {} × {}, float; passes are reads + writes", profile.rows,
                            profile.columns),
                {"batchnorm_", "passes", "FLOP", "goes", "ns/element", "GB/s"},
                {}};
    for (const PassTime& time : profile.times) {
        const Work& work = time.work;
        if (work.reads + work.writes == 0) {
            continue;
        }
        constexpr double kNano = 1e9;
        table.rows.push_back({std::string(work.function).substr(std::string("batchnorm_").size()),
                              fmt::format("{} + {}", work.reads, work.writes), whole(work.flop),
                              work.bands ? "in bands" : "along rows",
                              fixed(time.seconds / profile.elements() * kNano, 3),
                              fixed(bytes_of(profile, work) / time.seconds / kNano, 1)});
    }
    return table;
}

Profile profile_of(const Timing& shape, std::size_t rounds) {
    constexpr double kSeconds = 0.2;
    BackwardValues<float> values = values_to_time<float>(shape.rows, shape.columns);
    const NormConfig norm = norm_with(Divisor::n, kEpsilon);
    normalise(values, norm);
    return {shape.rows, shape.columns, pass_times(values, norm, rounds, kSeconds)};
}

// In float: the largest shape whose set lies in the second cache, and the largest whose set is `kFar` at most, which is
// beyond any cache and does not take long. The smallest where there is none.
std::array<const Timing*, 2> shapes_to_profile(const BackwardOptions& options, const std::vector<Timing>& timings) {
    constexpr std::size_t kFar = std::size_t{400} << 20;
    const auto largest_of = [&](std::size_t most) {
        const Timing* found = &timings.front();
        for (const Timing& timing : timings) {
            const bool fits = timing.set() <= most;
            if (timing.size == sizeof(float) &&
                (found->set() <= most ? fits && timing.set() > found->set() : timing.set() < found->set())) {
                found = &timing;
            }
        }
        return found;
    };
    return {largest_of(options.caches.size() < 2 ? 0 : options.caches[1]), largest_of(kFar)};
}

std::string words_of(const Profile& profile) {
    const Sums steps = sums_of(profile, [](const PassTime& t) { return t.form == Form::steps; });
    const Sums dividing = sums_of(profile, [](const PassTime& t) { return t.work.divisions > 0; });
    const Sums bands = sums_of(profile, [](const PassTime& t) { return t.work.bands; });
    const Sums along = sums_of(profile, [](const PassTime& t) { return !t.work.bands; });
    constexpr double kGiga = 1e9;
    return fmt::format(
        "At {} × {} {:.0f} % of the small steps' time goes into the two functions that divide at every element; the "
        "functions that go in bands move {:.1f} GB/s, those that go along the rows {:.1f}.",
        profile.rows, profile.columns, 100 * dividing.seconds / steps.seconds, bands.bytes / bands.seconds / kGiga,
        along.bytes / along.seconds / kGiga);
}

std::string conclusion_of(const std::vector<Timing>& timings, const char* over, Member<Timing, Speedup> speedup) {
    const auto count = [&](auto holds) {
        return std::ranges::count_if(timings, [&](const Timing& t) { return holds(t.*speedup); });
    };
    return fmt::format(
        "The one line is faster than the {} in {} of {} cases (10th percentile above 1) and slower in "
        "{} (90th below 1).",
        over, count([](const Speedup& s) { return s.p10 > 1; }), timings.size(),
        count([](const Speedup& s) { return s.p90 < 1; }));
}

}  // namespace

std::string bytes(std::size_t count) {
    constexpr double kNext = 1024;
    auto value = static_cast<double>(count);
    const char* unit = "B";
    for (const char* larger : {"KiB", "MiB", "GiB"}) {
        if (value >= kNext) {
            value /= kNext;
            unit = larger;
        }
    }
    constexpr double kThreeDigits = 99.95;
    return value < kThreeDigits ? fmt::format("{:.3g} {}", value, unit) : fmt::format("{:.0f} {}", value, unit);
}

void tell_why(Document& document, const BackwardOptions& options, const std::vector<Timing>& timings) {
    const std::array<Counts, 3> counts = counts_of_forms();
    document.blocks.emplace_back(counts_table(counts));
    document.blocks.emplace_back(Text{
        "A read or a write is a pass over one array. All three have less than one FLOP for each byte that they pass, "
        "so what they read and write should decide, all the more beyond the caches. What is done once a column is "
        "not counted: with few rows it shows."});
    document.blocks.emplace_back(regime_table(regimes_of(options, timings), counts));
    const auto [near, far] = shapes_to_profile(options, timings);
    std::string words;
    for (const Timing* shape : near == far ? std::vector{near} : std::vector{near, far}) {
        const Profile profile = profile_of(*shape, options.rounds);
        document.blocks.emplace_back(profile_table(profile));
        words += words_of(profile) + " ";
    }
    words += fmt::format(
        "A band is {} columns wide, {} bytes in float, and its next row lies a whole row further on: a sum down a "
        "column goes in bands, and so does all of the one line; the small steps go along the rows wherever they "
        "add nothing up.",
        kSumColumns, kSumColumns * sizeof(float));
    document.blocks.emplace_back(Text{words});
    document.blocks.emplace_back(Text{conclusion_of(timings, "small steps", &Timing::over_steps) + " " +
                                      conclusion_of(timings, "chain", &Timing::over_chain)});
}

}  // namespace byhand::lab

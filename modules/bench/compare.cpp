#include "bench/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "bench/budget.h"
#include "bench/report_parts.h"

namespace byhand::bench {
namespace {

Spread spread_of(const Json& json) {
    const Spread spread{json.at("median").get<double>(), json.at("p10").get<double>(), json.at("p90").get<double>()};
    const bool is_sound =
        spread.p10 > 0 && spread.p10 <= spread.median && spread.median <= spread.p90 && std::isfinite(spread.p90);
    if (!is_sound) {
        throw InputError("no distribution");
    }
    return spread;
}

std::optional<Spread> spread_if_any(const Json& json) {
    return json.is_null() ? std::nullopt : std::optional(spread_of(json));
}

Timing step_of(const Json& json) {
    const auto recipe = json.at("recipe").get<std::string>();
    return {recipe, recipe, json.at("flops_per_step").get<double>(), spread_of(json.at("step_us")),
            spread_if_any(json.at("ratio"))};
}

Timing operation_of(const Json& json) {
    const auto recipe = json.at("recipe").get<std::string>();
    const auto size = [&](const char* key) { return json.at(key).get<std::size_t>(); };
    return {recipe,
            fmt::format("{}, {} {}·{}→{}{}", recipe, json.at("operation").get<std::string>(), size("rows"), size("in"),
                        size("out"), json.at("bias").get<bool>() ? " and bias" : ""),
            std::nullopt, spread_of(json.at("us")), spread_if_any(json.at("ratio"))};
}

Report parsed(const Json& data, const std::string& where) {
    const Json& machine = data.at("machine");
    Report report{.where = where,
                  .cpu = machine.at("cpu").get<std::string>(),
                  .target = machine.at("target").get<std::string>(),
                  .torch = {},
                  .threads = machine.at("threads").get<std::size_t>(),
                  .of_operations = data.contains("operations"),
                  .timings = {}};
    if (!machine.at("torch").is_null()) {
        report.torch = machine.at("torch").get<std::string>() + " " + machine.at("blas_core").get<std::string>();
    }
    for (const Json& json : data.at(report.of_operations ? "operations" : "results")) {
        report.timings.push_back(report.of_operations ? operation_of(json) : step_of(json));
        if (!report.of_operations && json.at("rounds").get<std::size_t>() < kLeastRounds) {
            throw InputError(fmt::format("measured in fewer than {} rounds", kLeastRounds));
        }
    }
    return report;
}

const Timing* timing_named(const Report& report, const std::string& name) {
    const auto found = std::ranges::find(report.timings, name, &Timing::name);
    return found == report.timings.end() ? nullptr : &*found;
}

// The names of the timings that `report` lacks.
std::vector<std::string> missing_in(const Report& report, const Report& other) {
    std::vector<std::string> names;
    for (const Timing& timing : other.timings) {
        if (timing_named(report, timing.name) == nullptr) {
            names.push_back(timing.name);
        }
    }
    return names;
}

// The logarithms of a time's p10, median and p90, or of a ratio's to LibTorch's, which is the larger the shorter the
// time.
Spread logarithm(const Spread& spread, bool is_ratio) {
    if (is_ratio) {
        return {-std::log(spread.median), -std::log(spread.p90), -std::log(spread.p10)};
    }
    return {std::log(spread.median), std::log(spread.p10), std::log(spread.p90)};
}

const char* word(Change change) {
    return change == Change::slower ? "slower" : change == Change::faster ? "faster" : "no difference shown";
}

Mark mark(Change change) {
    return change == Change::slower ? Mark::bad : change == Change::faster ? Mark::good : Mark::none;
}

Cell shown(const Difference& difference, double value) {
    return difference.by_ratio ? fixed(value, 2) : micros(Spread{kMicro * value, 0, 0});
}

}  // namespace

Report report_of(const Json& data, const std::string& where) {
    try {
        return parsed(data, where);
    } catch (const InputError& error) {
        throw InputError(where + ": " + error.what());
    } catch (const std::exception&) {
        throw InputError(where + ": not a report of byhand bench --json or bench --kernels --json");
    }
}

void check_comparable(const Report& earlier, const Machine& machine, bool of_operations,
                      const std::vector<Recipe>& recipes) {
    const auto refuse = [&](const std::string& what) { throw InputError(earlier.where + ": " + what); };
    if (earlier.of_operations != of_operations) {
        refuse(of_operations ? "measures steps; leave out --kernels" : "measures operations; give --kernels");
    }
    if (earlier.cpu != machine.cpu || earlier.target != machine.target) {
        refuse(fmt::format("measured on {} with {}, but this is {} with {}; compare runs on the same machine",
                           earlier.cpu, earlier.target, machine.cpu, machine.target));
    }
    if (earlier.threads != machine.threads) {
        refuse(fmt::format("measured with --threads {}, not {}", earlier.threads, machine.threads));
    }
    std::vector<std::string> missing;
    for (const Recipe& recipe : recipes) {
        const auto found = std::ranges::find(earlier.timings, recipe.name, &Timing::recipe);
        if (found == earlier.timings.end()) {
            missing.push_back(recipe.name);
        } else if (found->flops && *found->flops != step_flops(recipe.network, recipe.batch)) {
            refuse(fmt::format("the recipe {} was another network or batch, of {:.0f} FLOP a step", recipe.name,
                               *found->flops));
        }
    }
    if (missing.size() == recipes.size()) {
        std::vector<std::string> known;  // the timings of a recipe stand together
        std::ranges::transform(earlier.timings, std::back_inserter(known), &Timing::recipe);
        known.erase(std::ranges::unique(known).begin(), known.end());
        refuse(fmt::format("has no recipe {}; give --recipe, of {}", fmt::join(missing, ", "), fmt::join(known, ", ")));
    }
}

Change Difference::verdict() const {
    return change > uncertainty ? Change::slower : change < -uncertainty ? Change::faster : Change::none;
}

Difference difference(const Timing& earlier, const Timing& now, bool same_torch) {
    const bool by_ratio = same_torch && earlier.ratio && now.ratio;
    const Spread before = by_ratio ? *earlier.ratio : earlier.us, after = by_ratio ? *now.ratio : now.us;
    const Spread a = logarithm(before, by_ratio), b = logarithm(after, by_ratio);
    const bool is_longer = b.median >= a.median;
    const double spread =
        is_longer ? std::hypot(a.p90 - a.median, b.median - b.p10) : std::hypot(a.median - a.p10, b.p90 - b.median);
    return {by_ratio, before.median, after.median, std::expm1(b.median - a.median),
            is_longer ? std::expm1(spread) : -std::expm1(-spread)};
}

bool add_comparison(Document& document, const Report& earlier) {
    const Report now = report_of(document.data, "this run");
    Table table{"compared with " + printable(earlier.where),
                {{now.of_operations ? "operation" : "recipe", "name"},
                 {"earlier", "earlier", Align::right, 2},
                 {"now", "now", Align::right, 3},
                 {"by", "by", Align::left, 1},
                 {"change of the time", "change"},
                 {"uncertainty", "uncertainty", Align::hidden},
                 {"verdict", "verdict", Align::left}},
                {}};
    const std::vector<std::string> only_now = missing_in(earlier, now), only_earlier = missing_in(now, earlier);
    if (only_now.size() == now.timings.size()) {
        throw InputError(fmt::format("{}: has no {}", earlier.where, fmt::join(only_now, "; ")));
    }
    std::vector<std::string> slower, faster;
    for (const Timing& timing : now.timings) {
        const Timing* before = timing_named(earlier, timing.name);
        if (before == nullptr) {
            continue;
        }
        const Difference found = difference(*before, timing, now.torch == earlier.torch);
        const Change verdict = found.verdict();
        table.rows.push_back(
            {printable(timing.name),
             shown(found, found.earlier),
             shown(found, found.now),
             found.by_ratio ? "ratio" : "µs",
             {fmt::format("{:+.1f} ± {:.1f} %", 100 * found.change, 100 * found.uncertainty), number(found.change)},
             {"", number(found.uncertainty)},
             {word(verdict), word(verdict), mark(verdict)}});
        if (verdict != Change::none) {
            (verdict == Change::slower ? slower : faster).push_back(timing.name);
        }
    }
    const Change verdict = !slower.empty() ? Change::slower : !faster.empty() ? Change::faster : Change::none;
    document.data["compared"] = {{"with", earlier.where},
                                 {"verdict", word(verdict)},
                                 {"changes", json_of_rows(table)},
                                 {"only_now", only_now},
                                 {"only_earlier", only_earlier}};
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(Text{
        "±: from the medians to p90 of the shorter time and to p10 of the longer, combined; a smaller change is no "
        "difference."});
    const auto conclude = [&](const std::vector<std::string>& names, const char* lead, Mark mark) {
        if (!names.empty()) {
            const std::string words = fmt::format(": {}", fmt::join(names, "; "));
            document.blocks.emplace_back(as_conclusion(printable(words), lead, mark));
        }
    };
    conclude(slower, "slower", Mark::bad);
    conclude(faster, "faster", Mark::good);
    if (verdict == Change::none) {
        document.blocks.emplace_back(as_conclusion("", word(verdict), Mark::open));
    }
    conclude(only_now, "not compared, only in this run", Mark::open);
    conclude(only_earlier, "not compared, only in the earlier report", Mark::open);
    document.agrees = slower.empty();
    return !slower.empty();
}

}  // namespace byhand::bench

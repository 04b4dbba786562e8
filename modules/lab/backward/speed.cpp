// How long each form of batch norm's backward takes, and why.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "base/member.h"
#include "base/quantile.h"
#include "lab/backward/backward.h"
#include "manual/batchnorm/formulas.h"
#include "names/random.h"
#include "report/rows.h"

namespace byhand::lab {
namespace {

// ---- the clock ----

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// A measurement lasts for so many elements at least, some tens of microseconds: far more than a look at the clock.
std::size_t repeats_of(std::size_t elements) {
    constexpr std::size_t kLeastElements = 100'000;
    return std::max<std::size_t>(1, kLeastElements / std::max<std::size_t>(1, elements));
}

// Seconds of one run of the steps, of `repeats`.
template <class T>
double seconds_of(std::span<const BoundStep<T>> steps, std::size_t repeats) {
    const Clock::time_point start = Clock::now();
    for (std::size_t i = 0; i < repeats; ++i) {
        for (const BoundStep<T>& step : steps) {
            step.run();
        }
    }
    return seconds_since(start) / static_cast<double>(repeats);
}

// Calls round(0), round(1) …: `rounds` times, or fewer where those are enough of `seconds`.
template <class Round>
void in_rounds(std::size_t rounds, double seconds, Round round) {
    const Clock::time_point start = Clock::now();
    for (std::size_t i = 0; i < rounds && !is_enough(i, seconds_since(start), seconds); ++i) {
        round(i);
    }
}

// ---- one shape ----

// Uniform in [−1, 1).
template <class T>
void fill(std::vector<T>& values, std::mt19937& bits) {
    constexpr int kUnused = 8;  // float has 24 bits
    for (T& value : values) {
        value = static_cast<T>(static_cast<std::uint32_t>(bits()) >> kUnused) * static_cast<T>(0x1p-23) - T{1};
    }
}

// The same gradient that comes back, and differences from the mean, every time.
template <class T>
Numbers<T> values_to_time(std::size_t n, std::size_t H) {
    Numbers<T> v;
    std::mt19937 bits(1);
    std::vector<T> mean(H);
    for (const char* name : {"dbnraw", "bndiff"}) {
        v[name].resize(n * H);
        fill(v[name], bits);
    }
    batchnorm_mean(mean.data(), v["bndiff"].data(), n, H, n);
    batchnorm_difference(v["bndiff"].data(), v["bndiff"].data(), mean.data(), n, H);
    return v;
}

// The rest of the forward pass, by the norm's conventions.
template <class T>
void normalise(Numbers<T>& v, const NormConfig& norm, std::size_t n, std::size_t H) {
    const StepList forward = operation_graph(op::kBatchnorm, norm, n, H, HandForm::fused).forward;
    const auto begin = std::ranges::find(forward, "bnvar", &Step::makes);
    run(StepList(begin, std::ranges::find(forward, "bnraw", &Step::makes) + 1), v);
}

// The largest difference between any two forms. What the small steps need besides dhprebn is free after them for the
// results of the others.
template <class T>
double difference_of_forms(Numbers<T>& v, const std::array<StepList, 3>& forms) {
    for (const auto& [form, result] : {std::pair{1, "dbndiff"}, {0, "dbndiff2"}, {2, "dhprebn"}}) {
        run(forms[static_cast<std::size_t>(form)], v);
        std::swap(v["dhprebn"], v[result]);
    }
    const std::vector<T>&a = v["dbndiff"], &b = v["dbndiff2"], &c = v["dhprebn"];
    T most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const auto [low, high] = std::minmax({a[i], b[i], c[i]});
        most = high - low <= most ? most : high - low;
    }
    return static_cast<double>(most);
}

// Of a speed-up.
std::string four_characters(double times) {
    constexpr double kTwo = 9.995, kOne = 99.95;  // from there on with a decimal less
    return fmt::format("{:4.{}f}", times, times < kTwo ? 2 : times < kOne ? 1 : 0);
}

std::array<StepList, 3> forms_of(const NormConfig& norm, std::size_t n, std::size_t H) {
    return {steps_of(Form::chain, norm, n, H), steps_of(Form::steps, norm, n, H), steps_of(Form::line, norm, n, H)};
}

Cell cell_of(const Speedup& s) {
    return {fmt::format("{} ({}–{})", four_characters(s.median), four_characters(s.p10), four_characters(s.p90)),
            {{"median", s.median}, {"p10", s.p10}, {"p90", s.p90}}};
}

// A row for each shape, type and divisor; speed-ups are of the one line.
Table timings_table() {
    return {
        "",
        {"rows", "columns", "elements", "divisor", "type", "max_difference", "speedup", "speedup_over_chain", "rounds"},
        {}};
}

// On one thread; after a warm-up, rounds in which every form runs once, or as often as makes a measurable while.
template <class T>
std::vector<Cell> timed(Numbers<T>& v, std::size_t n, std::size_t H, Divisor divisor, std::size_t rounds) {
    constexpr double kSeconds = 0.1;
    const NormConfig norm = norm_with(divisor);
    normalise(v, norm, n, H);
    const std::array<StepList, 3> forms = forms_of(norm, n, H);
    const double difference = difference_of_forms(v, forms);
    std::array<std::vector<BoundStep<T>>, 3> bound;
    std::ranges::transform(forms, bound.begin(), [&](const StepList& steps) { return bind(steps, v); });
    std::array<std::vector<double>, 3> seconds;
    const std::size_t repeats = repeats_of(n * H);
    in_rounds(rounds, kSeconds, [&](std::size_t round) {
        for (const std::size_t form : order_of(round)) {
            seconds[form].push_back(seconds_of<T>(bound[form], repeats));
        }
    });
    const auto& [chain, steps, line] = seconds;
    return {whole(n),
            whole(H),
            whole(n * H),
            key_of(divisor),
            sizeof(T) == sizeof(float) ? "float" : "double",
            significant(difference, 2),
            cell_of(speedup(steps, line)),
            cell_of(speedup(chain, line)),
            whole(line.size())};
}

template <class T>
void time_shapes(Table& timings, const BackwardOptions& options, const Setting& setting) {
    const std::size_t parts = 2 * options.rows.size() * options.columns.size();  // with the other type
    for (const std::size_t rows : options.rows) {
        for (const std::size_t columns : options.columns) {
            Numbers<T> values = values_to_time<T>(rows, columns);
            for (const Divisor divisor : kDivisors) {
                timings.rows.push_back(timed(values, rows, columns, divisor, options.rounds));
            }
            setting.progress(timings.rows.size() / kDivisors.size(), parts);
        }
    }
}

// ---- how fast ----

constexpr std::size_t kStepsArrays = 5;  // that the small steps work on: dbnraw, bndiff, dbndiff2, dbndiff, dhprebn

// Of each row the bytes of those arrays.
std::vector<double> sets_of(const Table& timings) {
    std::vector<double> sets = numbers(timings, "elements");
    for (std::size_t i = 0; i < sets.size(); ++i) {
        const bool is_float = timings.rows[i][4].shown == "float";
        sets[i] *= static_cast<double>(kStepsArrays * (is_float ? sizeof(float) : sizeof(double)));
    }
    return sets;
}

// The timings of a type come shape by shape, n and then n − 1.
Table table_of(const Table& timings, const char* type) {
    Table table{fmt::format("Speed-up of the one line, {}: median (10th–90th percentile) of the rounds", type),
                {"shape", "set", "over steps, n", "n − 1", "chain, n", "n − 1"},
                {}};
    const Table of_type = rows_where(timings, "type", type);
    const std::vector<double> sets = sets_of(of_type), chain = numbers(of_type, "speedup_over_chain");
    for (std::size_t i = 0; i < sets.size(); i += kDivisors.size()) {
        const std::vector<Cell>&by_n = of_type.rows[i], &by_n_minus_1 = of_type.rows[i + 1];
        table.rows.push_back({by_n[0].shown + " × " + by_n[1].shown, bytes(static_cast<std::size_t>(sets[i])),
                              by_n[6].shown, by_n_minus_1[6].shown, four_characters(chain[i]),
                              four_characters(chain[i + 1])});
    }
    return table;
}

Plot plot_of(const Table& timings, const BackwardOptions& options, const char* over, const char* key) {
    Plot plot{fmt::format("Speed-up of the one line over the {}, float, divisor n", over),
              "elements",
              "times as fast",
              {},
              /*log_x=*/true,
              /*log_y=*/true};
    const Table floats_by_n = rows_where(rows_where(timings, "type", "float"), "divisor", "n");
    for (const std::size_t columns : options.columns) {
        plot.series.push_back(series_of(rows_where(floats_by_n, "columns", columns), "elements", key,
                                        fmt::format("{} columns", columns), Style::both));
    }
    return plot;
}

// ---- why: what the formulas count, beside what the clock says ----

// For each element, a row for each form.
Table counts_table() {
    Table table{"Counted from the formulas, for each element; bytes in float",
                {"", "reads", "writes", "FLOP", "divisions", "FLOP per byte", "passes, of line's"},
                {}};
    for (const Form form : kForms) {
        Work sums{};
        for (const Step& step : steps_of(form, {}, 2, 1)) {
            const Work& work = work_of(step.in_float.name);
            sums.reads += work.reads;
            sums.writes += work.writes;
            sums.flop += work.flop;
            sums.divisions += work.divisions;
        }
        const auto passes = static_cast<double>(sums.reads + sums.writes), flop = static_cast<double>(sums.flop);
        const Work& line = work_of("batchnorm_backward");
        table.rows.push_back({kFormNames[table.rows.size()], whole(sums.reads), whole(sums.writes), whole(sums.flop),
                              whole(sums.divisions), fixed(flop / (passes * sizeof(float)), 2),
                              fixed(passes / static_cast<double>(line.reads + line.writes), 2)});
    }
    return table;
}

// The speed-ups of a type for the shapes whose set has more than `least` bytes, and at most `most`.
std::vector<double> speedups_between(const Table& timings, const char* key, const char* type, double least,
                                     double most) {
    const Table of_type = rows_where(timings, "type", type);
    const std::vector<double> sets = sets_of(of_type), all = numbers(of_type, key);
    std::vector<double> there;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (sets[i] > least && sets[i] <= most) {
            there.push_back(all[i]);
        }
    }
    return there;
}

// Expected speed-ups, then medians of the shapes whose set fits in one cache and not in the one before.
Table cache_table(const BackwardOptions& options, const Table& timings, const Table& counts) {
    Table table{"Expected and measured: times as fast as, medians of the shapes whose set lies there",
                {"", "small steps, float", "double", "chain, float", "double"},
                {}};
    const std::vector<double> passes = numbers(counts, "passes_of_line_s"), flop = numbers(counts, "flop");
    const auto expect = [&](const char* words, const std::vector<double>& count) {
        const Cell chain = fixed(count[0] / count[2], 2), steps = fixed(count[1] / count[2], 2);
        table.rows.push_back({words, steps, steps, chain, chain});
    };
    expect("expected by passes", passes);
    expect("expected by FLOP", flop);
    double least = 0;  // bytes
    for (std::size_t level = 0; level <= options.caches.size(); ++level) {
        const bool is_last = level == options.caches.size();
        const double most = is_last ? HUGE_VAL : static_cast<double>(options.caches[level]);
        std::vector<Cell> row = {!is_last ? fmt::format("in L{}, {}", level + 1, bytes(options.caches[level]))
                                 : options.caches.empty() ? "all"
                                                          : "larger"};
        bool is_empty = true;
        for (const char* over : {"speedup", "speedup_over_chain"}) {
            for (const char* type : {"float", "double"}) {
                const std::vector<double> there = speedups_between(timings, over, type, least, most);
                is_empty = is_empty && there.empty();
                row.emplace_back(there.empty() ? "–" : fmt::format("{:.2f}", quantile(there, 0.5)));
            }
        }
        if (!is_empty) {
            table.rows.push_back(std::move(row));
        }
        least = most;
    }
    return table;
}

// The median seconds of each function of each form by itself, in float.
struct FunctionTime {
    Form form = Form::chain;
    Work work;
    double seconds = 0;
    double bytes = 0;  // read and written
};

std::vector<FunctionTime> time_functions(std::size_t n, std::size_t H, std::size_t rounds) {
    constexpr double kSeconds = 0.2;
    const std::size_t elements = n * H;
    Numbers<float> values = values_to_time<float>(n, H);
    const NormConfig norm = norm_with(Divisor::n);
    normalise(values, norm, n, H);
    const std::array<StepList, 3> forms = forms_of(norm, n, H);
    std::vector<FunctionTime> times;
    std::vector<BoundStep<float>> bound;
    for (std::size_t form = 0; form < forms.size(); ++form) {
        run(forms[form], values);  // the warm-up, and what each function by itself reads
        for (const BoundStep<float>& step : bind(forms[form], values)) {
            const Work& work = work_of(step.step->in_float.name);
            const std::size_t numbers = (work.reads + work.writes) * elements;
            times.push_back({kForms[form], work, 0, static_cast<double>(numbers * sizeof(float))});
            bound.push_back(step);
        }
    }
    std::vector<std::vector<double>> measured(bound.size());
    const std::size_t repeats = repeats_of(elements);
    in_rounds(rounds, kSeconds, [&](std::size_t) {
        for (std::size_t i = 0; i < bound.size(); ++i) {
            measured[i].push_back(seconds_of<float>(std::span(bound).subspan(i, 1), repeats));
        }
    });
    for (std::size_t i = 0; i < bound.size(); ++i) {
        times[i].seconds = quantile(measured[i], 0.5);
    }
    return times;
}

constexpr double kGiga = 1e9;

Table functions_table(std::size_t n, std::size_t H, const std::vector<FunctionTime>& times) {
    Table table{fmt::format("Each function by itself, {} × {}, float; passes are reads + writes", n, H),
                {"batchnorm_", "passes", "FLOP", "goes", "ns/element", "GB/s"},
                {}};
    for (const FunctionTime& time : times) {
        const Work& work = time.work;
        if (work.reads + work.writes > 0) {
            table.rows.push_back({std::string(work.function).substr(std::string("batchnorm_").size()),
                                  fmt::format("{} + {}", work.reads, work.writes), whole(work.flop),
                                  work.bands ? "in bands" : "along rows",
                                  fixed(time.seconds / static_cast<double>(n * H) * kGiga, 3),
                                  fixed(time.bytes / time.seconds / kGiga, 1)});
        }
    }
    return table;
}

std::string words_of(std::size_t n, std::size_t H, const std::vector<FunctionTime>& times) {
    const auto sum = [&](Member<FunctionTime, double> what, auto which) {
        double all = 0;
        for (const FunctionTime& time : times) {
            all += which(time) ? time.*what : 0;
        }
        return all;
    };
    const auto rate = [&](bool bands) {
        const auto which = [bands](const FunctionTime& t) { return t.work.bands == bands; };
        return sum(&FunctionTime::bytes, which) / sum(&FunctionTime::seconds, which) / kGiga;
    };
    return fmt::format(
        "At {} × {}, {:.0f} % of the small steps' time goes into the two functions that divide at every element; the "
        "functions that go in bands move {:.1f} GB/s, those that go along the rows {:.1f}. ",
        n, H,
        100 * sum(&FunctionTime::seconds, [](const FunctionTime& t) { return t.work.divisions > 0; }) /
            sum(&FunctionTime::seconds, [](const FunctionTime& t) { return t.form == Form::steps; }),
        rate(true), rate(false));
}

// Of the timings in float, the one with the largest set of at most so many bytes; the smallest where there is none.
std::size_t largest_of(const std::vector<double>& sets, double most) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < sets.size(); ++i) {
        if (sets[found] <= most ? sets[i] <= most && sets[i] > sets[found] : sets[i] < sets[found]) {
            found = i;
        }
    }
    return found;
}

void add_reasons(Document& document, const BackwardOptions& options, const Table& timings) {
    const Table counts = counts_table();
    document.blocks.emplace_back(counts);
    document.blocks.emplace_back(
        Text{"A read or a write is a pass over one array. All three have less than one FLOP for each byte that they "
             "pass, so what they read and write should decide, all the more beyond the caches. What is done once a "
             "column is not counted: with few rows it shows."});
    document.blocks.emplace_back(cache_table(options, timings, counts));
    // One that the second cache holds, and one beyond any cache that does not take long.
    constexpr double kFar = 400 << 20;
    const Table floats = rows_where(timings, "type", "float");
    const std::vector<double> sets = sets_of(floats);
    const std::size_t near = largest_of(sets, options.caches.size() < 2 ? 0 : static_cast<double>(options.caches[1]));
    const std::size_t far = largest_of(sets, kFar);
    std::string words;
    for (const std::size_t at : near == far ? std::vector{near} : std::vector{near, far}) {
        const auto n = floats.rows[at][0].value.get<std::size_t>(), H = floats.rows[at][1].value.get<std::size_t>();
        const std::vector<FunctionTime> times = time_functions(n, H, options.rounds);
        document.blocks.emplace_back(functions_table(n, H, times));
        words += words_of(n, H, times);
    }
    document.blocks.emplace_back(Text{fmt::format(
        "{}A band is {} columns wide, {} bytes in float, and its next row lies a whole row further on: a sum down a "
        "column goes in bands, and so does all of the one line; the small steps go along the rows wherever they add "
        "nothing up.",
        words, kSumColumns, kSumColumns * sizeof(float))});
    std::string conclusion;
    for (const auto& [over, key] : {std::pair{"small steps", "speedup"}, {"chain", "speedup_over_chain"}}) {
        const Series series = series_of(timings, "elements", key, "");
        conclusion += fmt::format(
            "{}The one line is faster than the {} in {} of {} cases (10th percentile above 1) and slower in {} (90th "
            "below 1).",
            conclusion.empty() ? "" : " ", over, std::ranges::count_if(series.low, [](double p10) { return p10 > 1; }),
            series.y.size(), std::ranges::count_if(series.high, [](double p90) { return p90 < 1; }));
    }
    document.blocks.emplace_back(as_conclusion(conclusion));
}

}  // namespace

Speedup speedup(const std::vector<double>& slower, const std::vector<double>& faster) {
    constexpr double kLow = 0.1, kMiddle = 0.5, kHigh = 0.9;
    std::vector<double> ratios;
    std::ranges::transform(slower, faster, std::back_inserter(ratios), std::divides());
    return {quantile(ratios, kMiddle), quantile(ratios, kLow), quantile(ratios, kHigh)};
}

bool is_enough(std::size_t rounds, double taken, double seconds) {
    constexpr std::size_t kLeastRounds = 3;
    constexpr double kPatience = 0.5;  // seconds that those may take
    return rounds > 0 && taken >= (rounds < kLeastRounds ? kPatience : seconds);
}

std::array<std::size_t, 3> order_of(std::size_t round) {
    constexpr std::array<std::array<std::size_t, 3>, 6> kOrders = {
        {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}}};
    return kOrders[round % kOrders.size()];
}

std::string bytes(std::size_t count) {
    constexpr double kNext = 1024, kThreeDigits = 99.95;
    auto value = static_cast<double>(count);
    const char* unit = "B";
    for (const char* larger : {"KiB", "MiB", "GiB"}) {
        if (value >= kNext) {
            value /= kNext;
            unit = larger;
        }
    }
    return value < kThreeDigits ? fmt::format("{:.3g} {}", value, unit) : fmt::format("{:.0f} {}", value, unit);
}

void add_speed(Document& document, const BackwardOptions& options, const Setting& setting) {
    document.blocks.emplace_back(Text{fmt::format(
        "How fast: from dbnraw to dx on one thread, after a warm-up; in each round every form runs, in an order that "
        "changes, and a speed-up is a ratio of two times of one round. {} rounds, three where they take long, one "
        "where it takes half a second. The set is what the small steps work on: {} arrays.",
        options.rounds, kStepsArrays)});
    Table timings = timings_table();
    time_shapes<float>(timings, options, setting);
    time_shapes<double>(timings, options, setting);
    document.data["results"] = json_of_rows(timings);
    document.blocks.emplace_back(table_of(timings, "float"));
    document.blocks.emplace_back(table_of(timings, "double"));
    add_reasons(document, options, timings);
    document.plots.push_back(plot_of(timings, options, "small steps", "speedup"));
    document.plots.push_back(plot_of(timings, options, "chain", "speedup_over_chain"));
}

}  // namespace byhand::lab

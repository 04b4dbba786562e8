// How long each form of batch norm's backward takes, and why.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
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

// Seconds of one run of the steps on (n, H). A measurement lasts for so many elements at least, some tens of
// microseconds: far more than a look at the clock.
template <class T>
double seconds_of(std::span<const BoundStep<T>> steps, std::size_t elements) {
    constexpr std::size_t kLeastElements = 100'000;
    const std::size_t repeats = std::max<std::size_t>(1, kLeastElements / elements);
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
void fill(std::vector<T>& values, Mt19937& bits) {
    constexpr int kUnused = 8;  // float has 24 bits
    for (T& value : values) {
        value = static_cast<T>(draw(bits) >> kUnused) * static_cast<T>(0x1p-23) - T{1};
    }
}

// The same gradient that comes back, and differences from the mean, every time.
template <class T>
Numbers<T> values_to_time(std::size_t n, std::size_t H) {
    Numbers<T> v;
    Mt19937 bits = seeded(1);
    std::vector<T> mean(H);
    for (const char* name : {"dbnraw", "bndiff"}) {
        v[name].resize(n * H);
        fill(v[name], bits);
    }
    batchnorm_mean(mean.data(), v["bndiff"].data(), n, H);
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

std::array<StepList, 3> forms_of(const NormConfig& norm, std::size_t n, std::size_t H) {
    return {steps_of(Form::chain, norm, n, H), steps_of(Form::steps, norm, n, H), steps_of(Form::line, norm, n, H)};
}

constexpr std::size_t kStepsArrays = 5;  // that the small steps work on: dbnraw, bndiff, dbndiff2, dbndiff, dhprebn

// One shape in one type by one divisor.
struct Timing {
    std::size_t rows = 0, columns = 0;
    std::size_t size = 0;  // bytes of a number
    Divisor divisor = Divisor::n;
    std::size_t rounds = 0;
    double max_difference = 0;
    Speedup over_steps = {}, over_chain = {};  // of the one line

    const char* type() const { return size == sizeof(float) ? "float" : "double"; }
    std::size_t set() const { return kStepsArrays * rows * columns * size; }
};

// On one thread; after a warm-up, rounds in which every form runs once, or as often as makes a measurable while.
template <class T>
Timing timed(Numbers<T>& v, Timing shape, std::size_t rounds) {
    constexpr double kSeconds = 0.1;
    const NormConfig norm = norm_with(shape.divisor);
    normalise(v, norm, shape.rows, shape.columns);
    const std::array<StepList, 3> forms = forms_of(norm, shape.rows, shape.columns);
    shape.max_difference = difference_of_forms(v, forms);
    std::array<std::vector<BoundStep<T>>, 3> bound;
    std::ranges::transform(forms, bound.begin(), [&](const StepList& steps) { return bind(steps, v); });
    std::array<std::vector<double>, 3> seconds;
    in_rounds(rounds, kSeconds, [&](std::size_t round) {
        for (const std::size_t form : order_of(round)) {
            seconds[form].push_back(seconds_of<T>(bound[form], shape.rows * shape.columns));
        }
    });
    shape.rounds = seconds[2].size();
    shape.over_steps = speedup(seconds[1], seconds[2]);
    shape.over_chain = speedup(seconds[0], seconds[2]);
    return shape;
}

template <class T>
void time_shapes(std::vector<Timing>& timings, const BackwardOptions& options, const Setting& setting) {
    const std::size_t parts = 2 * options.rows.size() * options.columns.size();  // with the other type
    for (const std::size_t rows : options.rows) {
        for (const std::size_t columns : options.columns) {
            Numbers<T> values = values_to_time<T>(rows, columns);
            for (const Divisor divisor : kDivisors) {
                timings.push_back(timed(values, {rows, columns, sizeof(T), divisor}, options.rounds));
            }
            setting.progress(timings.size() / kDivisors.size(), parts);
        }
    }
}

// ---- how fast ----

// Four characters, whatever its size.
std::string shown(double times) {
    constexpr double kTwo = 9.995, kOne = 99.95;  // from there on with a decimal less
    return fmt::format("{:4.{}f}", times, times < kTwo ? 2 : times < kOne ? 1 : 0);
}

Cell cell_of(const Speedup& s) {
    return {fmt::format("{} ({}–{})", shown(s.median), shown(s.p10), shown(s.p90)),
            {{"median", s.median}, {"p10", s.p10}, {"p90", s.p90}}};
}

// A row for each timing.
Table long_table(const std::vector<Timing>& timings) {
    Table table{
        "",
        {"rows", "columns", "elements", "divisor", "type", "max_difference", "speedup", "speedup_over_chain", "rounds"},
        {}};
    for (const Timing& timing : timings) {
        table.rows.push_back({whole(timing.rows), whole(timing.columns), whole(timing.rows * timing.columns),
                              key_of(timing.divisor), timing.type(), significant(timing.max_difference, 2),
                              cell_of(timing.over_steps), cell_of(timing.over_chain), whole(timing.rounds)});
    }
    return table;
}

// The timings of a type come shape by shape, n and then n − 1.
Table table_of(const std::vector<Timing>& timings, const std::string& type) {
    Table table{fmt::format("Speed-up of the one line, {}: median (10th–90th percentile) of the rounds", type),
                {"shape", "set", "over steps, n", "n − 1", "chain, n", "n − 1"},
                {}};
    for (std::size_t i = 0; i + 1 < timings.size(); i += kDivisors.size()) {
        const Timing &by_n = timings[i], &by_n_minus_1 = timings[i + 1];
        if (by_n.type() == type) {
            table.rows.push_back({fmt::format("{} × {}", by_n.rows, by_n.columns), bytes(by_n.set()),
                                  cell_of(by_n.over_steps).shown, cell_of(by_n_minus_1.over_steps).shown,
                                  shown(by_n.over_chain.median), shown(by_n_minus_1.over_chain.median)});
        }
    }
    return table;
}

Plot plot_of(const Table& all, const BackwardOptions& options, const char* over, const char* key) {
    Plot plot{fmt::format("Speed-up of the one line over the {}, float, divisor n", over),
              "elements",
              "times as fast",
              {},
              /*log_x=*/true,
              /*log_y=*/true};
    const Table floats_by_n = rows_where(rows_where(all, "type", "float"), "divisor", "n");
    for (const std::size_t columns : options.columns) {
        plot.series.push_back(series_of(rows_where(floats_by_n, "columns", columns), "elements", key,
                                        fmt::format("{} columns", columns), Style::both));
    }
    return plot;
}

// ---- why: what the formulas count, beside what the clock says ----

// For each element.
struct Counts {
    std::size_t passes = 0, reads = 0, writes = 0, flop = 0, divisions = 0;
};

std::array<Counts, 3> counts_of_forms() {
    std::array<Counts, 3> counts;
    for (std::size_t form = 0; form < counts.size(); ++form) {
        for (const Step& step : steps_of(kForms[form], {}, 2, 1)) {
            const Work& work = work_of(step.in_float.name);
            Counts& sums = counts[form];
            sums.reads += work.reads;
            sums.writes += work.writes;
            sums.passes += work.reads + work.writes;
            sums.flop += work.flop;
            sums.divisions += work.divisions;
        }
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
        table.rows.push_back({kFormNames[form], whole(c.reads), whole(c.writes), whole(c.flop), whole(c.divisions),
                              fixed(share(c.flop, c.passes * sizeof(float)), 2),
                              fixed(share(c.passes, counts[2].passes), 2)});
    }
    return table;
}

// Expected speed-ups, then medians of the shapes whose set fits in one cache and not in the one before.
Table cache_table(const BackwardOptions& options, const std::vector<Timing>& timings,
                  const std::array<Counts, 3>& counts) {
    Table table{"Expected and measured: times as fast as, medians of the shapes whose set lies there",
                {"", "small steps, float", "double", "chain, float", "double"},
                {}};
    for (const auto& [words, count] :
         {std::pair{"expected by passes", &Counts::passes}, {"expected by FLOP", &Counts::flop}}) {
        const Cell steps = fixed(share(counts[1].*count, counts[2].*count), 2);
        const Cell chain = fixed(share(counts[0].*count, counts[2].*count), 2);
        table.rows.push_back({words, steps, steps, chain, chain});
    }
    std::size_t least = 0;  // bytes
    for (std::size_t level = 0; level <= options.caches.size(); ++level) {
        const bool is_last = level == options.caches.size();
        const std::size_t most = is_last ? std::numeric_limits<std::size_t>::max() : options.caches[level];
        std::vector<Cell> row = {!is_last                 ? fmt::format("in L{}, {}", level + 1, bytes(most))
                                 : options.caches.empty() ? "all"
                                                          : "larger"};
        bool is_empty = true;
        for (const auto over : {&Timing::over_steps, &Timing::over_chain}) {
            for (const std::size_t size : {sizeof(float), sizeof(double)}) {
                std::vector<double> medians;
                for (const Timing& timing : timings) {
                    if (timing.size == size && timing.set() > least && timing.set() <= most) {
                        medians.push_back((timing.*over).median);
                    }
                }
                is_empty = is_empty && medians.empty();
                row.emplace_back(medians.empty() ? "–" : fmt::format("{:.2f}", quantile(medians, 0.5)));
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

std::vector<FunctionTime> time_functions(const Timing& shape, std::size_t rounds) {
    constexpr double kSeconds = 0.2;
    const std::size_t elements = shape.rows * shape.columns;
    Numbers<float> values = values_to_time<float>(shape.rows, shape.columns);
    const NormConfig norm = norm_with(Divisor::n);
    normalise(values, norm, shape.rows, shape.columns);
    const std::array<StepList, 3> forms = forms_of(norm, shape.rows, shape.columns);
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
    in_rounds(rounds, kSeconds, [&](std::size_t) {
        for (std::size_t i = 0; i < bound.size(); ++i) {
            measured[i].push_back(seconds_of<float>(std::span(bound).subspan(i, 1), elements));
        }
    });
    for (std::size_t i = 0; i < bound.size(); ++i) {
        times[i].seconds = quantile(measured[i], 0.5);
    }
    return times;
}

constexpr double kGiga = 1e9;

Table functions_table(const Timing& shape, const std::vector<FunctionTime>& times) {
    Table table{
        fmt::format("Each function by itself, {} × {}, float; passes are reads + writes", shape.rows, shape.columns),
        {"batchnorm_", "passes", "FLOP", "goes", "ns/element", "GB/s"},
        {}};
    for (const FunctionTime& time : times) {
        const Work& work = time.work;
        if (work.reads + work.writes > 0) {
            table.rows.push_back({std::string(work.function).substr(std::string("batchnorm_").size()),
                                  fmt::format("{} + {}", work.reads, work.writes), whole(work.flop),
                                  work.bands ? "in bands" : "along rows",
                                  fixed(time.seconds / static_cast<double>(shape.rows * shape.columns) * kGiga, 3),
                                  fixed(time.bytes / time.seconds / kGiga, 1)});
        }
    }
    return table;
}

std::string words_of(const Timing& shape, const std::vector<FunctionTime>& times) {
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
        shape.rows, shape.columns,
        100 * sum(&FunctionTime::seconds, [](const FunctionTime& t) { return t.work.divisions > 0; }) /
            sum(&FunctionTime::seconds, [](const FunctionTime& t) { return t.form == Form::steps; }),
        rate(true), rate(false));
}

// In float: the shape with the largest set of at most so many bytes; the smallest where there is none.
const Timing* largest_of(const std::vector<Timing>& timings, std::size_t most) {
    const Timing* found = &timings.front();
    for (const Timing& timing : timings) {
        const bool fits = timing.set() <= most;
        if (timing.size == sizeof(float) &&
            (found->set() <= most ? fits && timing.set() > found->set() : timing.set() < found->set())) {
            found = &timing;
        }
    }
    return found;
}

void add_reasons(Document& document, const BackwardOptions& options, const std::vector<Timing>& timings) {
    const std::array<Counts, 3> counts = counts_of_forms();
    document.blocks.emplace_back(counts_table(counts));
    document.blocks.emplace_back(
        Text{"A read or a write is a pass over one array. All three have less than one FLOP for each byte that they "
             "pass, so what they read and write should decide, all the more beyond the caches. What is done once a "
             "column is not counted: with few rows it shows."});
    document.blocks.emplace_back(cache_table(options, timings, counts));
    // One that the second cache holds, and one beyond any cache that does not take long.
    constexpr std::size_t kFar = std::size_t{400} << 20;
    const Timing* const near = largest_of(timings, options.caches.size() < 2 ? 0 : options.caches[1]);
    const Timing* const far = largest_of(timings, kFar);
    std::string words;
    for (const Timing* shape : near == far ? std::vector{near} : std::vector{near, far}) {
        const std::vector<FunctionTime> times = time_functions(*shape, options.rounds);
        document.blocks.emplace_back(functions_table(*shape, times));
        words += words_of(*shape, times);
    }
    words += fmt::format(
        "A band is {} columns wide, {} bytes in float, and its next row lies a whole row further on: a sum down a "
        "column goes in bands, and so does all of the one line; the small steps go along the rows wherever they add "
        "nothing up.",
        kSumColumns, kSumColumns * sizeof(float));
    document.blocks.emplace_back(Text{words});
    std::string conclusion;
    for (const auto& [over, speedup] :
         {std::pair{"small steps", &Timing::over_steps}, {"chain", &Timing::over_chain}}) {
        conclusion += fmt::format(
            "{}The one line is faster than the {} in {} of {} cases (10th percentile above 1) and slower in {} (90th "
            "below 1).",
            conclusion.empty() ? "" : " ", over,
            std::ranges::count_if(timings, [&, s = speedup](const Timing& t) { return (t.*s).p10 > 1; }),
            timings.size(),
            std::ranges::count_if(timings, [&, s = speedup](const Timing& t) { return (t.*s).p90 < 1; }));
    }
    document.blocks.emplace_back(Text{conclusion});
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
    std::vector<Timing> timings;
    time_shapes<float>(timings, options, setting);
    time_shapes<double>(timings, options, setting);
    const Table all = long_table(timings);
    document.data["results"] = json_rows(all);
    for (const char* type : {"float", "double"}) {
        document.blocks.emplace_back(table_of(timings, type));
    }
    add_reasons(document, options, timings);
    document.plots.push_back(plot_of(all, options, "small steps", "speedup"));
    document.plots.push_back(plot_of(all, options, "chain", "speedup_over_chain"));
}

}  // namespace byhand::lab

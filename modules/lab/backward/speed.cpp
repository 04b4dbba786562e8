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

// ---- the document ----

// A row for each shape, of divisor n: the speed-ups of both types.
Table shapes_table(const Table& timings) {
    Table table{"Speed-up of the one line, divisor n: median (10th–90th percentile) of the rounds",
                {"shape", "float, steps", "chain", "double, steps", "chain"},
                {}};
    const Table by_n = rows_where(timings, "divisor", "n");
    const Table floats = rows_where(by_n, "type", "float"), doubles = rows_where(by_n, "type", "double");
    const std::vector<double> chain = numbers(floats, "speedup_over_chain"),
                              chain_in_double = numbers(doubles, "speedup_over_chain");
    for (std::size_t i = 0; i < floats.rows.size(); ++i) {
        const std::vector<Cell>&one = floats.rows[i], &other = doubles.rows[i];
        table.rows.push_back({one[0].shown + " × " + one[1].shown, one[6].shown, four_characters(chain[i]),
                              other[6].shown, four_characters(chain_in_double[i])});
    }
    return table;
}

Plot plot_of(const Table& timings, const BackwardOptions& options) {
    Plot plot{"Speed-up of the one line over the small steps, float, divisor n",
              "elements",
              "times as fast",
              {},
              /*log_x=*/true,
              /*log_y=*/true};
    const Table floats_by_n = rows_where(rows_where(timings, "type", "float"), "divisor", "n");
    for (const std::size_t columns : options.columns) {
        plot.series.push_back(series_of(rows_where(floats_by_n, "columns", columns), "elements", "speedup",
                                        fmt::format("{} columns", columns), Style::both));
    }
    return plot;
}

std::string conclusion_of(const Table& timings) {
    std::string conclusion;
    for (const auto& [over, key] : {std::pair{"small steps", "speedup"}, {"chain", "speedup_over_chain"}}) {
        const Series series = series_of(timings, "elements", key, "");
        conclusion += fmt::format(
            "{}The one line is faster than the {} in {} of {} cases (10th percentile above 1) and slower in {} (90th "
            "below 1).",
            conclusion.empty() ? "" : " ", over, std::ranges::count_if(series.low, [](double p10) { return p10 > 1; }),
            series.y.size(), std::ranges::count_if(series.high, [](double p90) { return p90 < 1; }));
    }
    return conclusion;
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

void add_speed(Document& document, const BackwardOptions& options, const Setting& setting) {
    document.blocks.emplace_back(Text{fmt::format(
        "How fast: from dbnraw to dx on one thread, after a warm-up; in each round every form runs, in an order that "
        "changes, and a speed-up is a ratio of two times of one round. {} rounds, three if they take long, one if it "
        "takes half a second.",
        options.rounds)});
    Table timings = timings_table();
    time_shapes<float>(timings, options, setting);
    time_shapes<double>(timings, options, setting);
    document.data["results"] = json_of_rows(timings);
    document.blocks.emplace_back(shapes_table(timings));
    document.plots.push_back(plot_of(timings, options));
    document.blocks.emplace_back(as_conclusion(conclusion_of(timings)));
}

}  // namespace byhand::lab

// How far each form of batch norm's backward is off, on data that are easy and hard.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/quantile.h"
#include "lab/backward/backward.h"
#include "manual/batchnorm/formulas.h"
#include "names/random.h"
#include "report/rows.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kRows = 128, kColumns = 7;
constexpr std::size_t kLine = 2;                                    // in kForms
constexpr std::array kShort = {"chain", "steps", "line"};           // of kForms
constexpr std::array kKeys = {"chain", "small_steps", "one_line"};  // in the JSON

template <class T>
constexpr const char* kType = sizeof(T) == sizeof(float) ? "float" : "double";

const char* words_of(Divisor divisor) {
    return divisor == Divisor::n ? "divisor n" : "divisor n − 1";
}

// Of two draws in float, the second for the digits that the first does not have.
std::vector<double> normal(TorchGenerator& generator, std::size_t count, double mean, double deviation) {
    constexpr double kBelowFloat = 0x1p-24;
    std::vector<float> z(count), digits(count);
    randn(generator, z);
    randn(generator, digits);
    std::vector<double> values(count);
    std::ranges::transform(z, digits, values.begin(), [=](float high, float low) {
        return mean + deviation * (static_cast<double>(high) + kBelowFloat * static_cast<double>(low));
    });
    return values;
}

template <class T>
double largest(const std::vector<T>& values) {
    T most = 0;
    for (const T value : values) {
        if (std::isnan(value)) {
            return NAN;
        }
        most = std::max(most, std::abs(value));
    }
    return static_cast<double>(most);
}

template <class T>
double largest_distance(const std::vector<T>& a, const std::vector<T>& b) {
    std::vector<T> off;
    std::ranges::transform(a, b, std::back_inserter(off), std::minus());
    return largest(off);
}

double median(const std::vector<double>& values) {
    const auto is_nan = [](double value) { return std::isnan(value); };
    return std::ranges::any_of(values, is_nan) ? NAN : quantile(values, 0.5);
}

template <class T>
std::pair<std::size_t, std::size_t> shape_of(const Numbers<T>& in) {
    const std::size_t H = in["bngain"].size();
    return {in["hprebn"].size() / H, H};
}

// The one line by the same functions in long double, which steps do not have.
std::vector<long double> in_long_double(const Numbers<double>& in, const NormConfig& norm) {
    using Long = std::vector<long double>;
    const auto [n, H] = shape_of(in);
    const Long x = as<long double>(in["hprebn"]), dy = as<long double>(in["dhpreact"]),
               gain = as<long double>(in["bngain"]);
    Long mean(H), variance(H), inverse(H), difference(n * H), square(n * H), raw(n * H), dx(n * H);
    batchnorm_mean(mean.data(), x.data(), n, H, n);
    batchnorm_difference(difference.data(), x.data(), mean.data(), n, H);
    batchnorm_square(square.data(), difference.data(), n * H);
    batchnorm_variance(variance.data(), square.data(), n, H, n, norm.batch_divisor);
    batchnorm_inverse_deviation(inverse.data(), variance.data(), H, norm.epsilon, norm.epsilon_place);
    batchnorm_normalise(raw.data(), difference.data(), inverse.data(), n, H);
    batchnorm_raw_backward(dx.data(), dy.data(), gain.data(), n, H);
    batchnorm_backward(dx.data(), dx.data(), raw.data(), inverse.data(), variance.data(), n, H, norm.batch_divisor,
                       norm.epsilon, norm.epsilon_place);
    return dx;
}

std::vector<double> by_torch(const Numbers<double>& in, const NormConfig& norm, const Setting& setting) {
    const auto [n, H] = shape_of(in);
    return evaluate(*setting.torch->single_operation(op::kBatchnorm, norm, n, H), "dhprebn", in);
}

template <class T>
std::vector<long double> reference(const Numbers<T>& in, const NormConfig& norm, const Setting& setting) {
    const Numbers<double> exact = as<double>(in);
    return std::is_same_v<T, float> && setting.torch != nullptr ? as<long double>(by_torch(exact, norm, setting))
                                                                : in_long_double(exact, norm);
}

}  // namespace

Numbers<double> drawn(const NormData& data, std::uint64_t seed) {
    TorchGenerator generator = torch_seeded(seed);
    const std::size_t count = data.rows * data.columns;
    constexpr double kSpread = 0.25;
    Numbers<double> in;
    in["hprebn"] = normal(generator, count, data.mean, data.deviation);
    in["dhpreact"] = normal(generator, count, 0, 1);
    in["bngain"] = normal(generator, data.columns, 1, kSpread);
    in["bnbias"] = normal(generator, data.columns, 0, kSpread);
    return in;
}

template <class T>
ThreeForms<T> three_forms(const Numbers<T>& in, const NormConfig& norm) {
    const auto [n, H] = shape_of(in);
    ThreeForms<T> forms{forward_and_backward(operation_graph(op::kBatchnorm, norm, n, H), in), {}};
    for (std::size_t form = 0; form < kForms.size(); ++form) {
        run(steps_of(kForms[form], norm, n, H), forms.values);
        forms.dx[form] = forms.values["dhprebn"];
    }
    return forms;
}

template <class T>
std::vector<T> without_path(Numbers<T>& values, const NormConfig& norm) {
    const auto [n, H] = shape_of(values);
    StepList chain = steps_of(Form::chain, norm, n, H);
    values["no_dbnvar"].assign(H, T{0});
    std::ranges::replace(chain[1].reads, "dbnvar", "no_dbnvar");
    run(chain, values);
    return values["dhprebn"];
}

template <class T>
double relative_error(const std::vector<T>& values, const std::vector<long double>& expected) {
    return largest_distance(as<long double>(values), expected) / largest(expected);
}

template <class T>
Errors median_errors(const NormData& data, const NormConfig& norm, const Seeds& seeds, const Setting& setting) {
    std::array<std::vector<double>, 3> errors;
    std::vector<double> sums, changes, without;
    for (const std::uint64_t seed : list(seeds)) {
        const Numbers<T> in = as<T>(drawn(data, seed));
        const std::vector<long double> expected = reference(in, norm, setting);
        ThreeForms<T> forms = three_forms(in, norm);
        for (std::size_t form = 0; form < errors.size(); ++form) {
            errors[form].push_back(relative_error(forms.dx[form], expected));
        }
        const std::vector<T> left_out = without_path(forms.values, norm);
        std::vector<T> sum(data.columns);
        sum_rows(sum.data(), forms.values["bndiff"].data(), data.rows, data.columns);
        sums.push_back(largest(sum) / (static_cast<double>(data.rows) * data.deviation));
        changes.push_back(relative_error(left_out, as<long double>(forms.dx[0])));
        without.push_back(relative_error(left_out, expected));
    }
    return {{median(errors[0]), median(errors[1]), median(errors[2])}, median(sums), median(changes), median(without)};
}

std::vector<Agreement> agreements(const NormData& data, const NormConfig& norm, std::uint64_t seed,
                                  const Setting& setting) {
    const Numbers<float> in = as<float>(drawn(data, seed));
    const std::vector<double> torch = by_torch(as<double>(in), norm, setting);
    const ThreeForms<float> forms = three_forms(in, norm);
    const ThreeForms<Rounded> bounds = three_forms(as<Rounded>(in), norm);
    std::vector<Agreement> found;
    found.reserve(kForms.size() + 1);
    for (std::size_t form = 0; form < kForms.size(); ++form) {
        found.push_back(agreement(kFormNames[form], forms.dx[form], bounds.dx[form], torch));
    }
    // What is off by at most the limits in float is off by 2^29 times less in double.
    constexpr double kFloatToDouble = 0x1p-29;
    const std::vector<long double> exact = in_long_double(as<double>(in), norm);
    std::vector<double> differences, limits;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        differences.push_back(static_cast<double>(exact[i] - static_cast<long double>(torch[i])));
        limits.push_back(bounds.dx[kLine][i].any_order() * kFloatToDouble);
    }
    found.push_back(agreement_within("long double", differences, std::vector<double>(exact.size(), 0), limits));
    return found;
}

template ThreeForms<float> three_forms(const Numbers<float>&, const NormConfig&);
template ThreeForms<Rounded> three_forms(const Numbers<Rounded>&, const NormConfig&);
template std::vector<float> without_path(Numbers<float>&, const NormConfig&);
template double relative_error(const std::vector<double>&, const std::vector<long double>&);
template Errors median_errors<float>(const NormData&, const NormConfig&, const Seeds&, const Setting&);

// ---- on the same data ----

namespace {

template <class T>
void add_differences(Table& table, const NormData& data, std::uint64_t seed) {
    for (const Divisor divisor : kDivisors) {
        const auto [chain, steps, line] = three_forms(as<T>(drawn(data, seed)), norm_with(divisor)).dx;
        table.rows.push_back({fmt::format("{}, {}", kType<T>, words_of(divisor)),
                              significant(largest_distance(chain, steps), 2),
                              significant(largest_distance(chain, line), 2),
                              significant(largest_distance(steps, line), 2), significant(largest(line), 3)});
    }
}

}  // namespace

void add_differences(Document& document, const BackwardOptions& options, const Setting& setting) {
    const NormData easy{kRows, kColumns, 1, 1};
    const std::uint64_t seed = options.seeds.first;
    Table table{fmt::format("The same data by the three forms: {} rows, {} columns, mean 1, deviation 1; the largest "
                            "differences",
                            kRows, kColumns),
                {"", "chain−steps", "chain−line", "steps−line", "largest |dx|"},
                {}};
    add_differences<float>(table, easy, seed);
    add_differences<double>(table, easy, seed);
    document.blocks.emplace_back(std::move(table));
    for (const Divisor divisor : kDivisors) {
        if (setting.torch != nullptr) {
            add_agreements(document,
                           fmt::format("Against LibTorch in double, {}: the forms in float, and long double by hand by "
                                       "limits for double",
                                       words_of(divisor)),
                           agreements(easy, norm_with(divisor), seed, setting));
        }
    }
}

// ---- under conditions ----

namespace {

struct Condition {
    NormData data;
    double epsilon = 1e-5;
};

// Conditions that differ in what the first columns of their table show.
struct Group {
    const char* name;
    const char* title;
    std::vector<Column> columns;  // with the keys of the long table
    std::vector<Condition> conditions;
};

std::vector<Group> groups() {
    const std::vector<Column> spread = {{"σ", "deviation"}, {"ε", "epsilon"}};
    Group mean{"large mean", "The mean grows, 128 rows, deviation 1, ε 1e-5", {{"mean/deviation", "mean"}}, {}};
    for (const double ratio : {1.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6}) {
        mean.conditions.push_back({{kRows, kColumns, ratio, 1}});
    }
    Group small{"small variance", "The variance shrinks under ε, 128 rows, mean 0", spread, {}};
    for (const double deviation : {1e-1, 1e-2, 1e-3, 1e-4, 1e-8, 0.0}) {
        small.conditions.push_back({{kRows, kColumns, 0, deviation}});
    }
    Group bare{"variance, no ε", "The variance shrinks and there is no ε, 128 rows, mean 0", spread, {}};
    for (const double deviation : {1e-4, 1e-8, 1e-12, 1e-14, 1e-16, 1e-20}) {
        bare.conditions.push_back({{kRows, kColumns, 0, deviation}, 0});
    }
    Group batch{"large batch", "The batch grows, mean 1, deviation 1, ε 1e-5", {{"rows", "rows"}}, {}};
    for (const std::size_t rows : {8, 64, 512, 4096, 65536}) {
        constexpr std::size_t kFew = 3;
        batch.conditions.push_back({{rows, kFew, 1, 1}});
    }
    return {mean, small, bare, batch};
}

template <class T>
void measure(Table& all, const Group& group, const Condition& condition, Divisor divisor, const Seeds& seeds,
             const Setting& setting) {
    const NormData& data = condition.data;
    std::vector<Cell>& row = all.rows.emplace_back(
        std::vector<Cell>{group.name, significant(data.mean, 3), significant(data.deviation, 3),
                          significant(condition.epsilon, 3), whole(data.rows), key_of(divisor), kType<T>});
    for (const double error : median_errors<T>(data, norm_with(divisor, condition.epsilon), seeds, setting).forms) {
        row.push_back(significant(error, 2));
    }
}

// A row for each condition, with both types side by side.
Table table_of(const Group& group, const Table& all) {
    Table table{std::string(group.title) + ": error of dx over the largest |dx|, divisor n", group.columns, {}};
    const Table by_n = rows_where(all, "divisor", "n");
    const Table floats = rows_where(by_n, "type", "float"), doubles = rows_where(by_n, "type", "double");
    const std::size_t first = all.columns.size() - kForms.size();
    for (const char* type : {"float ", "double "}) {
        for (const char* form : kShort) {
            table.columns.emplace_back((form == kShort[0] ? type : "") + std::string(form));
        }
    }
    for (std::size_t i = 0; i < floats.rows.size(); ++i) {
        std::vector<Cell>& row = table.rows.emplace_back();
        for (const Column& column : group.columns) {
            const auto at = std::ranges::find(all.columns, column.key, &Column::key) - all.columns.begin();
            row.push_back(floats.rows[i][static_cast<std::size_t>(at)]);
        }
        for (const Table* type : {&floats, &doubles}) {
            row.insert(row.end(), type->rows[i].begin() + static_cast<std::ptrdiff_t>(first), type->rows[i].end());
        }
    }
    return table;
}

// By how much each form's error exceeds that of the best, as the median of all rows; how often it is not finite; and
// which forms are the most accurate.
std::vector<Cell> standing_of(const Group& group, const Table& all, const char* type) {
    constexpr double kAlike = 1.2;  // medians over few seeds scatter by some 10 %
    std::array<std::vector<double>, 3> errors, times;
    for (std::size_t form = 0; form < errors.size(); ++form) {
        errors[form] = numbers(all, kKeys[form]);
    }
    std::array<std::size_t, 3> not_finite{};
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
        double best = INFINITY;
        for (const std::vector<double>& of_form : errors) {
            best = of_form[i] < best ? of_form[i] : best;
        }
        for (std::size_t form = 0; form < errors.size(); ++form) {
            if (!std::isfinite(errors[form][i])) {
                ++not_finite[form];
            } else if (best > 0) {
                times[form].push_back(errors[form][i] / best);
            }
        }
    }
    const std::size_t fewest = std::ranges::min(not_finite);
    std::vector<Cell> row = {group.name, type};
    std::array<double, 3> typical{};  // infinite where another form is finite more often
    for (std::size_t form = 0; form < times.size(); ++form) {
        const double middle = times[form].empty() ? NAN : quantile(times[form], 0.5);
        row.push_back(fixed(middle, 2));
        typical[form] = not_finite[form] == fewest && middle >= 0 ? middle : INFINITY;
    }
    std::vector<std::string> best;
    for (std::size_t form = 0; form < times.size(); ++form) {
        if (std::isfinite(typical[form]) && typical[form] <= kAlike * std::ranges::min(typical)) {
            best.emplace_back(kShort[form]);
        }
    }
    row.emplace_back(fmt::format("{} of {}", fmt::join(not_finite, ", "), all.rows.size()));
    row.emplace_back(best.size() == kForms.size() ? "alike" : fmt::format("{}", fmt::join(best, ", ")));
    return row;
}

Plot plot_of(const Table& all, const char* type) {
    Plot plot{fmt::format("Error of dx by mean/deviation, {}, divisor n", type),
              "mean/deviation",
              "error over the largest |dx|",
              {},
              /*log_x=*/true,
              /*log_y=*/true};
    for (std::size_t form = 0; form < kForms.size(); ++form) {
        plot.series.push_back(series_of(rows_where(rows_where(all, "divisor", "n"), "type", type), "mean", kKeys[form],
                                        kFormNames[form], Style::both));
    }
    return plot;
}

// Below it −½·deviation⁻³ leaves the range of T.
template <class T>
double least_deviation() {
    return std::cbrt(0.5 / static_cast<double>(std::numeric_limits<T>::max()));
}

}  // namespace

void add_accuracy(Document& document, const BackwardOptions& options, const Setting& setting) {
    document.blocks.emplace_back(Text{fmt::format(
        "How exact each is: medians over {} seeds of the largest error. The reference is {} for float, and long double "
        "by hand for double.",
        options.seeds.count, setting.torch == nullptr ? "long double by hand" : "LibTorch in double")});
    Table standings{"Error over that of the best form, medians of all rows above and both divisors",
                    {"", "type", "chain", "steps", "line", "not finite", "most accurate"},
                    {}};
    std::string not_alike;
    Json data = Json::array();
    for (const Group& group : groups()) {
        // A row for each divisor, condition and type.
        Table all{"", {"group", "mean", "deviation", "epsilon", "rows", "divisor", "type"}, {}};
        all.columns.insert(all.columns.end(), kKeys.begin(), kKeys.end());
        for (const Divisor divisor : kDivisors) {
            for (const Condition& condition : group.conditions) {
                measure<float>(all, group, condition, divisor, options.seeds, setting);
                measure<double>(all, group, condition, divisor, options.seeds, setting);
            }
        }
        const Json rows = json_of_rows(all);
        std::ranges::for_each(rows, [&](const Json& row) { data.push_back(row); });
        document.blocks.emplace_back(table_of(group, all));
        for (const char* type : {"float", "double"}) {
            const std::vector<Cell>& row =
                standings.rows.emplace_back(standing_of(group, rows_where(all, "type", type), type));
            if (row.back().shown != "alike") {
                not_alike += fmt::format("{}, {}: {}; ", group.name, type, row.back().shown);
            }
            if (group.columns.front().key == "mean") {
                document.plots.push_back(plot_of(all, type));
            }
        }
    }
    document.data["accuracy"] = std::move(data);
    document.blocks.emplace_back(std::move(standings));
    document.blocks.emplace_back(as_conclusion(fmt::format(
        "Most accurate: {}{} alike. A mean is rounded in its own digits, so each difference from it is off by u·mean, "
        "and all three forms inherit that (u is 6e-08 in float, 1.1e-16 in double). Without ε the chain and the small "
        "steps take ½·deviation⁻³, which leaves the range of float at deviations below {:.1e}, of double below {:.1e}; "
        "the one line has no cube.",
        not_alike, not_alike.empty() ? "all are" : "elsewhere they are", least_deviation<float>(),
        least_deviation<double>())));
}

// ---- note 1's path from the variance to the mean ----

namespace {

template <class T>
void add_ratios(Table& figures, Table& digits, const BackwardOptions& options, const Setting& setting) {
    const NormConfig norm = norm_with(Divisor::n_minus_1);
    for (const double ratio : {0.0, 1.0, 1e3, 1e6}) {  // mean over deviation
        const NormData data{kRows, kColumns, ratio, 1};
        const Errors errors = median_errors<T>(data, norm, options.seeds, setting);
        figures.rows.push_back({kType<T>, significant(ratio, 3), significant(errors.path_sum, 2),
                                significant(errors.path_change, 2), significant(errors.forms[0], 2),
                                significant(errors.without_path, 2), significant(errors.forms[kLine], 2)});
        ThreeForms<T> forms = three_forms(as<T>(drawn(data, options.seeds.first)), norm);
        const auto first = [](const std::vector<T>& dx) {
            return significant(static_cast<double>(dx[0]), std::numeric_limits<T>::max_digits10);
        };
        digits.rows.push_back({fmt::format("{}, mean/deviation {:g}", kType<T>, ratio), first(forms.dx[0]),
                               first(without_path(forms.values, norm))});
    }
}

std::string range_of(const std::vector<double>& values) {
    const auto [least, most] = std::ranges::minmax(values);
    const std::string low = fmt::format("{:.2f}", least), high = fmt::format("{:.2f}", most);
    return low == high ? low : low + " to " + high;
}

}  // namespace

void add_path(Document& document, const BackwardOptions& options, const Setting& setting) {
    document.blocks.emplace_back(
        Text{"Note 1 leads a path from the variance to the mean, dbnvar·Σ(−2)·bndiff/D. The differences from a mean "
             "add up to 0, so it carries nothing: in real numbers. In floating point the mean is rounded, and the "
             "sum is n times what its rounding left."});
    Table figures{"The path, medians over the seeds, divisor n − 1",
                  {{"", "type"},
                   {"mean/dev.", "mean_over_deviation"},
                   {"|Σ bndiff|/nσ", "sum"},
                   {"change of dx", "change"},
                   {"error with", "error_with"},
                   {"without", "error_without"},
                   {"one line", "error_one_line"}},
                  {}};
    Table digits{"dx of the first row and column, to all its digits", {"", "with the path", "without"}, {}};
    add_ratios<float>(figures, digits, options, setting);
    add_ratios<double>(figures, digits, options, setting);
    const std::vector<double> ratio = numbers(figures, "mean_over_deviation"), with = numbers(figures, "error_with"),
                              without = numbers(figures, "error_without"), line = numbers(figures, "error_one_line");
    std::vector<double> small_mean, large_mean, of_line;  // ratios of errors
    for (std::size_t i = 0; i < ratio.size(); ++i) {
        (ratio[i] <= 1 ? small_mean : large_mean).push_back(without[i] / with[i]);
        of_line.push_back(line[i] / without[i]);
    }
    document.data["path"] = json_of_rows(figures);
    document.blocks.emplace_back(std::move(figures));
    document.blocks.emplace_back(std::move(digits));
    constexpr double kMatters = 1.1;
    const char* carries = std::ranges::min(large_mean) > kMatters
                              ? "carries what the rounding of the mean left in the differences, and takes it off again"
                          : std::ranges::max(large_mean) < kMatters ? "carries nothing either"
                                                                    : "carries something in some cases only";
    document.blocks.emplace_back(Text{fmt::format(
        "Without the path, the error is {} times as large where the mean is no larger than the deviation, and {} times "
        "where it is 1,000 times as large or more: there the path {}. The one line has no such path: its error is {} "
        "times that of the chain without it.",
        range_of(small_mean), range_of(large_mean), carries, range_of(of_line))});
}

}  // namespace byhand::lab

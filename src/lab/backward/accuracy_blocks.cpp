// How exact the three forms are: the tables and what follows from them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/json.h"
#include "base/quantile.h"
#include "lab/backward/accuracy.h"
#include "lab/backward/blocks.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kRows = 128, kColumns = 7;
constexpr double kEpsilon = 1e-5;
constexpr const char* kAllAlike = "alike";
constexpr const char* kShort[] = {"chain", "steps", "line"};  // of kForms

struct Condition {
    NormData data;
    double epsilon = kEpsilon;
};

// Conditions that differ in one thing; what that is stands in the first columns of their table.
struct Group {
    const char* name;
    const char* title;
    std::vector<Column> columns;
    std::vector<Cell> (*shown)(const Condition& condition);
    std::vector<Condition> conditions;
};

struct Measured {
    std::size_t condition;
    Divisor divisor;
    std::array<Errors, 2> errors;  // float, double
};

std::vector<Group> groups() {
    Group mean{"large mean",
               "The mean grows, 128 rows, deviation 1, ε 1e-5",
               {"mean/deviation"},
               [](const Condition& c) { return std::vector{significant(c.data.mean, 3)}; },
               {}};
    for (const double ratio : {1.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6}) {
        mean.conditions.push_back({{kRows, kColumns, ratio, 1}});
    }
    const auto spread = [](const Condition& c) {
        return std::vector{significant(c.data.deviation, 3), significant(c.epsilon, 3)};
    };
    Group small{"small variance", "The variance shrinks under ε, 128 rows, mean 0", {"σ", "ε"}, spread, {}};
    for (const double deviation : {1e-1, 1e-2, 1e-3, 1e-4, 1e-8, 0.0}) {
        small.conditions.push_back({{kRows, kColumns, 0, deviation}});
    }
    Group bare{"variance, no ε", "The variance shrinks and there is no ε, 128 rows, mean 0", {"σ", "ε"}, spread, {}};
    for (const double deviation : {1e-4, 1e-8, 1e-12, 1e-14, 1e-16, 1e-20}) {
        bare.conditions.push_back({{kRows, kColumns, 0, deviation}, 0});
    }
    Group batch{"large batch",
                "The batch grows, mean 1, deviation 1, ε 1e-5",
                {"rows"},
                [](const Condition& c) { return std::vector{whole(c.data.rows)}; },
                {}};
    for (const std::size_t rows : {8, 64, 512, 4096, 65536}) {
        constexpr std::size_t kFew = 3;
        batch.conditions.push_back({{rows, kFew, 1, 1}});
    }
    return {mean, small, bare, batch};
}

std::vector<Measured> measure(const Group& group, const BackwardOptions& options, const Setting& setting) {
    std::vector<Measured> all;
    for (const Divisor divisor : kDivisors) {
        for (std::size_t i = 0; i < group.conditions.size(); ++i) {
            const Condition& condition = group.conditions[i];
            const NormConfig norm = norm_with(divisor, condition.epsilon);
            all.push_back({i,
                           divisor,
                           {median_errors<float>(condition.data, norm, options.seeds, setting),
                            median_errors<double>(condition.data, norm, options.seeds, setting)}});
        }
    }
    return all;
}

void add_data(Document& document, const Group& group, const std::vector<Measured>& all) {
    for (const Measured& one : all) {
        const Condition& condition = group.conditions[one.condition];
        for (std::size_t type = 0; type < one.errors.size(); ++type) {
            const Errors& errors = one.errors[type];
            document.data["accuracy"].push_back({{"group", group.name},
                                                 {"mean", condition.data.mean},
                                                 {"deviation", condition.data.deviation},
                                                 {"epsilon", condition.epsilon},
                                                 {"rows", condition.data.rows},
                                                 {"divisor", key_of(one.divisor)},
                                                 {"type", type == 0 ? "float" : "double"},
                                                 {"chain", number(errors[0])},
                                                 {"small_steps", number(errors[1])},
                                                 {"one_line", number(errors[2])}});
        }
    }
}

Table table_of(const Group& group, const std::vector<Measured>& all) {
    Table table{std::string(group.title) + ": error of dx over the largest |dx|, divisor n", group.columns, {}};
    for (const char* type : {"float ", "double "}) {
        for (const char* form : kShort) {
            table.columns.emplace_back((form == kShort[0] ? type : "") + std::string(form));
        }
    }
    for (const Measured& one : all) {
        if (one.divisor != Divisor::n) {
            continue;
        }
        std::vector<Cell>& row = table.rows.emplace_back(group.shown(group.conditions[one.condition]));
        for (const Errors& errors : one.errors) {
            for (const double error : errors) {
                row.push_back(significant(error, 2));
            }
        }
    }
    return table;
}

// Of a group and a type: by how much each form's error exceeds that of the best, and how often it is not finite.
struct Standing {
    std::array<double, 3> times{NAN, NAN, NAN};
    std::array<std::size_t, 3> not_finite{};
    std::size_t cases = 0;
    std::string best;
};

Standing standing_of(const std::vector<Measured>& all, std::size_t type) {
    constexpr double kAlike = 1.2;  // medians over few seeds scatter by some 10 %
    Standing found;
    std::array<std::vector<double>, 3> times;
    for (const Measured& one : all) {
        const Errors& errors = one.errors[type];
        double best = INFINITY;
        for (const double error : errors) {
            best = error < best ? error : best;
        }
        ++found.cases;
        for (std::size_t form = 0; form < errors.size(); ++form) {
            if (!std::isfinite(errors[form])) {
                ++found.not_finite[form];
            } else if (best > 0) {
                times[form].push_back(errors[form] / best);
            }
        }
    }
    for (std::size_t form = 0; form < times.size(); ++form) {
        found.times[form] = times[form].empty() ? NAN : quantile(times[form], 0.5);
    }
    const std::size_t fewest = *std::ranges::min_element(found.not_finite);
    double least = INFINITY;
    for (std::size_t form = 0; form < times.size(); ++form) {
        least = found.not_finite[form] == fewest && found.times[form] < least ? found.times[form] : least;
    }
    std::vector<std::string> best;
    for (std::size_t form = 0; form < times.size(); ++form) {
        if (found.not_finite[form] == fewest && found.times[form] <= kAlike * least) {
            best.emplace_back(kShort[form]);
        }
    }
    found.best = best.size() == std::size(kForms) ? kAllAlike : fmt::format("{}", fmt::join(best, ", "));
    return found;
}

// Adds to the conclusion where they are not alike.
void add_standing(Table& table, std::string& conclusion, const Group& group, const std::vector<Measured>& all) {
    for (const std::size_t type : {0, 1}) {
        const Standing found = standing_of(all, type);
        if (found.best != kAllAlike) {
            conclusion += fmt::format("{}, {}: {}; ", group.name, type == 0 ? "float" : "double", found.best);
        }
        std::vector<Cell>& row = table.rows.emplace_back();
        row.emplace_back(group.name);
        row.emplace_back(type == 0 ? "float" : "double");
        for (const double times : found.times) {
            row.push_back(fixed(times, 2));
        }
        row.emplace_back(fmt::format("{} of {}", fmt::join(found.not_finite, ", "), found.cases));
        row.emplace_back(found.best);
    }
}

Plot plot_of(const Group& group, const std::vector<Measured>& all, std::size_t type) {
    Plot plot{fmt::format("Error of dx by mean/deviation, {}, divisor n", type == 0 ? "float" : "double"),
              "mean/deviation",
              "error over the largest |dx|",
              {},
              true,
              true,
              false};
    for (std::size_t form = 0; form < std::size(kForms); ++form) {
        Series series{name_of(kForms[form]), {}, {}, {}, {}, Style::both};
        for (const Measured& one : all) {
            if (one.divisor == Divisor::n) {
                series.x.push_back(group.conditions[one.condition].data.mean);
                series.y.push_back(one.errors[type][form]);
            }
        }
        plot.series.push_back(std::move(series));
    }
    return plot;
}

// Below it −½·deviation⁻³ leaves the range of T.
template <class T>
double least_deviation() {
    return std::cbrt(0.5 / static_cast<double>(std::numeric_limits<T>::max()));
}

}  // namespace

void tell_accuracy(Document& document, const BackwardOptions& options, const Setting& setting) {
    document.blocks.emplace_back(Text{fmt::format(
        "How exact each is: medians over {} seeds of the largest error, against {} for float and long double by hand "
        "for double.",
        options.seeds.count, setting.torch == nullptr ? "long double by hand" : "LibTorch in double")});
    Table standings{"Error over that of the best form, medians of all rows above and both divisors",
                    {"", "type", "chain", "steps", "line", "not finite", "most accurate"},
                    {}};
    std::string conclusion;
    for (const Group& group : groups()) {
        const std::vector<Measured> all = measure(group, options, setting);
        document.blocks.emplace_back(table_of(group, all));
        add_data(document, group, all);
        add_standing(standings, conclusion, group, all);
        if (group.name == groups().front().name) {
            document.plots.push_back(plot_of(group, all, 0));
            document.plots.push_back(plot_of(group, all, 1));
        }
    }
    document.blocks.emplace_back(standings);
    document.blocks.emplace_back(Text{fmt::format(
        "Most accurate: {}{} A mean is rounded in its own digits, so each difference from it is off by u·mean, and all "
        "three forms "
        "inherit that (u is 6e-08 in float, 1.1e-16 in double). Without ε the chain and the small steps take "
        "½·deviation⁻³, which leaves the range of float at deviations below {:.1e}, of double below {:.1e}; the one "
        "line has no cube.",
        conclusion, conclusion.empty() ? "none, they are alike." : "elsewhere they are alike.",
        least_deviation<float>(), least_deviation<double>())});
}

}  // namespace byhand::lab

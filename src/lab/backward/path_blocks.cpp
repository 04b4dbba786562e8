// Note 1's path from the variance to the mean: what it carries.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>

#include "base/json.h"
#include "lab/backward/accuracy.h"
#include "lab/backward/blocks.h"

namespace byhand::lab {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr double kRatios[] = {0, 1, 1e3, 1e6};  // mean over deviation

NormData data_of(double ratio) {
    constexpr std::size_t kRows = 128, kColumns = 7;
    return {kRows, kColumns, ratio, 1};
}

// The first number of dx with the path and without, to all its digits.
template <class T>
std::vector<Cell> digits(double ratio, const BackwardOptions& options) {
    const NormConfig norm = norm_with(Divisor::n_minus_1, kEpsilon);
    ThreeForms<T> forms = three_forms(as<T>(drawn(data_of(ratio), options.seeds.first)), norm);
    const auto all = [](T value) {
        return significant(static_cast<double>(value), std::numeric_limits<T>::max_digits10);
    };
    return {fmt::format("{}, mean/deviation {:g}", type_name<T>(), ratio), all(forms.dx[0][0]),
            all(without_path(forms.values, norm)[0])};
}

struct Range {
    double least = std::numeric_limits<double>::infinity(), most = 0;

    void add(double value) {
        least = std::min(least, value);
        most = std::max(most, value);
    }
    std::string words() const {
        const std::string low = fmt::format("{:.2f}", least), high = fmt::format("{:.2f}", most);
        return low == high ? low : low + " to " + high;
    }
};

struct Told {
    Table figures{"The path, medians over the seeds, divisor n − 1",
                  {"", "mean/dev.", "|Σ bndiff|/nσ", "change of dx", "error with", "without", "one line"},
                  {}};
    Table digits{"dx of the first row and column, to all its digits", {"", "with the path", "without"}, {}};
    // The error without the path over that with it, as a range: where the mean is no larger than the deviation, and
    // where it is 1,000 times that or more. And that of the one line over the chain's without the path.
    Range small_mean, large_mean, line;
};

template <class T>
void add(Told& told, Document& document, const BackwardOptions& options, const Setting& setting) {
    const NormConfig norm = norm_with(Divisor::n_minus_1, kEpsilon);
    for (const double ratio : kRatios) {
        const PathFigures found = path_figures<T>(data_of(ratio), norm, options.seeds, setting);
        const Errors errors = median_errors<T>(data_of(ratio), norm, options.seeds, setting);
        told.figures.rows.push_back({type_name<T>(), significant(ratio, 3), significant(found.sum, 2),
                                     significant(found.change, 2), significant(found.with, 2),
                                     significant(found.without, 2), significant(errors[2], 2)});
        told.digits.rows.push_back(digits<T>(ratio, options));
        document.data["path"].push_back({{"type", type_name<T>()},
                                         {"mean_over_deviation", ratio},
                                         {"sum", number(found.sum)},
                                         {"change", number(found.change)},
                                         {"error_with", number(found.with)},
                                         {"error_without", number(found.without)}});
        (ratio <= 1 ? told.small_mean : told.large_mean).add(found.without / found.with);
        told.line.add(errors[2] / found.without);
    }
}

}  // namespace

void tell_path(Document& document, const BackwardOptions& options, const Setting& setting) {
    document.blocks.emplace_back(
        Text{"Note 1 leads a path from the variance to the mean, dbnvar·Σ(−2)·bndiff/D. The differences from a mean "
             "add up to 0, so it carries nothing: in real numbers. In floating point the mean is rounded, and the "
             "sum is what its rounding left, n times over."});
    Told told;
    add<float>(told, document, options, setting);
    add<double>(told, document, options, setting);
    document.blocks.emplace_back(std::move(told.figures));
    document.blocks.emplace_back(std::move(told.digits));
    constexpr double kMatters = 1.1;
    document.blocks.emplace_back(Text{fmt::format(
        "Where the mean is no larger than the deviation, leaving the path out makes the error {} times as large; where "
        "it is 1,000 times as large or more, {} times. {} The one line has no such path: its error is {} times that "
        "of the chain without it.",
        told.small_mean.words(), told.large_mean.words(),
        told.large_mean.least > kMatters
            ? "There the path does carry something: what the rounding of the mean left in the differences, which it "
              "takes off again."
        : told.large_mean.most < kMatters ? "It carries nothing there either."
                                          : "There it carries something in some cases and nothing in others.",
        told.line.words())});
}

}  // namespace byhand::lab

#include "lab/paper/paper.h"

#include <fmt/format.h>

#include <cmath>

#include "base/json.h"
#include "lab/figures.h"

namespace byhand::lab {
namespace {

Cell cell(std::string shown, Json value) {
    Cell made(std::move(shown));
    made.value = std::move(value);
    return made;
}

}  // namespace

Cell::Cell(std::string words) : shown(std::move(words)), value(shown) {}
Cell::Cell(const char* words) : Cell(std::string(words)) {}

Cell fixed(double value, int decimals) {
    // No "-0.000": a sign that no digit after it bears out.
    std::string shown = fmt::format("{:.{}f}", value, decimals);
    if (shown.find_first_not_of("-0.") == std::string::npos && shown.front() == '-') {
        shown.erase(0, 1);
    }
    return cell(std::move(shown), number(value));
}

Cell significant(double value, int digits) {
    return cell(fmt::format("{:.{}g}", value, digits), number(value));
}

Cell whole(std::size_t value) {
    return cell(std::to_string(value), value);
}

Cell percent(double share, int decimals) {
    return cell(fmt::format("{:.{}f} %", 100 * share, decimals), number(share));
}

Cell with_spread(const std::vector<double>& values, int decimals) {
    const MeanAndDeviation figures = mean_and_deviation(values);
    return cell(fmt::format("{:.{}f} ± {:.{}f}", figures.mean, decimals, figures.deviation, decimals),
                {{"mean", number(figures.mean)}, {"deviation", number(figures.deviation)}});
}

}  // namespace byhand::lab

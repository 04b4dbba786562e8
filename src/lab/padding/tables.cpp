#include "lab/padding/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/utf8.h"

namespace byhand::lab {
namespace {

constexpr int kDigits = 5, kDecimals = 4;

const char* words_of(Divisor divisor) {
    return divisor == Divisor::n ? "divisor n" : "divisor n − 1";
}

const PaddingFigures& by(const PaddingFindings& found, Divisor divisor) {
    return divisor == Divisor::n ? found.by_n : found.by_n_minus_1;
}

std::size_t columns_shown(const PaddingFindings& found) {
    return std::min(kColumnsShown, found.batch.width);
}

// The first of the real rows.
std::vector<std::size_t> rows_shown(const PaddingFindings& found) {
    return {found.real.begin(),
            found.real.begin() + static_cast<std::ptrdiff_t>(std::min(kRowsShown, found.real.size()))};
}

std::vector<double> of_column(const std::vector<AtShare>& shares, auto value) {
    std::vector<double> values;
    values.reserve(shares.size());
    for (const AtShare& point : shares) {
        values.push_back(value(point));
    }
    return values;
}

}  // namespace

std::string short_word(const PaddingFindings& found, std::size_t row) {
    constexpr std::size_t kMost = 12;
    std::u32string word = from_utf8(found.batch.words[row]);
    if (word.size() > kMost) {
        word.resize(kMost - 1);
        word += U'…';
    }
    return to_utf8(word);
}

Table statistics_table(const PaddingFindings& found) {
    Table table{"mean and deviation of each column", {""}, {}};
    for (std::size_t j = 0; j < columns_shown(found); ++j) {
        table.columns.emplace_back(fmt::format("column {}", j + 1));
    }
    const std::vector<std::pair<const char*, const std::vector<double>*>> lines = {
        {"mean, padded", &found.by_n.padded.bnmeani},           {"mean, masked", &found.by_n.masked.bnmeani},
        {"deviation, padded", &found.by_n.std_padded},          {"deviation, masked", &found.by_n.std_masked},
        {"… by n − 1, padded", &found.by_n_minus_1.std_padded}, {"… by n − 1, masked", &found.by_n_minus_1.std_masked}};
    for (const auto& [name, values] : lines) {
        std::vector<Cell>& row = table.rows.emplace_back();
        row.emplace_back(name);
        for (std::size_t j = 0; j < columns_shown(found); ++j) {
            row.push_back(significant((*values)[j], kDigits));
        }
    }
    return table;
}

Table normalised_table(const PaddingFindings& found, std::size_t column, Divisor divisor) {
    Table table{fmt::format("column {}, {}", column + 1, words_of(divisor)),
                {"", "x", "padded", "masked", "off by", "layer norm"},
                {}};
    const PaddingFigures& figures = by(found, divisor);
    const std::size_t H = found.batch.width;
    std::size_t packed_row = 0;
    for (const std::size_t i : rows_shown(found)) {
        const std::size_t at = i * H + column;
        table.rows.push_back({short_word(found, i), significant(found.batch.x[at], kDigits),
                              fixed(figures.padded.bnraw[at], kDecimals), fixed(figures.masked.bnraw[at], kDecimals),
                              fixed(figures.padded.bnraw[at] - figures.masked.bnraw[at], kDecimals),
                              fixed(found.layer.lnraw[packed_row++ * H + column], kDecimals)});
    }
    return table;
}

Table off_table(const PaddingFindings& found) {
    Table table{"how wrong padding makes each real row: root mean square over its columns",
                {"", "divisor n", "divisor n − 1"},
                {}};
    for (const std::size_t i : rows_shown(found)) {
        table.rows.push_back(
            {short_word(found, i), fixed(found.by_n.off[i], kDecimals), fixed(found.by_n_minus_1.off[i], kDecimals)});
    }
    return table;
}

Table layer_table(const PaddingFindings& found) {
    Table table{"layer norm: mean and deviation of each real row, divisor H", {"", "mean", "deviation"}, {}};
    std::size_t packed_row = 0;
    for (const std::size_t i : rows_shown(found)) {
        table.rows.push_back({short_word(found, i), significant(found.layer.lnmean[packed_row], kDigits),
                              significant(std::sqrt(found.layer.lnvar[packed_row]), kDigits)});
        ++packed_row;
    }
    return table;
}

Table share_table(const PaddingFindings& found) {
    const std::string first = short_word(found, found.real.front());
    Table table{
        fmt::format("with more and more padding, divisor n; mean, deviation and {} normalised are column 1's", first),
        {"padding", "rows of it", "mean", "deviation", first, "off by", "worst row"},
        {}};
    for (const AtShare& point : found.shares) {
        table.rows.push_back({percent(point.share), whole(point.pads), significant(point.mean[0], kDigits),
                              significant(point.std[0], kDigits), fixed(point.first[0], kDecimals),
                              fixed(point.off, kDecimals), fixed(point.most, kDecimals)});
    }
    return table;
}

Table gradient_table(const PaddingFindings& found, Divisor divisor) {
    Table table{fmt::format("sizes of the gradients that arrive in each row, {}", words_of(divisor)),
                {"", "masked", "padded", "off by", "from padding"},
                {}};
    const PaddingFigures& figures = by(found, divisor);
    const std::size_t H = found.batch.width;
    std::vector<double> off(figures.dx_padded.size());
    std::ranges::transform(figures.dx_padded, figures.dx_masked, off.begin(), std::minus());
    const std::vector<double> masked = row_norms(figures.dx_masked, H), padded = row_norms(figures.dx_padded, H),
                              apart = row_norms(off, H), sent = row_norms(figures.sent_padded, H);
    for (std::size_t i = 0; i < std::min(kRowsShown, found.batch.rows()); ++i) {
        table.rows.push_back({short_word(found, i), significant(masked[i], kDigits), significant(padded[i], kDigits),
                              significant(apart[i], kDigits), significant(sent[i], kDigits)});
    }
    return table;
}

std::vector<Plot> share_plots(const PaddingFindings& found) {
    constexpr double kPercent = 100;
    const std::vector<double> x = of_column(found.shares, [](const AtShare& p) { return kPercent * p.share; });
    const AtShare& alone = found.shares.front();
    Plot figures{"What padding leaves of a column's figures", "padding, % of all rows", "of the masked figure", {}};
    // In every column the same share of the mean is left.
    const std::size_t some = static_cast<std::size_t>(
        std::ranges::max_element(alone.mean, {}, [](double mean) { return std::abs(mean); }) - alone.mean.begin());
    if (alone.mean[some] != 0) {
        figures.series.push_back(
            {"mean, any column",
             x,
             of_column(found.shares, [&](const AtShare& p) { return p.mean[some] / alone.mean[some]; }),
             {},
             {},
             Style::both});
    }
    for (std::size_t j = 0; j < columns_shown(found); ++j) {
        if (alone.std[j] > 0) {
            figures.series.push_back(
                {fmt::format("deviation {}", j + 1),
                 x,
                 of_column(found.shares, [&](const AtShare& p) { return p.std[j] / alone.std[j]; }),
                 {},
                 {},
                 Style::both});
        }
    }
    Plot off{"How wrong it makes the real rows", "padding, % of all rows", "off by, in deviations", {}};
    off.series.push_back({"all, root mean square",
                          x,
                          of_column(found.shares, [](const AtShare& p) { return p.off; }),
                          {},
                          {},
                          Style::both});
    off.series.push_back(
        {"worst row", x, of_column(found.shares, [](const AtShare& p) { return p.most; }), {}, {}, Style::both});
    return figures.series.empty() ? std::vector<Plot>{off} : std::vector<Plot>{figures, off};
}

}  // namespace byhand::lab

// The details of a tensor: what the tensor is, its errors element by element, every figure.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>
#include <span>
#include <utility>

#include "documents/compare.h"
#include "documents/explain.h"
#include "documents/page/parts.h"
#include "harness/mistake.h"
#include "report/writers.h"

namespace byhand::report {
namespace {

// The classes of a heatmap, by the share of its limit that an error uses: within the limit always the same, beyond it
// of the tensor's own range, and no figure.
constexpr std::array<const char*, 5> kWithin = {"no error", "≤ 1 %", "≤ 10 %", "≤ 50 %", "≤ its limit"};
constexpr std::size_t kLevels = 12;

class Levels {
public:
    explicit Levels(const std::vector<float>& shares) {
        std::vector<double> over;
        std::ranges::copy_if(shares, std::back_inserter(over), [](float x) { return x > 1 && std::isfinite(x); });
        std::ranges::sort(over);
        // One class if they are nearly equal; else equal ratios, except that the smallest twentieth is in one class.
        if (!over.empty() && over.back() > 1.5 * over.front()) {
            const double low = over[over.size() / 20], ratio = over.back() / low;
            for (std::size_t i = kWithin.size(); i < ends_.size(); ++i) {
                const double part = static_cast<double>(i + 1 - kWithin.size()) / 6;
                ends_[i] = std::stod(fmt::format("{:.1e}", low * std::pow(ratio, part)));
            }
        }
        last_ = std::ranges::find(shares, std::numeric_limits<float>::infinity()) != shares.end() || over.empty()
                    ? "more"
                    : "≤ " + share(over.back());
    }

    std::size_t of(float share) const {
        return std::isnan(share)
                   ? kLevels - 1
                   : static_cast<std::size_t>(std::ranges::lower_bound(ends_, double{share}) - ends_.begin());
    }

    std::string words(std::size_t level) const {
        return level < kWithin.size()  ? kWithin[level]
               : level == kLevels - 1  ? "no figure"
               : level == ends_.size() ? last_
                                       : "≤ " + share(ends_[level]);
    }

private:
    // In units of the limit; of a float, 0.01F is more than 0.01.
    std::array<double, kLevels - 2> ends_ = {0, 0.01F, 0.1F, 0.5, 1, 1, 1, 1, 1, 1};
    std::string last_;
};

// A path for each level, of lines as thick as a cell. The level of most cells is the background.
std::string cells(const Picture& picture, const Levels& levels, std::array<std::size_t, kLevels>& many) {
    std::array<std::string, kLevels> paths;
    for (const float share : picture.shares) {
        ++many[levels.of(share)];
    }
    const auto ground = static_cast<std::size_t>(std::ranges::max_element(many) - many.begin());
    for (std::size_t row = 0; row < picture.rows; ++row) {
        for (std::size_t column = 0; column < picture.columns;) {
            const auto level = [&](std::size_t at) { return levels.of(picture.shares[row * picture.columns + at]); };
            const std::size_t begin = column, here = level(begin);
            while (column < picture.columns && level(column) == here) {
                ++column;
            }
            if (here != ground) {
                paths[here] += fmt::format("M{} {}h{}", begin, row, column - begin);
            }
        }
    }
    std::string text =
        fmt::format(R"(<rect class="l{}" y="-.5" width="{}" height="{}"/>)", ground, picture.columns, picture.rows);
    for (std::size_t level = 0; level < paths.size(); ++level) {
        if (!paths[level].empty()) {
            text += fmt::format(R"(<path class="l{}" d="{}"/>)", level, paths[level]);
        }
    }
    return text;
}

// Along one axis of a heatmap: the middle of the first cell, the distance of two cells, and the least of two labels.
struct Ticks {
    double first, cell, least;
    std::size_t cells, block;
};

// The characters that cells stand for, or else the index at which a cell begins, every few cells.
std::string labels(const Ticks& ticks, const std::vector<std::string>* characters, bool is_down, double across) {
    constexpr std::array<std::size_t, 7> kSteps = {1, 2, 5, 10, 20, 25, 50};
    const auto fits = [&](std::size_t step) { return static_cast<double>(step) * ticks.cell >= ticks.least; };
    const bool has_characters = characters != nullptr && ticks.block == 1 && ticks.cell >= 8 &&
                                ticks.cells <= characters->size() &&
                                std::ranges::all_of(*characters, [](const auto& one) { return width_of(one) == 1; });
    const auto* const step = has_characters ? kSteps.begin() : std::ranges::find_if(kSteps, fits);
    std::string text;
    for (std::size_t i = 0; ticks.cells > 1 && step != kSteps.end() && i < ticks.cells; i += *step) {
        const double along = ticks.first + ticks.cell * static_cast<double>(i);
        text += fmt::format(R"(<text x="{}" y="{}">{}</text>)", coordinate(is_down ? across : along),
                            coordinate(is_down ? along + 3.5 : across),
                            has_characters ? escaped((*characters)[i]) : std::to_string(i * ticks.block));
    }
    return text;
}

// "unit, 0 to 99, 2 to a cell".
std::string axis_text(const std::string& axis, std::size_t extent, std::size_t block) {
    return axis + (extent == 1 ? "" : fmt::format(", 0 to {}", extent - 1)) +
           (block == 1 ? "" : fmt::format(", {} to a cell", block));
}

// The classes that occur, each with its colour, below the heatmap: kKeys beside one another.
constexpr std::size_t kKeys = 3, kKeyWide = 135, kKeyHigh = 17;

std::string key(const Levels& levels, const std::array<std::size_t, kLevels>& many, double top) {
    std::string text;
    std::size_t i = 0;
    for (std::size_t level = 0; level < kLevels; ++level) {
        if (many[level] > 0) {
            const std::size_t row = i / kKeys, x = kKeyWide * (i % kKeys);
            const double y = top + static_cast<double>(kKeyHigh * row);
            text +=
                fmt::format(R"(<circle class="l{}" cx="{}" cy="{}" r="5"/><text class="key" x="{}" y="{}">{}</text>)",
                            level, x + 6, coordinate(y), x + 15, coordinate(y + 4), escaped(levels.words(level)));
            ++i;
        }
    }
    return text;
}

Figure heatmap(const DrawnTensor& tensor) {
    const auto& [name, shape, picture, wording, reference] = tensor;
    const std::vector<std::string> axes = axes_in_words(name, shape.size(), wording);
    const bool flat = axes.size() < 2;
    const std::size_t tall = flat ? 1 : shape.front(), wide = count(shape) / std::max<std::size_t>(tall, 1);
    const std::string across = axes.empty() ? "one number"
                               : flat       ? axes.front()
                                            : fmt::format("{}", fmt::join(std::span(axes).subspan(1), " and "));
    const double cell = std::min(30.0, 400.0 / static_cast<double>(picture.columns));
    const double high = flat ? 24 : std::min(std::max(cell, 8.0), 270.0 / static_cast<double>(picture.rows));
    const double width = cell * static_cast<double>(picture.columns), height = high * static_cast<double>(picture.rows);
    const double left = picture.rows > 1 ? 24 : 0;
    const auto characters = [&](const std::string& axis) {
        return counts_characters(axis) ? &tensor.wording.characters : nullptr;
    };
    const Levels levels(picture.shares);
    std::array<std::size_t, kLevels> many{};
    const std::string drawn = cells(picture, levels, many);
    const auto levels_shown =
        static_cast<std::size_t>(std::ranges::count_if(many, [](std::size_t n) { return n > 0; }));
    const std::size_t key_rows = (levels_shown + kKeys - 1) / kKeys;
    const std::string svg = fmt::format(
        "<svg class=\"heat\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"heatmap of "
        "{2}\"><g transform=\"translate({3} {4}) scale({5:.4g} {6:.4g})\">{7}</g>{8}{9}{10}</svg>\n",
        coordinate(std::max(left + width + 6, static_cast<double>(kKeyWide * std::min(levels_shown, kKeys)))),
        coordinate(height + 22 + static_cast<double>(kKeyHigh * key_rows)), escaped(name), left, coordinate(high / 2),
        cell, high, drawn,
        labels({high / 2, high, 11, picture.rows, picture.block_rows}, flat ? nullptr : characters(axes.front()), true,
               left / 2),
        labels({left + cell / 2, cell, 28, picture.columns, picture.block_columns}, characters(across), false,
               height + 11),
        key(levels, many, height + 29));
    const std::string down = flat ? "" : "down: " + axis_text(axes.front(), tall, picture.block_rows) + "\n";
    return {"Error ÷ limit, by element", svg, down + "across: " + axis_text(across, wide, picture.block_columns)};
}

constexpr double kBin = 14, kHistogramHigh = 96;
constexpr std::size_t kBinsWithin = 11;  // no error, and the half decades up to 1

// "of 3,200 elements: all over the limit", "of 3,200 elements: 12 without any error, 3,188 within the limit".
std::string counts_in_words(const std::vector<std::pair<std::size_t, const char*>>& counts) {
    std::size_t all = 0;
    for (const auto& [n, words] : counts) {
        all += n;
    }
    std::string text;
    for (const auto& [n, words] : counts) {
        if (n > 0) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", n == all && all > 1 ? "all" : grouped(n), words);
        }
    }
    return fmt::format("of {} {}: {}", grouped(all), all == 1 ? "element" : "elements", text);
}

std::string histogram_axis() {
    const double y = kHistogramHigh + 4;
    std::string text = fmt::format(R"(<path class="line" d="M0 {0}H350"/><path class="limit" d="M{1} 0V{2}"/>)", y,
                                   kBin * kBinsWithin, y + 4);
    text += fmt::format(R"(<text x="7" y="{}">0</text>)", y + 15);
    for (const int power : {-4, -2, 0, 2, 4, 6}) {
        text += fmt::format(R"(<text x="{}" y="{}"{}>{}</text>)", kBin * (1 + 2 * (power - Picture::kFirstDecade)),
                            y + 15, power == 0 ? " class=\"limit\"" : "", power == 0 ? "limit" : power_of_ten(power));
    }
    return text;
}

Figure histogram(const std::string& name, const Picture& picture) {
    const std::size_t most = *std::ranges::max_element(picture.bins);
    std::array<std::string, 2> bars;  // within the limit, and over it
    std::size_t within = 0, over = 0;
    for (std::size_t i = 0; i < picture.bins.size(); ++i) {
        const std::size_t n = picture.bins[i];
        (i < kBinsWithin ? within : over) += n;
        if (n > 0) {
            const double high = std::max(kHistogramHigh * static_cast<double>(n) / static_cast<double>(most), 1.5);
            bars[i < kBinsWithin ? 0 : 1] += fmt::format("M{} {}v-{}h12v{}z", kBin * static_cast<double>(i) + 1,
                                                         kHistogramHigh + 4, coordinate(high), coordinate(high));
        }
    }
    return {"How many elements have which error ÷ limit",
            fmt::format("<svg class=\"histogram\" width=\"350\" height=\"118\" viewBox=\"0 0 350 118\" role=\"img\" "
                        "aria-label=\"histogram of {}\"><path class=\"ok\" d=\"{}\"/><path class=\"over\" "
                        "d=\"{}\"/>{}</svg>\n",
                        escaped(name), bars[0], bars[1], histogram_axis()),
            counts_in_words({{picture.bins[0], "without any error"},
                             {within - picture.bins[0], "within the limit"},
                             {over, "over the limit"},
                             {picture.without_figure, "without a figure"}})};
}

Table worst_elements(const DrawnTensor& tensor) {
    const auto& [name, shape, picture, wording, reference] = tensor;
    const auto figure = [](const std::optional<double>& value) { return value ? fmt::format("{:.8g}", *value) : "–"; };
    const bool has_oracle =
        std::ranges::any_of(picture.worst, [](const ElementError& element) { return element.right.has_value(); });
    Table table{fmt::format("{} of {}",
                            picture.worst.size() == 1 ? "The one element"
                                                      : fmt::format("The {} worst elements", picture.worst.size()),
                            name),
                {{"where", "", Align::left},
                 {in_words(wording.whose), ""},
                 {reference, "", Align::right, has_oracle ? 1UL : 0UL},
                 {has_oracle ? "oracle" : "", "", has_oracle ? Align::right : Align::hidden},
                 {"error", "", Align::right, 2},
                 {"of limit", ""}},
                {}};
    for (const ElementError& element : picture.worst) {
        std::string place = in_words(name, index_of(shape, element.position), wording);
        if (place.starts_with(name + " ")) {
            place = place.substr(name.size() + 1);
        }
        const bool has_figure = !std::isnan(element.share);
        table.rows.push_back({place, figure(element.ours), figure(element.reference), figure(element.right),
                              has_figure ? in_short(element.error) : "–",
                              has_figure ? share(element.share) : "no figure"});
    }
    return table;
}

// The table without these columns, which the page shows elsewhere.
Table table_without(const std::set<std::string>& keys, Table table) {
    for (Column& column : table.columns) {
        column.align = keys.contains(column.key) ? Align::hidden : column.align;
    }
    return table;
}

// What the other formats have of the tensor: a row for each reference, and one for its isolated step.
std::vector<Block> figures(const PageContents& shown, const Section& section, const Entry& entry) {
    Table table = tensor_table("Against LibTorch", shown.how.whose);
    std::string notes;
    const auto reference =
        static_cast<std::size_t>(std::ranges::find(table.columns, "witness", &Column::key) - table.columns.begin());
    table.columns[reference] = {"reference", "witness", Align::left};
    for (const Against against : {Against::operations, Against::module}) {
        if (const std::optional<Finding>& finding = entry.value->against(against)) {
            std::vector<Cell>& row =
                table.rows.emplace_back(tensor_row(shown.step.step, {section.report, against, *entry.value, *finding},
                                                   shown.wording, shown.summary.allowed));
            row[reference] = to_string(against);
            notes += finding->note.empty() ? "" : finding->note + "\n";
        }
    }
    std::vector<Block> blocks = {table_without({"name", "shape", "count", ""}, std::move(table)), Text{notes}};
    if (entry.value->isolated) {
        Table isolated = isolated_table(
            "Isolated: share of the limit used, smallest relative error caught, own and inherited error");
        isolated.rows.push_back(isolated_row(section.report.model, *entry.value, shown.summary.allowed));
        blocks.emplace_back(table_without({"name", "function"}, std::move(isolated)));
    }
    if (entry.result().reference_further_off) {
        blocks.emplace_back(Text{"LibTorch’s is the larger error."});
    }
    return blocks;
}

}  // namespace

std::vector<Block> drawing(const DrawnTensor& tensor) {
    const Picture& picture = tensor.picture;
    if (picture.shares.empty()) {
        return {};
    }
    if (picture.bins[0] == count(tensor.shape)) {
        return {Text{fmt::format("No element differs from {}.",
                                 picture.worst.front().right ? "the oracle" : tensor.reference + "’s")}};
    }
    return {heatmap(tensor), histogram(tensor.name, picture), worst_elements(tensor)};
}

Details details_of(const PageContents& shown, const Section& section, const Entry& entry) {
    const ValueReport& value = *entry.value;
    Explanation explanation{
        entry.name(),  meaning(shown.how.glossary, entry.name()), value.shape, value.function, value.reads, {},
        value.mistakes};
    for (const Entry& other : section.entries) {
        if (std::ranges::find(other.value->reads, entry.name()) != other.value->reads.end()) {
            explanation.read_by.push_back(other.name());
        }
    }
    Table facts = facts_of(explanation, shown.how);
    facts.title = explanation.meaning.empty() ? entry.name() : explanation.meaning;
    for (std::vector<Cell>& row : facts.rows) {
        std::string& words = row[1].shown;
        words = row[0].shown.starts_with("read")              ? linked(section, words)
                : row[0].shown == "formula" && !words.empty() ? fmt::format("`{}`", words)
                                                              : words;
    }
    if (const ReportWord* const word = find_word(to_string(entry.verdict)); word != nullptr && !agrees(entry.verdict)) {
        facts.rows.push_back({word->word, word->meaning});
    }
    Details details{entry.name() + ", details", {std::move(facts)}, entry.id, entry.mark == Mark::culprit};
    if (value.picture != nullptr) {
        details.blocks.emplace_back(Text{
            fmt::format("Its images are left out to keep this page small; `--tensor {}` shows them.", entry.name())});
    }
    if (!value.mistakes.empty()) {
        details.blocks.emplace_back(mistakes_of(explanation));
    }
    std::ranges::move(figures(shown, section, entry), std::back_inserter(details.blocks));
    return details;
}

}  // namespace byhand::report

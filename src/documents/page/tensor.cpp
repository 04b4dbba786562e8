// What a row opens: what the tensor is, every figure, and its errors element by element.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "documents/page/parts.h"
#include "harness/faults/mistakes.h"
#include "report/lines.h"

namespace byhand::report {
namespace {

// The levels of a heatmap, by the share of its limit that an error takes. The last has no figure.
constexpr std::array<double, 8> kUpTo = {0, 0.01, 0.1, 0.5, 1, 10, 1e3, 1e5};
constexpr std::array<const char*, 10> kLevels = {
    "no error",           "up to 1 %",    "up to 10 %",     "up to 50 %",         "up to its limit",
    "over it, up to 10×", "up to 1,000×", "up to 100,000×", "more than 100,000×", "has no figure"};

constexpr std::array<const char*, 10> kShort = {"no error", "≤ 1 %",    "≤ 10 %",     "≤ 50 %", "≤ limit",
                                                "≤ 10×",    "≤ 1,000×", "≤ 100,000×", "more",   "no figure"};

std::size_t level_of(float share) {
    if (std::isnan(share)) {
        return kLevels.size() - 1;
    }
    std::size_t level = 0;
    while (level < kUpTo.size() && !(share <= static_cast<float>(kUpTo[level]))) {
        ++level;
    }
    return level;
}

// A path a level, of lines as thick as a cell. The level of most cells is the ground.
std::string cells(const Picture& picture) {
    std::array<std::string, kLevels.size()> paths;
    std::array<std::size_t, kLevels.size()> many{};
    for (const float share : picture.shares) {
        ++many[level_of(share)];
    }
    const auto ground = static_cast<std::size_t>(std::ranges::max_element(many) - many.begin());
    for (std::size_t row = 0; row < picture.rows; ++row) {
        for (std::size_t column = 0; column < picture.columns;) {
            const auto level = [&](std::size_t at) { return level_of(picture.shares[row * picture.columns + at]); };
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

// The characters under or beside their cells; nothing where one of them would be more than one sign.
std::string letters(const std::vector<std::string>& characters, std::size_t n, const std::string& x,
                    const std::string& y) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) {
        if (i >= characters.size() || width_of(characters[i]) != 1) {
            return "";
        }
        text += escaped(characters[i]);
    }
    return fmt::format(R"(<text x="{}" y="{}">{}</text>)", x, y, text);
}

std::string every(std::size_t n, double first, double apart) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) {
        text += (i == 0 ? "" : " ") + coordinate(first + apart * static_cast<double>(i));
    }
    return text;
}

// "unit, 0 to 99, 2 to a cell".
std::string axis_text(const std::string& axis, std::size_t extent, std::size_t block) {
    return axis + (extent == 1 ? "" : fmt::format(", 0 to {}", extent - 1)) +
           (block == 1 ? "" : fmt::format(", {} to a cell", block));
}

std::string heatmap(const Shown& shown, const Entry& entry, const Picture& picture) {
    const Finding& result = entry.result();
    const std::vector<std::string> axes = axes_in_words(entry.name(), result.shape.size(), shown.wording);
    const bool flat = axes.size() < 2;
    const std::size_t tall = flat ? 1 : result.shape.front(),
                      wide = count(result.shape) / std::max<std::size_t>(tall, 1);
    std::string across = flat ? (axes.empty() ? "one number" : axes.front()) : axes[1];
    for (std::size_t i = 2; i < axes.size(); ++i) {
        across += " and " + axes[i];
    }
    const double cell = std::min(30.0, 400.0 / static_cast<double>(picture.columns));
    const double high = flat ? 24 : std::min(std::max(cell, 8.0), 270.0 / static_cast<double>(picture.rows));
    const double width = cell * static_cast<double>(picture.columns), height = high * static_cast<double>(picture.rows);
    const auto is_lettered = [&](bool here, const std::string& axis, std::size_t block, double size) {
        return here && counts_characters(axis) && block == 1 && size >= 8;
    };
    const bool letters_down = is_lettered(!flat, flat ? "" : axes.front(), picture.block_rows, high);
    const bool letters_across = is_lettered(!axes.empty(), across, picture.block_columns, cell);
    const double left = letters_down ? 14 : 0, below = letters_across ? 14 : 0;

    std::string text = fmt::format(
        "<figure><figcaption>Error ÷ limit, by element</figcaption>"
        "<svg class=\"heat\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"heatmap of "
        "{2}\">"
        "<g transform=\"translate({3} {4}) scale({5:.4g} {6:.4g})\">{7}</g>",
        coordinate(left + width), coordinate(height + below), escaped(entry.name()), left, coordinate(high / 2), cell,
        high, cells(picture));
    if (letters_down) {
        text += letters(shown.how.characters, picture.rows, every(picture.rows, 5, 0),
                        every(picture.rows, high / 2 + 3.5, high));
    }
    if (letters_across) {
        text += letters(shown.how.characters, picture.columns, every(picture.columns, left + cell / 2, cell),
                        coordinate(height + 11));
    }
    text +=
        "</svg><svg class=\"small-key\" width=\"400\" height=\"28\" viewBox=\"0 0 400 28\" aria-hidden=\"true\">"
        "<use href=\"#heat-key\"/></svg><p>";
    if (!flat) {
        text += "down: " + escaped(axis_text(axes.front(), tall, picture.block_rows)) + "<br/>";
    }
    return text + "across: " + escaped(axis_text(across, wide, picture.block_columns)) + "</p></figure>\n";
}

constexpr double kBin = 14, kHistogramHigh = 96;
constexpr std::size_t kBinsWithin = 11;  // no error, and the half decades up to 1

std::string histogram(const Entry& entry, const Picture& picture) {
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
    std::string said = fmt::format("{} of {} elements without any error, {} more within the limit, {} over it",
                                   grouped(picture.bins[0]), grouped(within + over + picture.without_figure),
                                   grouped(within - picture.bins[0]), grouped(over));
    if (picture.without_figure > 0) {
        said += fmt::format(", {} without a figure", grouped(picture.without_figure));
    }
    return fmt::format(
        "<figure><figcaption>How many elements have which error ÷ limit</figcaption>"
        "<svg class=\"histogram\" width=\"350\" height=\"118\" viewBox=\"0 0 350 118\" role=\"img\" "
        "aria-label=\"histogram of {}\">"
        "<path class=\"ok\" d=\"{}\"/><path class=\"over\" d=\"{}\"/><use "
        "href=\"#histogram-axis\"/></svg><p>{}</p></figure>\n",
        escaped(entry.name()), bars[0], bars[1], said);
}

std::string number(double value) {
    return fmt::format("{:.8g}", value);
}

std::string worst_elements(const Shown& shown, const Entry& entry, const Picture& picture) {
    const Finding& result = entry.result();
    std::string text = fmt::format(
        "<div class=\"scroll\"><table class=\"worst\"><caption>{} of {}</caption>\n<thead><tr><th "
        "scope=\"col\">where</th>"
        "<th scope=\"col\">{}</th><th scope=\"col\">LibTorch</th><th scope=\"col\">oracle</th><th "
        "scope=\"col\">error</th>"
        "<th scope=\"col\">of limit</th></tr></thead><tbody>\n",
        picture.worst.size() == 1 ? "The one element" : fmt::format("The {} worst elements", picture.worst.size()),
        escaped(entry.name()), in_words(shown.how.whose));
    for (const ElementError& element : picture.worst) {
        std::string place = in_words(entry.name(), index_of(result.shape, element.position), shown.wording);
        if (place.starts_with(entry.name() + " ")) {
            place = place.substr(entry.name().size() + 1);
        }
        const bool has_figure = !std::isnan(element.share);
        text +=
            fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                        escaped(place), number(element.ours), number(*element.reference),
                        element.right ? number(*element.right) : "–", has_figure ? in_short(element.error) : "–",
                        has_figure ? share(element.share) : "no figure");
    }
    return text + "</tbody></table></div>\n";
}

std::string references(const Entry& entry) {
    std::string text =
        "<div class=\"scroll\"><table class=\"figures\"><caption>Against LibTorch</caption>\n<thead><tr><th "
        "scope=\"col\">reference</th>"
        "<th scope=\"col\">differ by</th><th scope=\"col\">in ULP</th><th scope=\"col\">our error</th>"
        "<th scope=\"col\">LibTorch’s</th><th scope=\"col\">limit of the worst</th><th scope=\"col\">of limit</th><th "
        "scope=\"col\">verdict</th>"
        "</tr></thead><tbody>\n";
    for (const Against against : {Against::operations, Against::module}) {
        const std::optional<Finding>& finding = entry.value->against(against);
        if (!finding) {
            continue;
        }
        const Finding& r = *finding;
        text += fmt::format(
            "<tr><th "
            "scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            against == Against::module ? "torch::nn module" : "op by op", in_short(r.difference),
            r.ulp ? grouped(*r.ulp) : "–", in_short(r.error), in_short(r.reference_error), in_short(r.limit),
            r.used ? share(*r.used) : "–", to_string(r.verdict) + (r.note.empty() ? "" : ": " + escaped(r.note)));
    }
    return text + "</tbody></table></div>\n";
}

std::string isolated_in_words(const ValueReport& value) {
    const IsolatedStep& isolated = *value.isolated;
    const auto used = [](const Trial& trial, const char* on) {
        return trial.verdict == Verdict::not_given
                   ? ""
                   : fmt::format("; {} of its limit {}", share(trial.used.value_or(0)), on);
    };
    std::string text =
        verdict_in_words(isolated) + used(isolated.real, "on this batch") + used(isolated.probe, "on random values");
    if (const std::optional<double> caught = catches(isolated); caught && *caught > 0) {
        text += fmt::format("; an error from {:.1e} of its scale is caught wherever it stands", *caught);
    }
    if (const std::optional<double> inherited = value.inherited_error()) {
        text += fmt::format("; its own error {:.1e}, inherited {:.1e}", isolated.real.error.value_or(0), *inherited);
    }
    return text;
}

std::string facts(const Shown& shown, const Section& section, const Entry& entry) {
    std::string text = "<dl>";
    const auto add = [&text](const char* what, const std::string& said) {
        text += fmt::format("<dt>{}</dt><dd>{}</dd>", what, said);
    };
    const std::string& function = entry.value->function;
    if (function.empty()) {
        add("given", "no step makes it");
    } else {
        const SourceLine source = source_line(shown.how, function);
        if (!source.formula.empty()) {
            add("formula", "<code>" + escaped(source.formula) + "</code>");
        }
        add("function",
            "<code>" + escaped(function) + "</code>" + (source.place.empty() ? "" : ", " + escaped(source.place)));
        add("reads", links(section, entry.value->reads, "nothing"));
    }
    const auto readers = section.read_by.find(entry.name());
    add("read by", readers != section.read_by.end() ? links(section, readers->second, "nobody") : "nobody");
    if (entry.value->isolated) {
        add("alone", escaped(isolated_in_words(*entry.value)));
    }
    if (!entry.value->mistakes.empty()) {
        std::string list = "<ul>";
        for (const Mistake* mistake : entry.value->mistakes) {
            list += "<li>" + escaped(mistake->what) + "</li>";
        }
        add("mistakes made here", list + "</ul>");
    }
    return text + "</dl>\n";
}

}  // namespace

std::string drawn_once() {
    std::string text = R"(<svg width="0" height="0" class="once" aria-hidden="true"><defs><g id="histogram-axis">)";
    const double y = kHistogramHigh + 4;
    text += fmt::format(R"(<path class="line" d="M0 {0}H350"/><path class="limit" d="M{1} 0V{2}"/>)", y,
                        kBin * kBinsWithin, y + 4);
    text += fmt::format(R"(<text x="7" y="{}">0</text>)", y + 15);
    for (const int power : {-4, -2, 0, 2, 4, 6}) {
        text += fmt::format(R"(<text x="{}" y="{}"{}>{}</text>)", kBin * (1 + 2 * (power - Picture::kFirstDecade)),
                            y + 15, power == 0 ? " class=\"limit\"" : "", power == 0 ? "limit" : power_of_ten(power));
    }
    text += "</g><g id=\"heat-key\">";
    for (std::size_t level = 0; level < kLevels.size(); ++level) {
        const std::size_t x = level % 5 * 80, top = level / 5 * 16;
        text += fmt::format(R"(<rect class="l{}" x="{}" y="{}" width="10" height="10"/><text x="{}" y="{}">{}</text>)",
                            level, x, top, x + 14, top + 9, kShort[level]);
    }
    return text + "</g></defs></svg>\n";
}

std::string heat_key() {
    std::string text = "<ul class=\"key\">";
    for (std::size_t level = 0; level < kLevels.size(); ++level) {
        text += fmt::format(
            "<li><svg width=\"14\" height=\"14\" aria-hidden=\"true\"><rect class=\"l{}\" width=\"14\" height=\"14\"/>"
            "</svg> {}</li>",
            level, kLevels[level]);
    }
    return text + "</ul>\n";
}

std::string drawing(const Shown& shown, const Entry& entry) {
    const Picture* picture = entry.value->picture.get();
    if (picture == nullptr || picture->shares.empty()) {
        return "";
    }
    if (picture->bins[0] == count(entry.result().shape)) {
        return fmt::format("<p>No element differs from {}.</p>\n",
                           picture->worst.front().right ? "the oracle" : "LibTorch’s");
    }
    return "<div class=\"drawings\">" + heatmap(shown, entry, *picture) + histogram(entry, *picture) +
           over_steps_of(shown, entry) + "</div>\n" + worst_elements(shown, entry, *picture);
}

std::string opened(const Shown& shown, const Section& section, const Entry& entry, const Drawings& drawings) {
    std::string text;
    if (const std::string said = meaning(shown.how.glossary, entry.name()); !said.empty()) {
        text += "<p class=\"meaning\">" + escaped(said) + "</p>\n";
    }
    text += facts(shown, section, entry);
    const auto drawn = drawings.find(entry.id);
    if (drawn != drawings.end()) {
        text += drawn->second;
    } else if (entry.value->picture != nullptr) {
        text += fmt::format(
            "<p>Its pictures are left out to keep this page small; <code>--tensor {}</code> shows them.</p>\n",
            escaped(entry.name()));
    }
    text += references(entry);
    return entry.result().reference_further_off ? text + "<p>LibTorch is the one further off.</p>\n" : text;
}

}  // namespace byhand::report

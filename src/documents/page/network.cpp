// The network as a diagram: from names to the loss on the left of each column, and back up on the right.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "documents/page/parts.h"
#include "report/writers.h"

namespace byhand::report {
namespace {

using Pass = decltype(&NetworkRow::value);
constexpr std::array<Pass, 2> kPasses = {&NetworkRow::value, &NetworkRow::gradient};

// One panel after the other, in columns of that many rows at most.
std::vector<Panel> filled(const std::vector<Panel>& panels, std::size_t height) {
    std::vector<Panel> columns;
    for (const Panel& panel : panels) {
        if (columns.empty() || columns.back().size() + panel.size() > height) {
            columns.emplace_back();
        }
        columns.back().insert(columns.back().end(), panel.begin(), panel.end());
    }
    return columns;
}

bool has(const std::vector<Panel>& panels, Pass part) {
    return std::ranges::any_of(panels, [&](const Panel& rows) {
        return std::ranges::any_of(rows, [&](const NetworkRow& row) { return !(row.*part).empty(); });
    });
}

// Two columns, or three of a deep network, as low as they can be; up to four if they are narrow.
std::vector<Panel> columns_of(const std::vector<Panel>& panels) {
    std::size_t rows = 0, height = 0;
    for (const Panel& panel : panels) {
        rows += panel.size();
    }
    const std::size_t most = !has(panels, &NetworkRow::later) ? std::min<std::size_t>(1 + rows / 15, 4)
                             : panels.size() <= 4             ? 2
                                                              : 3;
    while (filled(panels, height).size() > most) {
        ++height;
    }
    return filled(panels, height);
}

bool is_off(const Section& section, const std::string& name) {
    const Entry* entry = section.find(name);
    return entry != nullptr && is_bad(entry->mark);
}

bool is_read(const Section& section, const std::string& name, const std::string& by) {
    const Entry* entry = section.find(by);
    return entry != nullptr && std::ranges::find(entry->value->reads, name) != entry->value->reads.end();
}

// Whether an error goes from one value to the other.
bool is_bad(const Section& section, const std::string& name, const std::string& by) {
    return is_off(section, name) && is_off(section, by) && is_read(section, name, by);
}

void add_end(Panel& column, bool at_top, const std::string& end, const std::string& name, Pass pass) {
    NetworkRow row{.end = end};
    row.*pass = name;
    if (std::ranges::none_of(column, [&](const NetworkRow& one) { return !one.end.empty() && one.*pass == name; })) {
        column.insert(at_top ? column.begin() : column.end(), row);
    }
}

// Where an error is inherited across columns, each of the two shows the other end of the line.
void add_ends(std::vector<Panel>& columns, const Section& section) {
    const std::vector<Panel> all = columns;
    for (const Pass pass : kPasses) {
        for (std::size_t from = 0; from < all.size(); ++from) {
            for (std::size_t to = 0; to < all.size(); ++to) {
                for (const NetworkRow& source : all[from]) {
                    for (const NetworkRow& target : all[to]) {
                        if (from != to && is_bad(section, source.*pass, target.*pass)) {
                            add_end(columns[from], to < from, "to", target.*pass, pass);
                            add_end(columns[to], from < to, "from", source.*pass, pass);
                        }
                    }
                }
            }
        }
    }
}

// In pixels. The boxes are in the middle of their rows.
constexpr int kHead = 26, kRow = 29, kBox = 22;

struct Span {
    int from, to;
    std::size_t characters;  // that a box has room for
    double middle() const { return (from + to) / 2.0; }
};
constexpr Span kForward{18, 144, 18}, kBackward{152, 278, 18}, kLater{294, 434, 22};

// A column is only as wide as what its rows have.
int column_width(const std::vector<Panel>& panels) {
    return has(panels, &NetworkRow::later)      ? kLater.to + 4
           : has(panels, &NetworkRow::gradient) ? kBackward.to + 18
                                                : kForward.to + 18;
}

double middle_of(std::size_t row) {
    return kHead + kRow * (static_cast<double>(row) + 0.5);
}

// From one box to another of its kind, with a head. Neighbours by a straight line, others by an arc beside them: on
// the left of what goes forward (direction −1), on the right of what goes back (direction 1).
std::string arrow(std::size_t from, std::size_t to, bool neighbours, int direction) {
    const double a = middle_of(from), b = middle_of(to);
    const int way = b > a ? 1 : -1;
    if (neighbours) {
        const double x = (direction < 0 ? kForward : kBackward).middle();
        const double end = b - way * kBox / 2.0;
        return fmt::format("M{} {}V{}m-3 {}l3 {} 3 {}", x, a + way * kBox / 2.0, end, -3 * way, 3 * way, -3 * way);
    }
    const double edge = direction < 0 ? kForward.from : kBackward.to;
    const double rows = std::abs(b - a) / kRow;
    const double out = edge + direction * std::min(3 + 2.2 * rows, 15.0);
    const double begin = a + way * 4, end = b - way * 4;
    return fmt::format("M{} {}C{} {} {} {} {} {}m{} -3l{} 3 {} 3", edge, begin, coordinate(out), begin, coordinate(out),
                       end, edge, end, 3 * direction, -3 * direction, 3 * direction);
}

using Lines = std::array<std::string, 2>;  // paths: where the error does not go, and where it does

// Which values of the column read which in the forward pass, and which gradients in the backward pass.
void add_reads(Lines& lines, const Section& section, const Panel& rows, Pass pass) {
    const auto is_heading = [](const NetworkRow& row) { return !row.heading.empty(); };
    for (auto to = rows.begin(); to != rows.end(); ++to) {
        for (auto from = rows.begin(); from != rows.end(); ++from) {
            const int ends = (from->end.empty() ? 0 : 1) + (to->end.empty() ? 0 : 1);
            const bool bad = is_bad(section, *from.*pass, *to.*pass);
            if (is_read(section, *from.*pass, *to.*pass) && (ends == 0 || (ends == 1 && bad))) {
                const bool neighbours = std::all_of(std::min(from, to) + 1, std::max(from, to), is_heading);
                lines[bad ? 1 : 0] +=
                    arrow(static_cast<std::size_t>(from - rows.begin()), static_cast<std::size_t>(to - rows.begin()),
                          neighbours, pass == &NetworkRow::value ? -1 : 1);
            }
        }
    }
}

Lines lines_of(const Section& section, const Panel& rows) {
    Lines lines;
    for (const Pass pass : kPasses) {
        add_reads(lines, section, rows, pass);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& [heading, end, value, gradient, later, given] = rows[i];
        if (end.empty() && is_read(section, gradient, later)) {
            lines[is_bad(section, gradient, later) ? 1 : 0] +=
                fmt::format("M{} {}H{}m-3 -3l3 3 -3 3", kBackward.to, middle_of(i), kLater.from);
        }
    }
    return lines;
}

std::string label(std::string_view style, double x, double y, std::string_view words) {
    return fmt::format(R"(<text class="{}" x="{:g}" y="{:g}">{}</text>)", style, x, y, escaped(words));
}

// Words in a frame, which is a link to the value's row where it has one.
std::string framed(const Entry* entry, const std::string& style, const std::string& title, const std::string& words,
                   Span span, double middle) {
    const bool is_link = entry != nullptr && entry->listed;
    return fmt::format(
               R"(<{0} class="{1}"{2}><title>{3}</title><rect x="{4}" y="{5:g}" width="{6}" height="{7}" rx="5"/>{8}</{0}>)",
               is_link ? "a" : "g", style, is_link ? " href=\"#" + escaped(entry->id) + "\"" : "", escaped(title),
               span.from, middle - kBox / 2.0, span.to - span.from, kBox, label("", span.from + 5, middle + 4, words)) +
           "\n";
}

// The name after `before`, or as many of its last characters as there is room for after "…", which may be wide.
std::string fitted(const std::string& before, const std::string& name, Span span) {
    const std::u32string all = from_utf8(name);
    const std::size_t room = span.characters - width_of(before);
    return before + (all.size() <= room ? name : "…" + to_utf8(all.substr(all.size() - room + 2)));
}

std::string box(const Section& section, const std::string& name, const std::string& given, Span span, double middle) {
    const Entry* entry = given.empty() ? section.find(name) : nullptr;
    if (entry == nullptr && given.empty()) {
        return "";
    }
    const MarkStyle style = entry == nullptr ? MarkStyle{"batch", ""} : style_of(entry->mark);
    const std::string before = entry == nullptr ? "" : style.sign + std::string(" "),
                      words = fitted(before, name, span);
    return framed(entry, std::string("box ") + style.name,
                  (words == before + name ? "" : name + ": ") + (entry == nullptr ? given : entry->words()), words,
                  span, middle);
}

std::string row_text(const Section& section, const NetworkRow& row, double middle) {
    if (!row.heading.empty()) {
        return label("heading", kForward.from, middle + 6, row.heading);
    }
    if (!row.end.empty()) {
        const std::string name = row.value + row.gradient, before = row.end + " ";
        const Span span = row.value.empty() ? kBackward : kForward;
        return framed(section.find(name), "end", before + name, fitted(before, name, span), span, middle);
    }
    return box(section, row.value, row.given, kForward, middle) + box(section, row.gradient, "", kBackward, middle) +
           box(section, row.later, "", kLater, middle);
}

std::string column_text(const Section& section, const Panel& rows, std::size_t number, int width) {
    const Lines lines = lines_of(section, rows);
    std::string text = fmt::format(
        "<svg class=\"network\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" aria-label=\"the network, column "
        "{2}\">\n<path class=\"wire\" d=\"{3}\"/><path class=\"wire bad\" d=\"{4}\"/>\n",
        width, kHead + kRow * rows.size() + 6, number, lines[0], lines[1]);
    for (const auto& [span, words] : {std::pair(kForward, "forward ↓"), std::pair(kBackward, "backward ↑"),
                                      std::pair(kLater, "update, evaluation")}) {
        text += span.to < width ? label("pass", span.middle(), 17, words) : "";
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        text += row_text(section, rows[i], middle_of(i));
    }
    return text + "</svg>\n";
}

}  // namespace

Figure network_figure(const Section& section, const std::vector<Panel>& panels) {
    if (panels.empty()) {
        return {};
    }
    const int width = column_width(panels);
    std::vector<Panel> columns = columns_of(panels);
    add_ends(columns, section);
    Figure figure{
        "The network", "",
        "The forward pass runs down, the backward pass up; each box is a link to its row. An error follows the "
        "red lines."};
    for (const Panel& rows : columns) {
        figure.svg += column_text(section, rows, static_cast<std::size_t>(&rows - columns.data()) + 1, width);
    }
    return figure;
}

}  // namespace byhand::report

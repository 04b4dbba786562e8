// The network as a picture: from names to the loss down the left of each panel, and back up on the right.

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/value.h"
#include "documents/page/parts.h"

namespace byhand::report {
namespace {

// Some of the network's values, each with its gradient and what else is named after it in one row.
struct Panel {
    std::string title;
    std::vector<std::string> rows;  // "hprebn"
};

// The panels of a network: its names, its layers, its loss.
class Layout {
public:
    explicit Layout(const Shown& shown) {
        const std::vector<Layer> all = layers(shown.how.network);
        panels_.push_back({"Names and their embedding", {}});
        for (const Layer& layer : all) {
            panels_.push_back({layer.is_output   ? "Output layer"
                               : all.size() == 2 ? "Hidden layer"
                                                 : fmt::format("Hidden layer {}", layer.number),
                               {}});
        }
        panels_.push_back({"Softmax and loss", {}});
        std::size_t panel = 0;
        const std::vector<const Step*> steps = all_steps(shown.page.stepwise);
        for (const Step* step : steps) {
            if (value_of(step->makes).kind != Kind::value) {
                continue;
            }
            for (const Layer& layer : all) {
                const bool is_weight_read = layer.is_tied ? step->makes != "emb" : true;
                if (is_weight_read &&
                    std::ranges::find(step->reads, layer.is_tied ? "C" : layer.W()) != step->reads.end()) {
                    panel = layer.number;
                }
            }
            for (const std::string& read : step->reads) {
                place(read, panel);
            }
            place(step->makes, panel);
            if (step->makes == "logits") {
                panel = all.size() + 1;
            }
        }
        place_running_statistics(steps);
    }

    const std::vector<Panel>& panels() const { return panels_; }

private:
    std::optional<std::size_t> panel_of(const std::string& name) const {
        for (std::size_t i = 0; i < panels_.size(); ++i) {
            if (std::ranges::find(panels_[i].rows, name) != panels_[i].rows.end()) {
                return i;
            }
        }
        return std::nullopt;
    }

    void place(const std::string& name, std::size_t panel) {
        if (!panel_of(name)) {
            panels_[panel].rows.push_back(name);
        }
    }

    // No forward step reads them: they stand where what updates them is made.
    void place_running_statistics(const std::vector<const Step*>& steps) {
        for (const Step* step : steps) {
            if (value_of(step->makes).kind != Kind::updated) {
                continue;
            }
            const std::string name = step->makes.substr(4);
            for (const std::string& read : step->reads) {
                const std::optional<std::size_t> panel = panel_of(read);
                if (panel && !panel_of(name)) {
                    panels_[*panel].rows.push_back(name);
                }
            }
        }
    }

    std::vector<Panel> panels_;
};

// In units of which 16 are one rem. Every panel is as wide; a row has its box in the middle.
constexpr int kWide = 364, kHead = 26, kRow = 29, kBox = 22;
constexpr int kForwardFrom = 18, kForwardTo = 150, kBackwardFrom = 158, kBackwardTo = 290;
constexpr int kLaterFrom = 308;

struct Lines {
    std::string plain, bad;  // paths: where the error does not go, and where it does
};

double middle_of(std::size_t row) {
    return kHead + kRow * (static_cast<double>(row) + 0.5);
}

// From one box to another of its column, with a head. Neighbours by a straight line, others by an arc at the side:
// the left of what goes forward (side −1), the right of what goes back (side 1).
std::string arrow(std::size_t from, std::size_t to, int side) {
    const double a = middle_of(from), b = middle_of(to);
    const int way = b > a ? 1 : -1;
    if (from + 1 == to || to + 1 == from) {
        const double x = side < 0 ? (kForwardFrom + kForwardTo) / 2.0 : (kBackwardFrom + kBackwardTo) / 2.0;
        const double end = b - way * kBox / 2.0;
        return fmt::format("M{} {}V{}m-3 {}l3 {} 3 {}", x, a + way * kBox / 2.0, end, -3 * way, 3 * way, -3 * way);
    }
    const double edge = side < 0 ? kForwardFrom : kBackwardTo;
    const double rows = std::abs(b - a) / kRow;
    const double out = edge + side * std::min(3 + 2.2 * rows, 15.0);
    const double begin = a + way * 4, end = b - way * 4;
    return fmt::format("M{} {}C{} {} {} {} {} {}m{} -3l{} 3 {} 3", edge, begin, coordinate(out), begin, coordinate(out),
                       end, edge, end, 3 * side, -3 * side, 3 * side);
}

bool is_off(const Section& section, const std::string& name) {
    const Entry* entry = section.find(name);
    return entry != nullptr &&
           (entry->mark == Mark::culprit || entry->mark == Mark::inherited || entry->mark == Mark::off);
}

bool reads(const Entry& entry, const std::string& name) {
    return std::ranges::find(entry.value->reads, name) != entry.value->reads.end();
}

Lines lines_of(const Section& section, const std::vector<std::string>& rows) {
    Lines lines;
    const auto add = [&](const std::string& from, const std::string& to, const std::string& path) {
        (is_off(section, from) && is_off(section, to) ? lines.bad : lines.plain) += path;
    };
    // Who reads what, among the values of these rows (""), and among their gradients ("d").
    const auto add_reads = [&](const std::string& prefix, std::size_t to, int side) {
        const Entry* entry = section.find(prefix + rows[to]);
        for (std::size_t from = 0; entry != nullptr && from < rows.size(); ++from) {
            if (from != to && reads(*entry, prefix + rows[from])) {
                add(prefix + rows[from], entry->name(), arrow(from, to, side));
            }
        }
    };
    for (std::size_t row = 0; row < rows.size(); ++row) {
        add_reads("", row, -1);
        add_reads("d", row, 1);
        if (section.find(gradient_of(rows[row])) != nullptr && section.find(update_of(rows[row])) != nullptr) {
            add(gradient_of(rows[row]), update_of(rows[row]),
                fmt::format("M{} {}H{}m-3 -3l3 3 -3 3", kBackwardTo, middle_of(row), kLaterFrom));
        }
    }
    return lines;
}

// What stands in a cell. `label` is short for the name where the row says the rest.
std::string box(const Section& section, const std::string& name, const std::string& label) {
    const Entry* entry = section.find(name);
    if (entry == nullptr) {
        return "<td></td>";
    }
    const MarkWords words = words_of(entry->mark);
    const std::string said =
        (label == name ? "" : " " + name) + ": " +
        (entry->value->role.kind == Role::Kind::inherited ? to_string(entry->value->role) : words.words);
    const std::string inside = fmt::format(R"(<b aria-hidden="true">{}</b>{}<span class="vh">{}</span>)", words.sign,
                                           escaped(label), escaped(said));
    return entry->listed
               ? fmt::format(R"(<td><a class="box {}" href="#{}">{}</a></td>)", words.style, escaped(entry->id), inside)
               : fmt::format("<td><span class=\"box {}\">{}</span></td>", words.style, inside);
}

// X and Y: nobody makes or compares them.
std::string given_box(const std::string& name) {
    return fmt::format(R"(<td><span class="box batch">{}<span class="vh">: the batch</span></span></td>)",
                       escaped(name));
}

std::string panel_of(const Section& section, const Panel& panel) {
    std::vector<std::string> rows;
    for (const std::string& name : panel.rows) {
        if (name == "X" || name == "Y" || section.find(name) != nullptr || section.find(gradient_of(name)) != nullptr ||
            section.find(update_of(name)) != nullptr) {
            rows.push_back(name);
        }
    }
    if (rows.empty()) {
        return "";
    }
    const Lines lines = lines_of(section, rows);
    const int tall = kHead + kRow * static_cast<int>(rows.size());
    std::string text = fmt::format(
        "<div class=\"panel\">\n<svg class=\"wires\" viewBox=\"0 0 {} {}\" style=\"width:{:g}rem;height:{:g}rem\" "
        "aria-hidden=\"true\"><path d=\"{}\"/><path class=\"bad\" d=\"{}\"/></svg>\n"
        "<table><caption>{}</caption>\n<thead><tr><th scope=\"col\">forward ↓</th><th scope=\"col\">backward ↑</th>"
        "<th scope=\"col\">after</th></tr></thead>\n<tbody>\n",
        kWide, tall, kWide / 16.0, tall / 16.0, lines.plain, lines.bad, panel.title);
    for (const std::string& name : rows) {
        const bool updated = section.find(update_of(name)) != nullptr;
        text += "<tr>" + (name == "X" || name == "Y" ? given_box(name) : box(section, name, name)) +
                box(section, gradient_of(name), gradient_of(name)) +
                (updated ? box(section, update_of(name), "new") : box(section, evaluation_of(name), "eval")) +
                "</tr>\n";
    }
    return text + "</tbody></table>\n</div>\n";
}

}  // namespace

std::string network_picture(const Shown& shown, const Section& section) {
    const Layout layout(shown);
    std::string text = "<div class=\"panels\">\n";
    for (const Panel& panel : layout.panels()) {
        text += panel_of(section, panel);
    }
    return text + "</div>\n";
}

}  // namespace byhand::report

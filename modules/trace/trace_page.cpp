#include "trace/trace_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "documents/explain.h"
#include "documents/page/parts.h"
#include "report/writers.h"

namespace byhand {
namespace {

using report::Entry;
using report::NetworkRow;
using report::Panel;
using report::Section;

using Readers = std::map<std::string, std::vector<std::string>>;  // of each tensor

constexpr std::size_t kMostRows = 120;         // of the diagram
constexpr std::size_t kImagesOfAny = 300'000;  // bytes, also of a graph whose table alone is large

Section section_of(const Trace& trace) {
    Section section{trace.model, {}, {}};
    for (const ValueReport& value : trace.model.values) {
        const std::size_t place = section.entries.size();
        const Cell verdict = verdict_of(value, trace.tensors[place]);
        section.places.emplace(value.name, place);
        section.entries.push_back({.model = &trace.model,
                                   .value = &value,
                                   .id = fmt::format("t{}", place),
                                   .mark = value.role.kind == Role::Kind::culprit ? Mark::culprit : verdict.mark,
                                   .said = verdict.shown});
    }
    return section;
}

Readers readers_of(const Trace& trace) {
    Readers readers;
    for (const ValueReport& value : trace.model.values) {
        for (const std::string& name : std::set<std::string>(value.reads.begin(), value.reads.end())) {
            readers[name].push_back(value.name);
        }
    }
    return readers;
}

// A panel for each step, after the inputs of the graph that it is the first to read.
std::vector<Panel> panels_of(const Trace& trace, const Section& section) {
    std::map<std::string, std::vector<std::string>> gradients;
    for (const Entry& entry : section.entries) {
        gradients[trace.tensors[section.places.at(entry.name())].gradient_of].push_back(entry.name());
    }
    std::vector<Panel> panels;
    std::set<std::string> drawn;
    const auto place = [&](Panel& panel, const std::string& name) {
        if (drawn.insert(name).second) {
            NetworkRow& row = panel.emplace_back();
            row.value = name;
            row.given = section.find(name) != nullptr ? "" : "an input of the graph";
            for (const std::string& gradient : gradients[name]) {  // several only of explicit ones
                (panel.back().gradient.empty() ? panel.back() : panel.emplace_back()).gradient = gradient;
            }
        }
    };
    for (std::size_t i = 0; i < section.entries.size(); ++i) {
        const std::string& gradient_of = trace.tensors[i].gradient_of;
        Panel panel;
        for (const std::string& name : section.entries[i].value->reads) {
            if (gradient_of.empty() && section.find(name) == nullptr) {
                place(panel, name);
            }
        }
        place(panel, gradient_of.empty() ? section.entries[i].name() : gradient_of);
        if (!panel.empty()) {
            panels.push_back(std::move(panel));
        }
    }
    return panels;
}

std::size_t rows_of(const std::vector<Panel>& panels) {
    std::size_t rows = 0;
    for (const Panel& panel : panels) {
        rows += panel.size();
    }
    return rows;
}

// Of too many rows those of tensors with such a mark, or a worse one, and of what they read and are read by.
std::vector<Panel> around(std::vector<Panel> panels, const Section& section, Mark most) {
    const auto is_one = [&](const std::string& name) {
        const Entry* entry = section.find(name);
        return entry != nullptr && entry->mark <= most;
    };
    std::set<std::string> near;
    for (const Entry& entry : section.entries) {
        const std::vector<std::string>& reads = entry.value->reads;
        if (is_one(entry.name())) {
            near.insert(reads.begin(), reads.end());
        }
        if (is_one(entry.name()) || std::ranges::any_of(reads, is_one)) {
            near.insert(entry.name());
        }
    }
    for (Panel& panel : panels) {
        std::erase_if(panel,
                      [&](const NetworkRow& row) { return !near.contains(row.value) && !near.contains(row.gradient); });
    }
    std::erase_if(panels, [](const Panel& panel) { return panel.empty(); });
    return panels;
}

Figure network(const Trace& trace, const Section& section) {
    const std::vector<Panel> all = panels_of(trace, section);
    if (rows_of(all) <= kMostRows) {
        return network_figure(section, all);
    }
    std::vector<Panel> some = around(all, section, Mark::bad);
    if (rows_of(some) > kMostRows && !trace.model.culprits.empty()) {
        some = around(all, section, Mark::culprit);
    }
    std::size_t rows = 0;
    some.erase(std::ranges::find_if(some, [&](const Panel& panel) { return (rows += panel.size()) > kMostRows; }),
               some.end());
    Figure figure = network_figure(section, some);
    figure.caption = "The network";
    const std::string n = report::grouped(rows_of(all));
    figure.note += some.empty() ? "Not drawn: none of its " + n + " rows is off."
                                : "\nOf " + n + " rows only those around what is off are drawn.";
    return figure;
}

Details details_of(const Trace& trace, const Section& section, const Readers& readers, const Entry& entry,
                   const std::string& note) {
    const ValueReport& value = *entry.value;
    const TracedTensor& tensor = trace.tensors[section.places.at(value.name)];
    const auto links = [&](const std::vector<std::string>& names) {
        std::string all;
        for (const std::string& name : names) {
            all += (all.empty() ? "" : ", ") + link(section, name);
        }
        return all.empty() ? "nothing" : all;
    };
    const auto read_by = readers.find(value.name);
    Table facts{value.name,
                {"", {"", "", Align::left}},
                {{"made by", tensor.what + (tensor.where.empty() ? "" : ", " + tensor.where)},
                 {"type", tensor.type ? name_of(*tensor.type) : "none: A lacks it"},
                 {"reads", links(value.reads)},
                 {"read by", read_by == readers.end() ? "nothing" : links(read_by->second)}}};
    if (!note.empty()) {
        facts.rows.push_back({"note", note});
    }
    if (value.role.kind == Role::Kind::inherited) {
        facts.rows.push_back({"inherited from", link(section, value.role.from)});
    }
    if (const ReportWord* const word = find_word(entry.said); word != nullptr && entry.mark <= Mark::open) {
        facts.rows.push_back({word->word, word->meaning});
    }
    Details details{value.name + ", details", {std::move(facts)}, entry.id, entry.mark == Mark::culprit};
    if (value.picture != nullptr) {
        details.blocks.emplace_back(Text{"Its images are left out to keep this page small."});
    }
    return details;
}

}  // namespace

void append_page(Document& document, Table table, const Trace& trace, const Wording& wording) {
    const Section section = section_of(trace);
    const Readers readers = readers_of(trace);
    std::map<std::string, report::Images> images;
    for (const Entry& entry : section.entries) {
        const ValueReport& value = *entry.value;
        table.details.push_back(
            details_of(trace, section, readers, entry, table.rows[table.details.size()].back().shown));
        if (value.picture != nullptr) {
            const bool with_b = is_off_with_b(value);
            images[entry.id] = {
                report::rank_of(entry.mark, with_b ? value.operations->used : value.isolated->on_batch().used),
                [&value, &wording, with_b] {
                    return report::drawing(
                        {value.name, value.shape, *value.picture, wording, with_b ? "B" : "LibTorch"});
                }};
        }
    }
    document.blocks.emplace_back(network(trace, section));
    document.blocks.emplace_back(std::move(table));
    add_drawings(document, images, kImagesOfAny);
}

}  // namespace byhand

// The rows of the diagram of the network that is compared: its names, its layers, its loss. Each panel begins with its
// heading.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/value.h"
#include "documents/page/parts.h"

namespace byhand::report {
namespace {

// The layer whose weights the step reads, or else the panel before.
std::size_t next_panel(const Step& step, const std::vector<Layer>& all, std::size_t panel) {
    for (const Layer& layer : all) {
        if ((!layer.is_tied || step.makes != "emb") &&
            std::ranges::find(step.reads, layer.is_tied ? "C" : layer.W()) != step.reads.end()) {
            panel = layer.number;
        }
    }
    return panel;
}

}  // namespace

std::vector<Panel> panels_of(const PageContents& shown, const Section& section) {
    const std::vector<Layer> all = layers(shown.how.network);
    std::vector<Panel> panels = {{{"Names and their embedding"}}};
    for (const Layer& layer : all) {
        panels.push_back({{layer.is_output   ? "Output layer"
                           : all.size() == 2 ? "Hidden layer"
                                             : fmt::format("Hidden layer {}", layer.number)}});
    }
    panels.push_back({{"Softmax and loss"}});
    std::map<std::string, std::size_t> places;
    const auto place = [&](const std::string& name, std::size_t panel) {
        if (places.try_emplace(name, panel).second) {
            const std::string update = update_of(name);
            panels[panel].push_back({.value = name,
                                     .gradient = gradient_of(name),
                                     .later = section.find(update) != nullptr ? update : evaluation_of(name),
                                     .given = is_index(name) ? "the batch" : ""});
        }
    };
    std::size_t current = 0;
    for (const Step* step : all_steps(shown.network)) {
        const ValueKind kind = value_of(step->makes).kind;
        current = kind == ValueKind::value ? next_panel(*step, all, current) : current;
        for (const std::string& read : step->reads) {
            if (kind == ValueKind::value) {
                place(read, current);
            } else if (kind == ValueKind::updated && places.contains(read)) {  // running statistics: no forward step
                place(without_kind(step->makes), places[read]);                // reads them
            }
        }
        if (kind == ValueKind::value) {
            place(step->makes, current);
        }
        current = step->makes == "logits" ? all.size() + 1 : current;
    }
    for (Panel& rows : panels) {
        std::erase_if(rows, [&](const NetworkRow& row) {
            return row.heading.empty() && row.given.empty() && section.find(row.value) == nullptr &&
                   section.find(row.gradient) == nullptr && section.find(update_of(row.value)) == nullptr;
        });
    }
    std::erase_if(panels, [](const Panel& rows) { return rows.size() == 1; });
    return panels;
}

}  // namespace byhand::report

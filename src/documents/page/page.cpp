#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/value.h"
#include "documents/compare.h"
#include "documents/explain.h"
#include "documents/page/parts.h"
#include "harness/mistake.h"
#include "report/writers.h"

namespace byhand {
namespace {

using report::Entry;
using report::NetworkRow;
using report::PageContents;
using report::Panel;
using report::Section;

// With each operation between the embedding and the loss.
std::string network_in_words(const NetworkConfig& network) {
    std::string text = fmt::format("{} characters, {} of context, embedding {}", network.vocabulary, network.context,
                                   network.embedding);
    for (const OperationConfig& one : network.layers) {
        text += ", " + one.op + (one.outputs == 0 ? "" : " " + std::to_string(one.outputs)) +
                (one.positions == 0 ? "" : " of " + std::to_string(one.positions) + " positions");
    }
    return text;
}

// The verdict.
Document header(const PageContents& shown) {
    const Presentation& how = shown.how;
    Text verdict = conclusion(shown.summary);
    verdict.role = TextRole::conclusion;
    Document document{
        .subject = "compare",
        .note = how.subject + " against LibTorch " + how.torch_version,
        .title = fmt::format("{}: recipe {}", shown.summary.agree ? "They agree" : "They disagree", how.recipe),
        .blocks = {as_conclusion(in_a_sentence(shown.summary))},
        .agrees = shown.summary.agree};
    if (how.planted != nullptr) {
        document.blocks.emplace_back(as_conclusion(fmt::format(": `{}`, {}", how.planted->name, how.planted->what),
                                                   "A mistake was planted in this network", Mark::bad));
    }
    document.blocks.emplace_back(std::move(verdict));
    return document;
}

// What makes the same page again.
Table origin(const PageContents& shown) {
    const Presentation& how = shown.how;
    return {"Where these numbers come from",
            {"", {"", "", Align::left}},
            {{"recipe", fmt::format("{}, {}, seed {}", how.recipe, plural(how.rows, "row"), how.seed)},
             {"network", network_in_words(how.network)},
             {"loss", loss_text(shown.step, how.whose).words},
             {"command", fmt::format("`{}`", how.command)}}};
}

// "A value that …"; empty for a verdict that says it all.
std::string meaning_of(const Entry& entry) {
    constexpr std::string_view kBefore = "The verdict on a";
    if (entry.mark <= Mark::inherited) {
        return entry.mark == Mark::culprit
                   ? "Its step is wrong on inputs that are right: the one to correct."
                   : "It is wrong because what it is computed from is: nothing to correct here.";
    }
    const ReportWord* const word = find_word(entry.words());
    return word == nullptr                      ? ""
           : word->meaning.starts_with(kBefore) ? "A" + word->meaning.substr(kBefore.size())
                                                : word->meaning;
}

// How many tensors have which verdict. They add up to the number of tensors, without those that are not given.
Table verdicts(const Section& section) {
    std::map<std::tuple<Mark, std::string, std::string>, std::size_t> marks;
    for (const Entry& entry : section.entries) {
        ++marks[{entry.mark, entry.mark == Mark::inherited ? "inherited" : entry.words(), meaning_of(entry)}];
    }
    Table table{
        "Verdicts, each tensor counted once, by its worst", {"verdict", "tensors", {"meaning", "", Align::left}}, {}};
    for (const auto& [kind, n] : marks) {
        const auto& [mark, words, meaning] = kind;
        table.rows.push_back({{words, Json(), mark}, whole(n), meaning});
    }
    return table;
}

// The root causes, with links to the rows.
void append_blames(Document& document, const PageContents& shown) {
    for (const Section& section : shown.sections) {
        const std::string lead = shown.sections.size() > 1 ? section.report.model + ": " : "";
        for (Text& text : blame_texts(section.report, shown.how, shown.wording, lead)) {
            text.words = linked(section, text.words);
            text.lead = linked(section, text.lead);
            document.blocks.emplace_back(std::move(text));
        }
    }
}

// Every other power of ten has a number if there are many.
std::string axis(const report::Scale& scale) {
    std::string text = R"(<svg class="scale axis" aria-hidden="true">)";
    const int distance = scale.last - scale.first > 6 ? 2 : 1;
    for (int power = scale.first; power <= scale.last; ++power) {
        const std::string x = report::coordinate(scale.at(std::pow(10.0, power))) + "%";
        const char* const style = power == 0 ? " class=\"limit\"" : "";
        text += fmt::format(R"(<line{0} x1="{1}" x2="{1}" y1="18" y2="22"/>)", style, x);
        if (power == 0 || (power % distance == 0 && (distance == 1 || std::abs(power) > 1))) {
            text += fmt::format(R"(<text{} x="{}" y="12">{}</text>)", style, x,
                                power == 0 ? "limit" : report::power_of_ten(power));
        }
    }
    return text + "</svg>";
}

// Ours is a disc at the end of a line, LibTorch's a ring. An implementation without any error has no mark.
Cell bar(const PageContents& shown, const Entry& entry) {
    const double ours = entry.result().used.value_or(0);
    const Picture* picture = entry.value->picture.get();
    const bool same_parameters =
        std::ranges::all_of(shown.step.models, [](const ModelReport& model) { return model.drift.empty(); });
    const double theirs = picture != nullptr && same_parameters ? picture->torch_share.value_or(0) : 0;
    Cell cell("");
    if (ours == 0 && theirs == 0) {
        return cell;
    }
    const auto place = [&](double share) { return report::coordinate(shown.scale.at(share)) + "%"; };
    cell.svg =
        fmt::format(R"(<svg class="scale {0}" aria-hidden="true"><line class="limit" x1="{1}" x2="{1}" y2="100%"/>)",
                    style_of(entry.mark).name, place(1));
    cell.svg += ours == 0 ? "" : fmt::format(R"(<rect y="50%" width="{}" height="2"/>)", place(ours));
    cell.svg += theirs == 0 ? "" : fmt::format(R"(<circle class="torch" cx="{}" cy="50%" r="4.5"/>)", place(theirs));
    cell.svg += ours == 0 ? "" : fmt::format(R"(<circle cx="{}" cy="50%" r="4"/>)", place(ours));
    cell.svg += "</svg>";
    return cell;
}

std::string isolated_text(const ValueReport& value) {
    return !value.isolated                     ? "–"
           : value.isolated->wrong()           ? "wrong"
           : agrees(value.isolated->verdict()) ? "right"
                                               : to_string(value.isolated->verdict());
}

std::vector<Cell> row_of(const PageContents& shown, const Section& section, const Entry& entry) {
    const Finding& result = entry.result();
    const std::string verdict = entry.mark == Mark::culprit ? ": " + to_string(entry.verdict) : "";
    return {entry.name(),
            to_string(result.shape),
            report::in_short(result.error),
            report::in_short(result.reference_error),
            result.used ? report::share(*result.used) : "–",
            bar(shown, entry),
            isolated_text(*entry.value),
            {linked(section, entry.words()) + verdict, Json(), entry.mark}};
}

// What disagrees first, what is given last.
constexpr std::array<const char*, 6> kGroups = {"Disagreeing", "Forward: values",    "Backward: gradients",
                                                "Update",      "Evaluation: values", "State, as given"};

std::size_t group_of(const Entry& entry) {
    const ValueKind kind = value_of(entry.name()).kind;
    return is_bad(entry.mark)              ? 0
           : entry.value->function.empty() ? 5
           : kind == ValueKind::evaluated  ? 4
           : kind == ValueKind::updated    ? 3
           : kind == ValueKind::gradient   ? 2
                                           : 1;
}

Table tensor_list(const PageContents& shown, const Section& section) {
    Table table{"Tensor by tensor",
                {"tensor",
                 {"shape", "", Align::left, 1},
                 {"our error", "", Align::right, 2},
                 {"LibTorch’s", "", Align::right, 2},
                 "of limit",
                 {"error ÷ limit, on a logarithmic scale", ""},
                 {"isolated", "", Align::left, 1},
                 {"verdict", "", Align::left}},
                {}};
    table.columns[5].svg = axis(shown.scale);
    std::vector<const Entry*> entries;
    for (const Entry& entry : section.entries) {
        if (entry.listed) {
            entries.push_back(&entry);
        }
    }
    std::ranges::stable_sort(
        entries, {}, [](const Entry* entry) { return std::pair(group_of(*entry), std::min(entry->mark, Mark::open)); });
    for (const Entry* const entry : entries) {
        table.rows.push_back(row_of(shown, section, *entry));
        table.details.push_back(details_of(shown, section, *entry));
        table.details.back().group = kGroups[group_of(*entry)];
    }
    return table;
}

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

// The headings of the names, the layers and the loss.
std::vector<Panel> empty_panels(const std::vector<Layer>& all) {
    std::vector<Panel> panels = {{{"Names and their embedding"}}};
    for (const Layer& layer : all) {
        panels.push_back({{layer.is_output   ? "Output layer"
                           : all.size() == 2 ? "Hidden layer"
                                             : fmt::format("Hidden layer {}", layer.number)}});
    }
    panels.push_back({{"Softmax and loss"}});
    return panels;
}

// The panels of the network that is compared, without what is not. Each begins with its heading.
std::vector<Panel> panels_of(const PageContents& shown, const Section& section) {
    const std::vector<Layer> all = layers(shown.how.network);
    std::vector<Panel> panels = empty_panels(all);
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
    const auto has = [&](const std::string& name) { return section.find(name) != nullptr; };
    for (Panel& rows : panels) {
        std::erase_if(rows, [&](const NetworkRow& row) {
            return row.heading.empty() && row.given.empty() && !has(row.value) && !has(row.gradient) &&
                   !has(update_of(row.value));
        });
    }
    std::erase_if(panels, [](const Panel& rows) { return rows.size() == 1; });
    return panels;
}

void append_section(Document& document, const PageContents& shown, const Section& section) {
    document.blocks.emplace_back(
        Text{.words = fmt::format("{}, step {}", section.report.model, shown.step.step), .role = TextRole::heading});
    document.blocks.emplace_back(verdicts(section));
    document.blocks.emplace_back(network_figure(section, panels_of(shown, section)));
    document.blocks.emplace_back(Text{fmt::format(
        "Below, ● is the largest error {} and ○ LibTorch’s, each divided by its limit, which is the red line. The "
        "error is the distance from an oracle in double precision. Each element has a limit of its own, which follows "
        "from how float rounds (docs/verdicts.md); a tensor is shown by the element that uses most of its limit.",
        report::in_words(shown.how.whose))});
    document.blocks.emplace_back(tensor_list(shown, section));
    document.blocks.emplace_back(not_given_text(shown.step, shown.how, section.entries.size()));
}

std::map<std::string, report::Images> images_of(const PageContents& shown) {
    std::map<std::string, report::Images> images;
    for (const Section& section : shown.sections) {
        for (const Entry& entry : section.entries) {
            if (const Picture* const picture = entry.value->picture.get()) {
                images[entry.id] = {report::rank_of(entry.mark, entry.result().used), [&shown, &entry, picture] {
                                        std::vector<Block> drawn = report::drawing(
                                            {entry.name(), entry.result().shape, *picture, shown.wording});
                                        if (drawn.size() > 1 && shown.steps.size() > 1) {
                                            drawn.insert(drawn.end() - 1, over_steps_of(shown, entry));
                                        }
                                        return drawn;
                                    }};
            }
        }
    }
    return images;
}

}  // namespace

Document compare_page(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                      const Graph& network, const Text& next) {
    const PageContents shown = report::page_contents(how, summary, steps, network);
    Document document = header(shown);
    append_blames(document, shown);
    document.blocks.emplace_back(next);
    std::ranges::move(over_steps(shown), std::back_inserter(document.blocks));
    for (const Section& section : shown.sections) {
        append_section(document, shown, section);
    }
    document.blocks.emplace_back(origin(shown));
    report::add_drawings(document, images_of(shown));
    return document;
}

}  // namespace byhand

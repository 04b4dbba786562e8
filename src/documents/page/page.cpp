#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "base/value.h"
#include "documents/compare.h"
#include "documents/page/parts.h"
#include "harness/mistake.h"
#include "report/writers.h"

namespace byhand {
namespace {

using report::Entry;
using report::Section;
using report::Shown;

// A little less than 2 MB.
constexpr std::size_t kLargest = 1'950'000;

// The blocks with the images of each tensor, by its id; those that are missing are left out.
using Drawings = std::map<std::string, std::vector<Block>>;

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

// The verdict, and what makes the same page again.
Document header(const Shown& shown, const std::string& again) {
    const Presentation& how = shown.how;
    Document document{
        .subject = "compare",
        .note = how.subject + " against LibTorch " + how.torch_version,
        .title = fmt::format("{}: recipe {}", shown.summary.agree ? "They agree" : "They disagree", how.recipe),
        .blocks = {},
        .plots = {},
        .data = {},
        .agrees = shown.summary.agree};
    if (how.planted != nullptr) {
        document.blocks.emplace_back(as_conclusion(fmt::format(": `{}`, {}", how.planted->name, how.planted->what),
                                                   "A mistake was planted in this network", Mark::bad));
    }
    const Text verdict = conclusion(shown.summary);
    document.blocks.emplace_back(as_conclusion(verdict.words, verdict.lead, verdict.mark));
    document.blocks.emplace_back(
        as_conclusion(fmt::format("{}, seed {}; {}\n{}\nmade by `{}`{}", plural(how.rows, "row"), how.seed,
                                  loss_text(shown.step, how.whose).words, network_in_words(how.network), how.command,
                                  again.empty() ? "" : fmt::format("\nto repeat only what disagrees: `{}`", again))));
    return document;
}

// How many tensors have which verdict. They add up to the number of tensors, without those that are not given.
void append_counts(Document& document, const Section& section) {
    std::size_t module = 0, not_given = 0;
    std::map<std::pair<Mark, std::string>, std::size_t> marks;
    for (const Entry& entry : section.entries) {
        ++marks[{entry.mark, entry.mark == Mark::inherited ? "inherited" : entry.words()}];
        not_given += entry.mark == Mark::none ? 1 : 0;
        module += entry.mark != Mark::none && entry.value->operations && entry.value->module ? 1 : 0;
    }
    const std::size_t tensors = section.entries.size() - not_given;
    const std::string both =
        fmt::format(" ({} of them compared with both LibTorch’s operations and its torch::nn module: {} comparisons)",
                    module, tensors + module);
    document.blocks.emplace_back(
        Text{plural(tensors, "tensor") + (module == 0 ? "" : both) + ", each counted once, by its worst verdict."});
    Table table{"Verdicts", {"verdict", "tensors"}, {}};
    for (const auto& [mark, n] : marks) {
        table.rows.push_back({{mark.second, Json(), mark.first}, whole(n)});
    }
    document.blocks.emplace_back(std::move(table));
}

// The root causes, with links to the rows.
std::vector<Block> blames(const Shown& shown, const Section& section) {
    const ComparedStep& step = shown.step;
    const ComparedStep of_model{step.step, step.loss_manual, step.loss_torch, {section.report}, step.X, step.Y};
    std::vector<Block> blocks;
    for (Text& text : blame_texts(of_model, shown.how)) {
        text.words = linked(section, text.words);
        text.lead = linked(section, text.lead);
        blocks.emplace_back(std::move(text));
    }
    return blocks;
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
Cell bar(const Shown& shown, const Entry& entry) {
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

std::vector<Cell> row_of(const Shown& shown, const Section& section, const Entry& entry) {
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
std::string group_of(const Entry& entry) {
    const ValueKind kind = value_of(entry.name()).kind;
    return is_bad(entry.mark)              ? "Disagreeing"
           : entry.value->function.empty() ? "State, as given"
           : kind == ValueKind::evaluated  ? "Evaluation: values"
           : kind == ValueKind::updated    ? "Update"
           : kind == ValueKind::gradient   ? "Backward: gradients"
                                           : "Forward: values";
}

Table tensor_list(const Shown& shown, const Section& section, const Drawings& drawings) {
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
    for (const char* const group :
         {"Disagreeing", "Forward: values", "Backward: gradients", "Update", "Evaluation: values", "State, as given"}) {
        std::vector<const Entry*> entries;
        for (const Entry& entry : section.entries) {
            if (entry.listed && group_of(entry) == group) {
                entries.push_back(&entry);
            }
        }
        std::ranges::stable_sort(entries, {}, [](const Entry* entry) { return std::min(entry->mark, Mark::open); });
        for (const Entry* const entry : entries) {
            const auto drawn = drawings.find(entry->id);
            table.rows.push_back(row_of(shown, section, *entry));
            table.details.push_back(
                details_of(shown, section, *entry, drawn != drawings.end() ? &drawn->second : nullptr));
            table.details.back().group = group;
        }
    }
    return table;
}

void append_section(Document& document, const Shown& shown, const Section& section, const Drawings& drawings) {
    document.blocks.emplace_back(
        Text{.words = fmt::format("{}, step {}", section.report.model, shown.step.step), .role = TextRole::heading});
    append_counts(document, section);
    std::ranges::move(blames(shown, section), std::back_inserter(document.blocks));
    document.blocks.emplace_back(network_figure(shown, section));
    document.blocks.emplace_back(Text{fmt::format(
        "Below, ● is the largest error {} and ○ LibTorch’s, each divided by its limit, which is the red line. The "
        "error "
        "is the distance from an oracle in double precision. Each element has a limit of its own, which follows from "
        "how float rounds (docs/verdicts.md); a tensor is shown by the element that uses most of its limit.",
        report::in_words(shown.how.whose))});
    document.blocks.emplace_back(tensor_list(shown, section, drawings));
    if (std::optional<Text> text = not_given_text(shown.step, shown.how, section.entries.size())) {
        document.blocks.emplace_back(std::move(*text));
    }
}

Document page_of(const Shown& shown, const std::string& again, const Drawings& drawings) {
    Document document = header(shown, again);
    std::ranges::move(over_steps(shown), std::back_inserter(document.blocks));
    for (const Section& section : shown.sections) {
        append_section(document, shown, section, drawings);
    }
    return document;
}

// The images by their importance: of what disagrees, then of what is nearest to its limit.
Drawings drawings_within(const Shown& shown, std::size_t room) {
    std::vector<const Entry*> wanted;
    for (const Section& section : shown.sections) {
        for (const Entry& entry : section.entries) {
            if (entry.listed) {
                wanted.push_back(&entry);
            }
        }
    }
    std::ranges::stable_sort(wanted, {}, [](const Entry* entry) {
        return std::pair(std::min(entry->mark, Mark::open), -entry->result().used.value_or(0));
    });
    Drawings drawings;
    for (const Entry* entry : wanted) {
        std::vector<Block> drawn = drawing(shown, *entry);
        const std::size_t size = to_html(drawn).size();
        if (size > room) {
            break;
        }
        room -= size;
        if (!drawn.empty()) {
            drawings[entry->id] = std::move(drawn);
        }
    }
    return drawings;
}

}  // namespace

Document compare_page(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                      const Graph& network, const std::string& again) {
    const Shown shown = report::shown(how, summary, steps, network);
    const std::size_t without = to_html(page_of(shown, again, {})).size();
    return page_of(shown, again, drawings_within(shown, kLargest - std::min(without, kLargest)));
}

}  // namespace byhand

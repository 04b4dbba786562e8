#include "documents/page/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "documents/compare.h"
#include "documents/page/parts.h"
#include "harness/mistake.h"
#include "report/writers.h"

namespace byhand {
namespace {

using report::Drawings;
using report::Entry;
using report::escaped;
using report::Mark;
using report::Section;
using report::Shown;

// A little less than 2 MB.
constexpr std::size_t kLargest = 1'950'000;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size(); begin += lines.back().size() + 1) {
        lines.push_back(text.substr(begin, text.find('\n', begin) - begin));
    }
    return lines;
}

// With each operation between the embedding and the loss.
std::string network_in_words(const NetworkConfig& network) {
    std::string text = fmt::format("{} characters, {} of context, embedding {}", network.vocabulary, network.context,
                                   network.embedding);
    for (const OperationConfig& one : expanded(network)) {
        text += ", " + one.op + (one.outputs == 0 ? "" : " " + std::to_string(one.outputs)) +
                (one.positions == 0 ? "" : " of " + std::to_string(one.positions) + " positions");
    }
    return text;
}

// The verdict, and what makes the same page again.
std::string header(const Shown& shown) {
    const Presentation& how = shown.how;
    const bool agree = shown.summary.agree;
    const std::string planted =
        how.planted == nullptr
            ? ""
            : fmt::format("<p class=\"planted\">A mistake was planted in this network: <code>{}</code>, {}</p>\n",
                          how.planted->name, in_html(how.planted->what));
    std::string text = fmt::format(
        "<header class=\"{}\">\n<p class=\"above\">byhand compare: {} against LibTorch</p>\n{}"
        "<h1><span aria-hidden=\"true\">{}</span> {}</h1>\n",
        agree ? "agree" : "disagree", escaped(how.subject), planted, agree ? "✓" : "✗",
        agree ? "They agree" : "They disagree");
    for (const std::string& line : lines_of(conclusion(shown.summary).words.substr(2))) {  // without ": "
        text += "<p class=\"verdict\">" + escaped(line) + "</p>\n";
    }
    text += "<dl class=\"about\">";
    const auto add = [&text](const std::string& what, const std::string& html) {
        text += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", what, html);
    };
    add("recipe", escaped(how.recipe));
    add("seed", std::to_string(how.seed));
    add("rows", report::grouped(how.rows));
    add("LibTorch", escaped(how.torch_version));
    const std::string by_torch = fmt::format("{:.6f} by LibTorch", shown.step.loss_torch);
    add(fmt::format("loss at step {}", shown.step.step),
        report::gives_loss(shown.step)
            ? fmt::format("{:.6f} {}, {}", shown.step.loss_manual, report::in_words(how.whose), by_torch)
            : by_torch);
    add("network", network_in_words(how.network));
    add("made by", "<code>" + escaped(how.command) + "</code>");
    if (!shown.page.again.empty()) {
        add("to repeat only what disagrees", "<code>" + escaped(shown.page.again) + "</code>");
    }
    return text + "</dl>\n</header>\n";
}

// The root causes, with links to the rows.
std::string cards(const Shown& shown, const Section& section) {
    const ComparedStep& step = shown.step;
    const ComparedStep isolated{step.step, step.loss_manual, step.loss_torch, {section.report}, step.X, step.Y};
    std::string text;
    for (const Text& blame : blame_texts(isolated, shown.how)) {
        text += fmt::format("<article class=\"{}\"><p><strong>{}</strong>", blame.lead.empty() ? "nothing" : "culprit",
                            report::linked(section, blame.lead));
        for (const std::string& line : lines_of(blame.words)) {
            text += (text.ends_with("</strong>") ? "" : "</p>\n<p>") + report::linked(section, line);
        }
        text += "</p>\n" + (blame.code.empty() ? "" : "<pre>" + escaped(blame.code) + "</pre>\n") + "</article>\n";
    }
    return text.empty() ? "" : "<div class=\"cards\">\n" + text + "</div>\n";
}

// How many tensors have which mark. They add up to the number of tensors, without those that are not given.
std::string counts(const Section& section) {
    std::size_t tensors = 0, module = 0;
    std::string marks;
    for (std::size_t i = 0; i < report::kMarks; ++i) {
        const auto mark = static_cast<Mark>(i);
        const auto many = static_cast<std::size_t>(std::ranges::count(section.entries, mark, &Entry::mark));
        tensors += mark == Mark::not_given ? 0 : many;
        if (many > 0) {
            const char* const words = report::words_of(mark).words;
            marks += fmt::format("<li>{} {}</li>", report::badge(mark, report::grouped(many)),
                                 mark == Mark::not_given ? "not given, and not counted" : words);
        }
    }
    for (const Entry& entry : section.entries) {
        module += entry.mark != Mark::not_given && entry.value->operations && entry.value->module ? 1 : 0;
    }
    const std::string both =
        fmt::format(" ({} of them compared with both LibTorch’s operations and its torch::nn module: {} comparisons)",
                    report::grouped(module), report::grouped(tensors + module));
    return fmt::format("<p>{} tensor{}{}, each counted once, by its worst verdict:</p>\n<ul class=\"counts\">{}</ul>\n",
                       report::grouped(tensors), tensors == 1 ? "" : "s", module == 0 ? "" : both, marks);
}

std::string section_text(const Shown& shown, const Section& section, const Drawings& drawings) {
    return fmt::format(
        "<section class=\"model\" aria-labelledby=\"page-{0}\">\n<h2 id=\"page-{0}\">{0} <small>step "
        "{1}</small></h2>\n{2}{3}"
        "<h3>The network</h3>\n<p class=\"hint\">The forward pass runs down, the backward pass up; each box is a link "
        "to its row.</p>\n{4}"
        "<h3>Tensor by tensor</h3>\n<p class=\"hint\">● {5}, ○ LibTorch: error ÷ limit. The error is the distance from "
        "an oracle in double precision. Each element has a limit of its own, which follows from how float rounds "
        "(docs/verdicts.md); a tensor is shown by the element that uses most of its limit. The red line is the limit. "
        "Each row expands to a heatmap, a histogram, the worst elements and the formula.</p>\n{6}</section>\n",
        escaped(section.report.model), shown.step.step, counts(section), cards(shown, section),
        report::network_picture(shown, section), report::in_words(shown.how.whose),
        report::tensor_list(shown, section, drawings));
}

std::string page_text(const Shown& shown, const Drawings& drawings) {
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
        "charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" "
        "content=\"light dark\"/>\n"
        "<title>{}: {}</title>\n<style>{}</style>\n</head>\n<body>\n{}{}<main>\n{}",
        shown.summary.agree ? "They agree" : "They disagree", escaped(shown.how.recipe), report::kStyle,
        report::drawn_once(), header(shown), report::over_steps(shown));
    for (const Section& section : shown.sections) {
        text += section_text(shown, section, drawings);
    }
    return text + "</main>\n</body>\n</html>\n";
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
        return std::pair(std::min(entry->mark, Mark::shows_nothing), -entry->result().used.value_or(0));
    });
    Drawings drawings;
    for (const Entry* entry : wanted) {
        std::string drawn = report::drawing(shown, *entry);
        if (drawn.size() > room) {
            break;
        }
        room -= drawn.size();
        if (!drawn.empty()) {
            drawings[entry->id] = std::move(drawn);
        }
    }
    return drawings;
}

}  // namespace

std::string to_html(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                    const Page& page) {
    const Shown shown = report::shown(how, summary, steps, page);
    const std::size_t without = page_text(shown, {}).size();
    return page_text(shown, drawings_within(shown, kLargest - std::min(without, kLargest)));
}

}  // namespace byhand

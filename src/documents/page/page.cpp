#include "documents/page/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "documents/compare.h"
#include "documents/page/parts.h"
#include "documents/smallest_input.h"
#include "report/style.h"

namespace byhand {
namespace {

using report::badge;
using report::Drawings;
using report::Entry;
using report::escaped;
using report::Mark;
using report::Section;
using report::Shown;

// A little less than 2 MB.
constexpr std::size_t kLargest = 1'950'000;

// Without "they agree: ", which the heading says.
std::string verdict_in_words(const Summary& summary) {
    return conclusion(summary).words.substr(2);
}

std::string paragraphs(const std::string& text, const char* style) {
    std::string out;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string line = text.substr(begin, end - begin);
        out += fmt::format("<p class=\"{}\">{}</p>\n", style,
                           escaped(line.substr(std::min(line.find_first_not_of(' '), line.size()))));
        begin = end + 1;
    }
    return out;
}

// Each operation between the embedding and the loss.
std::string layers_in_words(const NetworkConfig& network) {
    std::string text;
    for (const OperationConfig& one : expanded(network)) {
        text += (text.empty() ? "" : ", ") + one.op + (one.outputs == 0 ? "" : " " + std::to_string(one.outputs)) +
                (one.positions == 0 ? "" : " of " + std::to_string(one.positions) + " positions");
    }
    return text;
}

std::string hidden_in_words(const NetworkConfig& network) {
    std::string hidden;
    for (const std::size_t width : network.hidden) {
        hidden += (hidden.empty() ? "" : ", ") + std::to_string(width);
    }
    if (network.flatten > 0) {
        hidden += ", positions joined by " + std::to_string(network.flatten) + "s";
    }
    const NormPlace place = network.norm.place;
    if (place == NormPlace::none) {
        return fmt::format("hidden {}, {}no norm", hidden,
                           network.activation == op::kTanh ? "" : network.activation + ", ");
    }
    const char* const kind = network.norm.kind == NormKind::batch   ? "batch norm"
                             : network.norm.kind == NormKind::layer ? "layer norm"
                                                                    : "RMS norm";
    return fmt::format("hidden {}, {} {} {}{}", hidden, kind, place == NormPlace::before ? "before" : "after",
                       network.activation, network.norm.output ? ", and on the output" : "");
}

std::string network_in_words(const NetworkConfig& network, std::size_t rows) {
    return fmt::format("{} characters, {} of context, embedding {}, {}; {} rows", network.vocabulary, network.context,
                       network.embedding, network.layers.empty() ? hidden_in_words(network) : layers_in_words(network),
                       rows);
}

// "68 tensors op by op, 38 of them with a torch::nn module too".
std::string compared_in_words(const Shown& shown) {
    std::size_t tensors = 0, module = 0;
    for (const ChainFinding& found : findings(shown.step)) {
        const bool is_given = found.finding.verdict != Verdict::not_given;
        tensors += is_given && found.against != Against::module ? 1 : 0;
        module += is_given && found.against == Against::module ? 1 : 0;
    }
    const std::string text = report::grouped(tensors) + " tensors with LibTorch op by op";
    return module == 0 ? text
                       : text + fmt::format(", {} of them with its torch::nn module too", report::grouped(module));
}

std::string header(const Shown& shown) {
    const Summary& summary = shown.summary;
    const bool agree = summary.agree;
    std::string text = fmt::format(
        "<header class=\"{}\">\n<p class=\"above\">byhand compare: {} beside LibTorch’s, tensor by tensor</p>\n"
        "<h1><span aria-hidden=\"true\">{}</span> {}</h1>\n{}",
        agree ? "agree" : "disagree", shown.how.whose == Whose::given ? "given values" : "a network by hand",
        agree ? "✓" : "✗", agree ? "They agree" : "They disagree", paragraphs(verdict_in_words(summary), "verdict"));
    const std::string loss =
        fmt::format("{}{:.6f} by LibTorch",
                    report::gives_loss(shown.step)
                        ? fmt::format("{:.6f} {}, ", shown.step.loss_manual, report::in_words(shown.how.whose))
                        : "",
                    shown.step.loss_torch);
    text += fmt::format(
        "<dl class=\"about\"><div><dt>recipe</dt><dd>{}</dd></div><div><dt>network</dt><dd>{}</dd></div>"
        "<div><dt>compared at step {}</dt><dd>{}</dd></div>"
        "<div><dt>loss</dt><dd>{}</dd></div><div><dt>LibTorch</dt><dd>{}</dd></div></dl>\n",
        escaped(shown.how.recipe), network_in_words(shown.how.network, shown.step.Y.size()), shown.step.step,
        compared_in_words(shown), loss, escaped(shown.how.torch_version));
    return text + "</header>\n";
}

constexpr std::size_t kLinesOfInput = 40;

// The formula, the line of code, what shows it, and who inherits.
std::string card(const Shown& shown, const Section& section, const ValueReport& culprit) {
    const std::string& function = culprit.wrong_function();
    const Trial* evidence = culprit.evidence();
    const SourceLine source = report::source_line(shown.how, function);
    std::string text = fmt::format("<article class=\"culprit\"><h3>{} {}</h3>\n", badge(Mark::culprit),
                                   report::link(section, culprit.name));
    if (!source.formula.empty()) {
        text += "<p>It should be <code>" + escaped(source.formula) + "</code></p>\n";
    }
    text += fmt::format("<p><code>{}</code>{}</p>\n", escaped(function),
                        source.place.empty() ? "" : ", " + escaped(report::place_in_words(shown.how, source)));
    text += paragraphs(report::figures_of(culprit, shown.wording), "shows");
    for (const std::string& hint : evidence != nullptr ? report::hints_of(*evidence) : std::vector<std::string>()) {
        text += "<p>Hint: " + escaped(hint) + "</p>\n";
    }
    if (evidence != nullptr && evidence->smallest != nullptr) {
        text += "<pre>";
        for (const std::string& line : report::as_code(*evidence->smallest, kLinesOfInput)) {
            text += escaped(line) + "\n";
        }
        text += "</pre>\n";
    }
    const std::vector<std::string> heirs = report::heirs_of(culprit, section.report);
    if (!heirs.empty()) {
        text += fmt::format("<p>{} from it: {}</p>\n", badge(Mark::inherited), report::links(section, heirs, ""));
    }
    return text + "</article>\n";
}

std::string blame_of(const Shown& shown, const Section& section) {
    std::string text;
    for (const ValueReport& culprit : section.report.at(section.report.culprits)) {
        text += card(shown, section, culprit);
    }
    const std::vector<std::string> orphans = report::unexplained(section.report);
    if (!orphans.empty()) {
        const std::vector<std::string>& missing = section.report.missing;
        text += fmt::format(
            "<article class=\"culprit\"><p>{} Off in the chain{}: {}</p>{}</article>\n", badge(Mark::off),
            missing.empty() ? ", though no step that leads there is wrong in isolation" : "",
            report::links(section, orphans, ""),
            missing.empty()
                ? ""
                : fmt::format("<p>Give {} too, and the step is found.</p>", report::escaped(report::few_of(missing))));
    }
    return text.empty() ? "" : "<div class=\"cards\">\n" + text + "</div>\n";
}

// How many tensors stand how: what the marks mean, too.
std::string counts(const Section& section) {
    std::string text = "<ul class=\"counts\">";
    for (std::size_t i = 0; i < report::kMarks; ++i) {
        const auto mark = static_cast<Mark>(i);
        const auto many = std::ranges::count(section.entries, mark, &Entry::mark);
        if (many > 0) {
            const report::MarkWords words = report::words_of(mark);
            text += fmt::format(R"(<li><span class="mark {}"><b aria-hidden="true">{}</b> {}</span> {}</li>)",
                                words.style, words.sign, many, words.words);
        }
    }
    return text + "</ul>\n";
}

std::string section_text(const Shown& shown, const Section& section, const Drawings& drawings) {
    const std::string name = escaped(section.report.model);
    return fmt::format(
               "<section class=\"model\" aria-labelledby=\"page-{0}\">\n<h2 id=\"page-{0}\">{0} <small>step "
               "{1}</small></h2>\n",
               name, shown.step.step) +
           counts(section) + blame_of(shown, section) +
           "<h3>The network</h3>\n<p class=\"hint\">Forward runs down each panel and on to the next, backward up and "
           "back; “after” is what the "
           "update or the evaluation makes. Every box leads to its row.</p>\n" +
           report::network_picture(shown, section) + "<h3>Tensor by tensor</h3>\n<p class=\"hint\">● " +
           report::in_words(shown.how.whose) +
           ", ○ LibTorch, both against the oracle; the line is "
           "the limit, which follows from "
           "how float rounds. Every row opens: heatmap, histogram, worst elements, formula.</p>\n" +
           report::tensor_table(shown, section, drawings) + "</section>\n";
}

std::string page_text(const Shown& shown, const Drawings& drawings) {
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
        "charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" "
        "content=\"light dark\"/>\n"
        "<title>{}: {}</title>\n<style>{}</style>\n</head>\n<body>\n{}",
        shown.summary.agree ? "They agree" : "They disagree", escaped(shown.how.recipe), report::kStyle,
        report::drawn_once());
    text += header(shown) + "<main>\n" + report::over_steps(shown);
    for (const Section& section : shown.sections) {
        text += section_text(shown, section, drawings);
    }
    text +=
        "</main>\n<footer>\n<h2>How to read the heatmaps</h2>\n<p>The largest share of its limit that an error takes "
        "in each cell:</p>\n" +
        report::heat_key();
    if (!shown.page.again.empty()) {
        text += "<p>To see just what is wrong again: <code>" + escaped(shown.page.again) + "</code></p>\n";
    }
    return text + "<p>Where limits and verdicts come from: docs/verdicts.md.</p>\n</footer>\n</body>\n</html>\n";
}

// The pictures in the order in which they are wanted: of what is off, then of what came closest to its limit.
Drawings drawings_within(const Shown& shown, std::size_t room) {
    struct Wanted {
        const Entry* entry;
        std::tuple<Mark, double> rank;
    };
    std::vector<Wanted> wanted;
    for (const Section& section : shown.sections) {
        for (const Entry& entry : section.entries) {
            if (entry.listed) {
                wanted.push_back(
                    {&entry, {std::min(entry.mark, Mark::shows_nothing), -entry.result().used.value_or(0)}});
            }
        }
    }
    std::ranges::stable_sort(wanted, {}, &Wanted::rank);
    Drawings drawings;
    for (const Wanted& one : wanted) {
        std::string drawn = report::drawing(shown, *one.entry);
        if (drawn.size() > room) {
            break;
        }
        room -= drawn.size();
        if (!drawn.empty()) {
            drawings[one.entry->id] = std::move(drawn);
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

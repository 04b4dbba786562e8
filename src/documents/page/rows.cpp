// A row a tensor: figures, where its error stands on the page's one scale, verdict.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/value.h"
#include "documents/page/parts.h"

namespace byhand::report {
namespace {

std::string percent(double along) {
    return coordinate(along) + "%";
}

// Every other power of ten where all would stand too close.
std::string axis(const Scale& scale) {
    std::string text = R"(<svg class="scale axis" aria-hidden="true">)";
    const int apart = scale.last - scale.first > 6 ? 2 : 1;
    for (int power = scale.first; power <= scale.last; ++power) {
        const std::string x = percent(scale.at(std::pow(10.0, power)));
        if (power == 0) {
            text += fmt::format(
                "<line class=\"limit\" x1=\"{0}\" x2=\"{0}\" y1=\"15\" y2=\"22\"/>"
                "<text class=\"limit\" x=\"{0}\" y=\"12\">limit</text>",
                x);
        } else {
            text += fmt::format(R"(<line x1="{0}" x2="{0}" y1="18" y2="22"/>)", x);
            if (power % apart == 0 && (apart == 1 || std::abs(power) > 1)) {
                text += fmt::format(R"(<text x="{}" y="12">{}</text>)", x, power_of_ten(power));
            }
        }
    }
    return text + "</svg>";
}

// Ours as a disc at the end of a line, LibTorch's as a ring. Who has no error at all has no mark.
std::string bar(const Shown& shown, const Entry& entry) {
    const double ours = entry.result().used.value_or(0);
    const Picture* picture = entry.value->picture.get();
    const bool same_question =
        std::ranges::all_of(shown.step.models, [](const ModelReport& model) { return model.drift.empty(); });
    const double theirs = picture != nullptr && same_question ? picture->torch_share.value_or(0) : 0;
    if (ours == 0 && theirs == 0) {
        return "";
    }
    const auto place = [&](double share) { return percent(shown.scale.at(share)); };
    std::string text =
        fmt::format(R"(<svg class="scale {0}" aria-hidden="true"><line class="limit" x1="{1}" x2="{1}" y2="100%"/>)",
                    words_of(entry.mark).style, place(1));
    if (ours != 0) {
        text += fmt::format(R"(<rect y="50%" width="{}" height="2"/>)", place(ours));
    }
    if (theirs != 0) {
        text += fmt::format(R"(<circle class="torch" cx="{}" cy="50%" r="4.5"/>)", place(theirs));
    }
    if (ours != 0) {
        text += fmt::format(R"(<circle cx="{}" cy="50%" r="4"/>)", place(ours));
    }
    return text + "</svg>";
}

// "within", "mismatch, inherited from dbndiff".
std::string verdict_text(const Section& section, const Entry& entry) {
    const MarkWords words = words_of(entry.mark);
    const std::string text =
        fmt::format(R"(<span class="mark {}"><b aria-hidden="true">{}</b> )", words.style, words.sign);
    switch (entry.mark) {
        case Mark::culprit:
            return text + "culprit</span> <small>" + to_string(entry.verdict) + "</small>";
        case Mark::inherited:
            return text + "inherited</span> <small>from " + link(section, entry.value->role.from) + "</small>";
        default:
            return text + to_string(entry.verdict) + "</span>";
    }
}

std::string isolated_text(const ValueReport& value) {
    if (!value.isolated) {
        return "–";
    }
    return value.isolated->wrong()             ? "wrong"
           : agrees(value.isolated->verdict()) ? "right"
                                               : to_string(value.isolated->verdict());
}

std::string row(const Shown& shown, const Section& section, const Entry& entry, const Drawings& drawings) {
    const Finding& result = entry.result();
    return fmt::format(
        "<tbody class=\"tensor\"><tr class=\"row\"><th scope=\"row\">{}</th><td class=\"shape\">{}</td><td "
        "class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
        "<td class=\"bar\">{}</td><td class=\"number\">{}</td><td class=\"alone\">{}</td><td "
        "class=\"verdict\">{}</td></tr>\n"
        "<tr><td class=\"more\" colspan=\"9\"><details><summary><span class=\"vh\">{}, opened</span></summary>\n"
        "<div class=\"opened\" id=\"{}\">{}</div></details></td></tr></tbody>\n",
        escaped(entry.name()), to_string(result.shape), in_short(result.error), in_short(result.reference_error),
        result.used ? share(*result.used) : "–", bar(shown, entry), headroom(result.used), isolated_text(*entry.value),
        verdict_text(section, entry), escaped(entry.name()), escaped(entry.id),
        opened(shown, section, entry, drawings));
}

// The groups of rows in their order. What was given comes last: nobody computed it.
constexpr std::array kGroups = {"Forward: values", "Backward: gradients", "Update", "Evaluation: values",
                                "State, as given"};

const char* group_of(const Entry& entry) {
    const Kind kind = value_of(entry.name()).kind;
    return entry.value->function.empty() ? kGroups[4]
           : kind == Kind::evaluated     ? kGroups[3]
           : kind == Kind::updated       ? kGroups[2]
           : kind == Kind::gradient      ? kGroups[1]
                                         : kGroups[0];
}

}  // namespace

std::string tensor_table(const Shown& shown, const Section& section, const Drawings& drawings) {
    std::string text = fmt::format(
        "<table class=\"tensors\"><caption class=\"about-rows\">Every tensor of {} at step {}. Errors are the largest "
        "distances from an oracle in "
        "double; every element has its own limit, and the scale shows the largest share that an error takes of "
        "one.</caption>\n"
        "<thead class=\"head\"><tr><th scope=\"col\">tensor</th><th scope=\"col\" class=\"shape\">shape</th><th "
        "scope=\"col\" class=\"number\">our error</th>"
        "<th scope=\"col\" class=\"number\">LibTorch’s</th><th scope=\"col\" class=\"number\">of limit</th>"
        "<th scope=\"col\" class=\"bar\"><span class=\"vh\">error ÷ limit, on a logarithmic scale</span>{}</th>"
        "<th scope=\"col\" class=\"number\">headroom</th><th scope=\"col\" class=\"alone\">alone</th>"
        "<th scope=\"col\" class=\"verdict\">verdict</th></tr></thead>\n",
        escaped(section.report.model), shown.step.step, axis(shown.scale));
    for (const char* group : kGroups) {
        std::string rows;
        for (const Entry& entry : section.entries) {
            if (entry.listed && group_of(entry) == group) {
                rows += row(shown, section, entry, drawings);
            }
        }
        if (!rows.empty()) {
            text +=
                fmt::format("<tbody class=\"group\"><tr><th colspan=\"9\" scope=\"rowgroup\">{}</th></tr></tbody>\n{}",
                            group, rows);
        }
    }
    text += "</table>\n";
    std::string not_given;
    for (const Entry& entry : section.entries) {
        if (entry.mark == Mark::not_given && shown.how.shows(entry.name())) {
            not_given += (not_given.empty() ? "" : ", ") + escaped(entry.name());
        }
    }
    return not_given.empty() ? text : text + "<p class=\"hint\">Not given: " + not_given + "</p>\n";
}

}  // namespace byhand::report

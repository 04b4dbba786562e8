// The list of tensors: for each a row with figures, its place on the scale and its verdict, which expands.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/value.h"
#include "documents/page/parts.h"

namespace byhand::report {
namespace {

// Every other power of ten has a number if there are many.
std::string axis(const Scale& scale) {
    std::string text = R"(<svg class="scale axis" aria-hidden="true">)";
    const int distance = scale.last - scale.first > 6 ? 2 : 1;
    for (int power = scale.first; power <= scale.last; ++power) {
        const std::string x = coordinate(scale.at(std::pow(10.0, power))) + "%";
        const char* const style = power == 0 ? " class=\"limit\"" : "";
        text += fmt::format(R"(<line{0} x1="{1}" x2="{1}" y1="18" y2="22"/>)", style, x);
        if (power == 0 || (power % distance == 0 && (distance == 1 || std::abs(power) > 1))) {
            text +=
                fmt::format(R"(<text{} x="{}" y="12">{}</text>)", style, x, power == 0 ? "limit" : power_of_ten(power));
        }
    }
    return text + "</svg>";
}

// Ours is a disc at the end of a line, LibTorch's a ring. An implementation without any error has no mark.
std::string bar(const Shown& shown, const Entry& entry) {
    const double ours = entry.result().used.value_or(0);
    const Picture* picture = entry.value->picture.get();
    const bool same_parameters =
        std::ranges::all_of(shown.step.models, [](const ModelReport& model) { return model.drift.empty(); });
    const double theirs = picture != nullptr && same_parameters ? picture->torch_share.value_or(0) : 0;
    if (ours == 0 && theirs == 0) {
        return "";
    }
    const auto place = [&](double share) { return coordinate(shown.scale.at(share)) + "%"; };
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

// "within", "inherited from dbndiff".
std::string verdict_text(const Section& section, const Entry& entry) {
    const bool culprit = entry.mark == Mark::culprit, inherited = entry.mark == Mark::inherited;
    const std::string text = badge(entry.mark, culprit     ? "culprit"
                                               : inherited ? "inherited"
                                                           : to_string(entry.verdict));
    return culprit     ? text + " <small>" + to_string(entry.verdict) + "</small>"
           : inherited ? text + " <small>from " + linked(section, entry.value->role.from) + "</small>"
                       : text;
}

std::string isolated_text(const ValueReport& value) {
    return !value.isolated                     ? "–"
           : value.isolated->wrong()           ? "wrong"
           : agrees(value.isolated->verdict()) ? "right"
                                               : to_string(value.isolated->verdict());
}

// A culprit's row is expanded.
std::string row(const Shown& shown, const Section& section, const Entry& entry, const Drawings& drawings) {
    const Finding& result = entry.result();
    return fmt::format(
        "<tbody class=\"tensor\"><tr class=\"row\"><th scope=\"row\">{0}</th><td class=\"shape\">{1}</td><td "
        "class=\"figure\">{2}</td><td class=\"figure\">{3}</td><td>{4}</td><td class=\"bar\">{5}</td><td "
        "class=\"isolated\">{6}</td><td class=\"verdict\">{7}</td></tr>\n"
        "<tr><td class=\"more\" colspan=\"8\"><details{8}><summary><span class=\"vh\">{0}, details</span></summary>\n"
        "<div class=\"opened\" id=\"{9}\">{10}</div></details></td></tr></tbody>\n",
        escaped(entry.name()), to_string(result.shape), in_short(result.error), in_short(result.reference_error),
        result.used ? share(*result.used) : "–", bar(shown, entry), isolated_text(*entry.value),
        verdict_text(section, entry), entry.mark == Mark::culprit ? " open=\"open\"" : "", escaped(entry.id),
        opened(shown, section, entry, drawings));
}

// The groups of rows in their order: what disagrees first, what is given last.
constexpr std::array kGroups = {"Disagreeing", "Forward: values",    "Backward: gradients",
                                "Update",      "Evaluation: values", "State, as given"};

std::size_t group_of(const Entry& entry) {
    const ValueKind kind = value_of(entry.name()).kind;
    return entry.disagrees()               ? 0
           : entry.value->function.empty() ? 5
           : kind == ValueKind::evaluated  ? 4
           : kind == ValueKind::updated    ? 3
           : kind == ValueKind::gradient   ? 2
                                           : 1;
}

}  // namespace

std::string tensor_list(const Shown& shown, const Section& section, const Drawings& drawings) {
    std::array<std::vector<const Entry*>, kGroups.size()> groups;
    std::vector<std::string> not_given;
    for (const Entry& entry : section.entries) {
        if (entry.listed) {
            groups[group_of(entry)].push_back(&entry);
        } else if (entry.mark == Mark::not_given && shown.how.shows(entry.name())) {
            not_given.push_back(escaped(entry.name()));
        }
    }
    std::ranges::stable_sort(groups.front(), {}, &Entry::mark);
    std::string text = fmt::format(
        "<table class=\"tensors\"><caption class=\"vh\">Tensors of {} at step {}</caption>\n"
        "<thead class=\"head\"><tr><th scope=\"col\">tensor</th><th scope=\"col\" class=\"shape\">shape</th><th "
        "scope=\"col\" class=\"figure\">our error</th><th scope=\"col\" class=\"figure\">LibTorch’s</th><th "
        "scope=\"col\">of limit</th><th scope=\"col\" class=\"bar\"><span class=\"vh\">error ÷ limit, on a logarithmic "
        "scale</span>{}</th><th scope=\"col\" class=\"isolated\">isolated</th><th scope=\"col\" "
        "class=\"verdict\">verdict</th></tr></thead>\n",
        escaped(section.report.model), shown.step.step, axis(shown.scale));
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (!groups[i].empty()) {
            text += fmt::format(
                "<tbody class=\"group\"><tr><th colspan=\"8\" scope=\"rowgroup\">{} "
                "<small>{}</small></th></tr></tbody>\n",
                kGroups[i], groups[i].size());
        }
        for (const Entry* entry : groups[i]) {
            text += row(shown, section, *entry, drawings);
        }
    }
    text +=
        "</table>\n<p class=\"narrow-list\">Not shown at this width: shape, isolated<span class=\"narrow\">, our "
        "error, LibTorch’s</span></p>\n";
    return not_given.empty() ? text
                             : fmt::format("{}<p class=\"hint\">Not given: {}</p>\n", text, fmt::join(not_given, ", "));
}

}  // namespace byhand::report

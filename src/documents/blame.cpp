#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "documents/compare.h"
#include "documents/phrases.h"

namespace byhand {
namespace {

constexpr std::size_t kFewHeirs = 4, kFewMissing = 6;

// "vacuous, which shows nothing: bndiff2, dh", a line a verdict.
std::string shown_nothing(const ModelReport& model) {
    std::string text;
    for (const Verdict verdict : kShowNothing) {
        std::vector<std::string> names;
        const auto add = [&](const std::string& name, Verdict its_own) {
            if (its_own == verdict && std::ranges::find(names, name) == names.end()) {
                names.push_back(name);
            }
        };
        for (const ChainFinding& found : findings(model)) {
            add(found.value.name, found.finding.verdict);
        }
        for (const ValueReport& value : model.at(model.isolated)) {
            add(value.name, value.isolated->verdict());
        }
        if (!names.empty()) {
            text += fmt::format("{}, which shows nothing: {}\n", to_string(verdict), fmt::join(names, ", "));
        }
    }
    return text;
}

// The values downstream in this role.
std::vector<std::string> names_of(const Role& role, const ModelReport& model) {
    std::vector<std::string> names;
    for (const ValueReport& value : model.at(model.downstream)) {
        if (value.role.kind == role.kind && value.role.from == role.from) {
            names.push_back(value.name);
        }
    }
    return names;
}

// The smallest input found that shows it, as code; empty if it is not small.
std::string smallest_of(const ValueReport& culprit) {
    const Trial* trial = culprit.evidence();
    return trial == nullptr || trial->smallest == nullptr || !report::is_small(*trial->smallest)
               ? ""
               : fmt::format("  {}", fmt::join(report::as_code(*trial->smallest), "\n  "));
}

Text blame_of(const ValueReport& culprit, const std::string& lead, const ModelReport& model, const Wording& wording,
              const Presentation& how) {
    const std::string& function = culprit.wrong_function();
    const SourceLine line = how.source(function);
    const std::string place = report::place_in_words(how, line);
    std::string text = function == culprit.name ? fmt::format(" ({})\n", place)
                                                : fmt::format("\n  made by {} ({})\n", function, place);
    if (!line.code.empty()) {
        text += "  yours is " + line.code + "\n";
    }
    if (!line.formula.empty()) {  // a comment, which may end with a sentence
        text += "  should be " + line.formula.substr(0, line.formula.find_last_not_of('.') + 1) + "\n";
    }
    text += "  " + report::figures_of(culprit, wording) + "\n";
    if (const Trial* trial = culprit.evidence()) {
        for (const std::string& hint : report::hints_of(*trial)) {
            text += "  hint: " + hint + "\n";
        }
    }
    const std::vector<std::string> heirs = names_of({Role::Kind::inherited, culprit.name}, model);
    if (!heirs.empty()) {
        text += fmt::format("  {}: {}\n", inherited_from(culprit.name), report::few_of(heirs, kFewHeirs));
    }
    text.pop_back();  // the last line's end
    return {text, lead + culprit.name, Mark::bad, smallest_of(culprit)};
}

// What stands before the first culprit's name; `off` is the first value that is off end to end.
std::string lead_of(const ValueReport& culprit, const std::string& off) {
    if (off.empty()) {
        return "culprit ";
    }
    return off == culprit.name ? "first divergence and culprit: " : "first divergence " + off + ", culprit ";
}

}  // namespace

std::vector<Text> blame_texts(const ModelReport& model, const Presentation& how, const Wording& wording,
                              const std::string& lead) {
    std::vector<Text> texts;
    const std::vector<ChainFinding> all = findings(model);
    const auto failing =
        std::ranges::find_if(all, [](const ChainFinding& found) { return fails(found.finding.verdict); });
    const std::string off = failing != all.end() ? failing->value.name : "";  // the first that is off end to end
    for (const ValueReport& culprit : model.at(model.culprits)) {
        const std::string before = texts.empty() ? lead + lead_of(culprit, off) : "culprit ";
        texts.push_back(blame_of(culprit, before, model, wording, how));
    }
    if (const std::vector<std::string> names = names_of({Role::Kind::unexplained}, model); !names.empty()) {
        const std::string listed = fmt::format("{}", fmt::join(names, ", "));
        texts.push_back({model.missing.empty()
                             ? "; off end to end, though no step that leads there is wrong in isolation: " + listed
                             : fmt::format("; off end to end: {}\n  to find the step, add these to the file: {}",
                                           listed, report::few_of(model.missing, kFewMissing)),
                         lead + "first divergence " + off, Mark::bad});
    }
    if (model.mistake != nullptr) {
        texts.push_back({"  hint: " + report::made_by(*model.mistake)});
    }
    if (const std::string nothing = shown_nothing(model); !nothing.empty()) {
        texts.push_back({lead + nothing.substr(0, nothing.size() - 1)});
    }
    return texts;
}

std::vector<Text> blame_texts(const ComparedStep& step, const Presentation& how) {
    const Wording wording = report::wording(how, step);
    std::vector<Text> texts;
    for (const ModelReport& model : step.models) {
        std::ranges::move(blame_texts(model, how, wording, step.models.size() > 1 ? model.model + ": " : ""),
                          std::back_inserter(texts));
    }
    return texts;
}

}  // namespace byhand

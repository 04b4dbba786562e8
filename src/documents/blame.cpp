#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "documents/compare.h"
#include "documents/phrases.h"

namespace byhand {
namespace {

constexpr std::size_t kFewHeirs = 4, kFewMissing = 6;

// "bndiff2, dh are vacuous and show nothing", a line a verdict.
std::string shown_nothing(const ModelReport& model) {
    std::string text;
    for (const Verdict verdict : kShowNothing) {
        std::vector<std::string> names;
        const auto add = [&](const std::string& name) {
            if (std::ranges::find(names, name) == names.end()) {
                names.push_back(name);
            }
        };
        for (const ChainFinding& found : findings(model)) {
            if (found.finding.verdict == verdict) {
                add(found.value.name);
            }
        }
        for (const ValueReport& value : model.at(model.isolated)) {
            if (value.isolated->verdict() == verdict) {
                add(value.name);
            }
        }
        if (!names.empty()) {
            text += fmt::format("{}, which shows nothing: {}\n", to_string(verdict), fmt::join(names, ", "));
        }
    }
    return text;
}

// The first value that is off end to end, or empty.
std::string first_failing(const ModelReport& model) {
    for (const ChainFinding& found : findings(model)) {
        if (fails(found.finding.verdict)) {
            return found.value.name;
        }
    }
    return "";
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
    const SourceLine line = report::source_line(how, function);
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
    const std::vector<std::string> heirs = report::heirs_of(culprit, model);
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

// What is off end to end and inherits from no culprit. `lead` stands before it.
std::optional<Text> unexplained_in_words(const ModelReport& model, const std::string& lead, const std::string& off) {
    const std::vector<std::string> names = report::unexplained(model);
    if (names.empty()) {
        return std::nullopt;
    }
    const std::string words =
        model.missing.empty()
            ? fmt::format("; off end to end, though no step that leads there is wrong in isolation: {}",
                          fmt::join(names, ", "))
            : fmt::format("; off end to end: {}\n  to find the step, add these to the file: {}", fmt::join(names, ", "),
                          report::few_of(model.missing, kFewMissing));
    return Text{words, lead + "first divergence " + (off.empty() ? names.front() : off), Mark::bad};
}

}  // namespace

std::vector<Text> blame_texts(const ModelReport& model, const Presentation& how, const Wording& wording,
                              const std::string& lead) {
    std::vector<Text> texts;
    const std::string off = first_failing(model);
    for (const ValueReport& culprit : model.at(model.culprits)) {
        const std::string before = texts.empty() ? lead + lead_of(culprit, off) : "culprit ";
        texts.push_back(blame_of(culprit, before, model, wording, how));
    }
    if (std::optional<Text> text = unexplained_in_words(model, lead, off)) {
        texts.push_back(std::move(*text));
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

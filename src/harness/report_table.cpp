#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "base/member.h"
#include "harness/report.h"
#include "harness/report_columns.h"
#include "harness/report_parts.h"
#include "harness/report_smallest.h"
#include "report/document.h"

namespace byhand {
namespace {

using report::catches;
using report::figure;
using report::figures_of;
using report::heirs_of;
using report::kGreen;
using report::kRed;
using report::kYellow;
using report::painted;
using report::Row;
using report::share;
using report::where;

std::string colour_of(Verdict verdict) {
    return agrees(verdict) ? kGreen : verdict == Verdict::undecided ? kYellow : kRed;
}

// "0.25 0.5 [0.75] 1", the worst in brackets.
std::string around_text(const Finding& result, Member<Neighbour, double> side) {
    std::string text;
    for (const Neighbour& neighbour : result.around) {
        const bool worst = neighbour.position == result.worst->position;
        text += fmt::format(fmt::runtime(worst ? "{}[{:.8g}]" : "{}{:.8g}"), text.empty() ? "" : " ", neighbour.*side);
    }
    return text;
}

// What there is to say under a value that is no agreement.
std::vector<std::string> notes_of(const ValueReport& value, const Finding& result, const Wording& wording) {
    std::vector<std::string> notes;
    if (const std::string role = to_string(value.role); !role.empty()) {
        notes.push_back(role);
    }
    if (result.worst) {
        std::string text = fmt::format("{}: {:.8g} {}, {:.8g} by LibTorch", where(value.name, result, wording),
                                       result.worst->ours, report::in_words(wording.whose), *result.worst->reference);
        if (result.worst->right) {
            text += fmt::format(", {:.8g} by the oracle", *result.worst->right);
        }
        if (result.limit) {
            text += fmt::format("; its limit is {:.1e}", *result.limit);
        }
        notes.push_back(std::move(text));
    }
    if (result.around.size() > 1) {
        notes.push_back("around it: " + around_text(result, &Neighbour::ours) + " " + report::in_words(wording.whose));
        notes.push_back("           " + around_text(result, &Neighbour::reference) + " by LibTorch");
    }
    return notes;
}

// Where the worst element stands and what it is; under what is no agreement it stands in words too.
std::string worst_text(const Finding& result) {
    if (!result.note.empty()) {
        return result.note;
    }
    if (!result.worst || result.verdict == Verdict::exact) {
        return "";
    }
    return fmt::format("[{}] {:.8g} | {:.8g}", fmt::join(index_of(result.shape, result.worst->position), ", "),
                       result.worst->ours, *result.worst->reference);
}

constexpr std::size_t kLinesOfInput = 12;

using TensorTable = report::Table<11>;
using IsolatedTable = report::Table<8>;

Row<11> row_of(const ValueReport& value, const Finding& r, const Wording& wording) {
    const bool is_culprit = value.role.kind == Role::Kind::culprit;
    const bool figures = r.difference.has_value();
    const bool off = contradicts(r.verdict);
    Row<11> row{.cells = {value.name, to_string(r.shape), std::to_string(count(r.shape)),
                          figures ? (r.bit_equal ? "yes" : "no") : "-", figure(r.difference),
                          r.ulp ? report::whole(*r.ulp) : "-", figure(r.error), figure(r.reference_error),
                          r.used ? share(*r.used) : "-", to_string(r.verdict), worst_text(r)},
                .escape = colour_of(r.verdict)};
    row.rank = is_culprit ? 0 : off ? 1 : 2;
    if (off) {
        row.notes = notes_of(value, r, wording);
    } else if (is_culprit) {
        row.notes = {"culprit, though not in the chain"};
    }
    if (r.reference_further_off) {
        row.notes.push_back(fmt::format("LibTorch is the one further off: {} from the oracle, {} {}",
                                        figure(r.reference_error), report::in_words(wording.whose), figure(r.error)));
    }
    return row;
}

Row<8> row_of(const ValueReport& value) {
    const IsolatedStep& step = *value.isolated;
    const std::optional<double> caught = catches(step);
    const auto used = [](const Trial& trial) {
        if (trial.verdict == Verdict::not_given) {
            return std::string("-");
        }
        return agrees(trial.verdict) || trial.verdict == Verdict::mismatch ? share(trial.used.value_or(0))
                                                                           : to_string(trial.verdict);
    };
    return {
        .cells = {value.name, step.function, used(step.real), used(step.probe), caught == 0.0 ? "any" : figure(caught),
                  figure(step.real.error.value_or(0)), figure(value.inherited_error()), report::verdict_in_words(step)},
        .escape = colour_of(step.verdict()),
        .rank = step.wrong()             ? 0
                : agrees(step.verdict()) ? 2
                                         : 1};
}

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

// The first value that is off in the chain, or empty.
std::string first_failing(const ModelReport& model) {
    for (const ChainFinding& found : findings(model)) {
        if (fails(found.finding.verdict)) {
            return found.value.name;
        }
    }
    return "";
}

// The smallest input found that shows it, as code; empty where none was looked for.
std::string smallest_of(const ValueReport& culprit) {
    const Trial* trial = culprit.evidence();
    return trial == nullptr || trial->smallest == nullptr
               ? ""
               : fmt::format("  {}", fmt::join(report::as_code(*trial->smallest, kLinesOfInput), "\n  "));
}

Text blame_of(const ValueReport& culprit, const std::string& lead, const ModelReport& model, const Wording& wording,
              const Presentation& how) {
    const std::string& function = culprit.wrong_function();
    const SourceLine line = report::source_line(how, function);
    std::string text;
    if (!line.formula.empty()) {  // a comment, which may end with a sentence
        text += ", which should be " + line.formula.substr(0, line.formula.find_last_not_of('.') + 1);
    }
    if (function != culprit.name) {
        text += ": " + function;
    }
    text += fmt::format(" ({})\n", report::place_in_words(how, line));
    text += "  " + figures_of(culprit, wording) + "\n";
    if (const Trial* trial = culprit.evidence()) {
        for (const std::string& hint : report::hints_of(*trial)) {
            text += "  hint: " + hint + "\n";
        }
    }
    const std::vector<std::string> heirs = heirs_of(culprit, model);
    if (!heirs.empty()) {
        text += fmt::format("  {}: {}\n", inherited_from(culprit.name), fmt::join(heirs, ", "));
    }
    text.pop_back();  // the last line's end
    return {text, lead + culprit.name, Mark::bad, smallest_of(culprit)};
}

// What stands before the first culprit's name; `off` is the first value that is off in the chain.
std::string lead_of(const ValueReport& culprit, const std::string& off) {
    if (off.empty()) {
        return "culprit ";
    }
    return off == culprit.name ? "first divergence and culprit: " : "first divergence " + off + ", culprit ";
}

// What is off in the chain and inherits from no culprit. `lead` stands before it.
std::optional<Text> unexplained_in_words(const ModelReport& model, const std::string& lead, const std::string& off) {
    const std::vector<std::string> names = report::unexplained(model);
    if (names.empty()) {
        return std::nullopt;
    }
    const std::string words =
        model.missing.empty()
            ? fmt::format("; off in the chain, though no step that leads there is wrong in isolation: {}",
                          fmt::join(names, ", "))
            : fmt::format("; off in the chain: {}\n  give {} too, and the step is found", fmt::join(names, ", "),
                          report::few_of(model.missing));
    return Text{words, lead + "first divergence " + (off.empty() ? names.front() : off), Mark::bad};
}

}  // namespace

std::vector<Text> blame_texts(const ComparedStep& step, const Presentation& how) {
    const Wording said = report::wording(how, step);
    std::vector<Text> texts;
    for (const ModelReport& model : step.models) {
        const std::string lead = step.models.size() > 1 ? model.model + ": " : "";
        const std::string off = first_failing(model);
        bool first = true;
        for (const ValueReport& culprit : model.at(model.culprits)) {
            texts.push_back(blame_of(culprit, first ? lead + lead_of(culprit, off) : "culprit ", model, said, how));
            first = false;
        }
        if (std::optional<Text> text = unexplained_in_words(model, lead, off)) {
            texts.push_back(std::move(*text));
        }
        if (const std::string nothing = shown_nothing(model); !nothing.empty()) {
            texts.push_back({lead + nothing.substr(0, nothing.size() - 1)});
        }
    }
    return texts;
}

std::string blame(const ComparedStep& step, const Presentation& how) {
    std::string all;
    for (const Text& text : blame_texts(step, how)) {
        all += (text.lead.empty() ? "" : painted(text.lead, kRed, how.colour)) + text.words + "\n";
        all += text.code.empty() ? "" : text.code + "\n";
    }
    return all;
}

std::string table(const ComparedStep& step, const Presentation& how) {
    const Wording said = report::wording(how, step);
    std::vector<std::string> not_given;
    for (const ChainFinding& found : findings(step)) {
        if (found.finding.verdict == Verdict::not_given && how.shows(found.value.name)) {
            not_given.push_back(found.value.name);
        }
    }
    const std::string whose = report::in_words(how.whose);
    const std::string ours = report::gives_loss(step) ? fmt::format("{:.6f} {}, ", step.loss_manual, whose) : "";
    std::string text = fmt::format("step {}: loss {}{:.6f} by LibTorch\n", step.step, ours, step.loss_torch);

    constexpr report::Align L = report::Align::left, R = report::Align::right;
    TensorTable tensors({"name", "shape", "count", "equal", "differ", "ULP", "error", "LibTorch", "of limit", "verdict",
                         "worst element: " + whose + " | LibTorch"},
                        {L, L, R, R, R, R, R, R, R, L, L}, 9, how.colour);
    std::string last;
    for (const auto& [model, against, value, finding] : findings(step)) {
        if (!how.shows(value.name) || finding.verdict == Verdict::not_given) {
            continue;
        }
        const std::string section = model.model + " against LibTorch's " + to_string(against) + "; error: " + whose +
                                    " and LibTorch's, against the oracle in double";
        if (section != last) {
            tensors.begin(section);
            last = section;
        }
        tensors.add(row_of(value, finding, said));
    }
    text += tensors.text();
    if (!not_given.empty()) {
        constexpr std::size_t kFew = 8;
        text += not_given.size() <= kFew
                    ? fmt::format("not given: {}\n", fmt::join(not_given, ", "))
                    : fmt::format("not given: {} values (byhand explain lists the names)\n", not_given.size());
    }

    IsolatedTable isolated({"name", "function", "this batch", "random", "catches", "own", "inherited", "verdict"},
                           {L, L, R, R, R, R, R, L}, 7, how.colour);
    for (const ModelReport& model : step.models) {
        bool begun = false;
        for (const ValueReport& value : model.at(model.isolated)) {
            if (!how.shows(value.name)) {
                continue;
            }
            if (!begun) {
                isolated.begin(
                    "each step of " + model.model +
                    " alone: share of its limit used, smallest relative error caught; own and inherited error");
                begun = true;
            }
            isolated.add(row_of(value));
        }
    }
    return text + isolated.text();
}

}  // namespace byhand

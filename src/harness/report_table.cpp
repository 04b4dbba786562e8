#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/member.h"
#include "harness/report.h"
#include "harness/report_columns.h"
#include "harness/report_parts.h"
#include "harness/report_smallest.h"

namespace byhand {
namespace {

using report::Align;
using report::catches;
using report::figure;
using report::figures_of;
using report::heirs_of;
using report::kGreen;
using report::kRed;
using report::kYellow;
using report::painted;
using report::role;
using report::Row;
using report::share;
using report::Table;
using report::where;
using report::whole;

std::string colour_of(Verdict verdict) {
    return agrees(verdict) ? kGreen : verdict == Verdict::undecided ? kYellow : kRed;
}

// "0.25 0.5 [0.75] 1", the worst in brackets.
std::string around_text(const TensorResult& result, Member<Neighbour, double> side) {
    std::string text;
    for (const Neighbour& neighbour : result.around) {
        const bool worst = neighbour.position == result.worst->position;
        text += fmt::format(fmt::runtime(worst ? "{}[{:.8g}]" : "{}{:.8g}"), text.empty() ? "" : " ", neighbour.*side);
    }
    return text;
}

// What there is to say under a tensor that is no agreement.
std::vector<std::string> notes_of(const TensorResult& result, const std::string& role, const Wording& wording) {
    std::vector<std::string> notes;
    if (!role.empty()) {
        notes.push_back(role);
    }
    if (result.worst) {
        std::string text = fmt::format("{}: {:.8g} {}, {:.8g} by LibTorch", where(result, wording), result.worst->ours,
                                       report::in_words(wording.whose), *result.worst->reference);
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
std::string worst_text(const TensorResult& result) {
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

using TensorTable = Table<11>;
using AloneTable = Table<8>;

Row<11> row_of(const ComparedTensor& tensor, const std::string& role, const Wording& wording) {
    const TensorResult& r = tensor.result;
    const bool figures = r.difference.has_value();
    const bool off = contradicts(r.verdict);
    Row<11> row{.cells = {r.name, to_string(r.shape), std::to_string(count(r.shape)),
                          figures ? (r.bit_equal ? "yes" : "no") : "-", figure(r.difference),
                          r.ulp ? whole(*r.ulp) : "-", figure(r.error), figure(r.reference_error),
                          r.used ? share(*r.used) : "-", to_string(r.verdict), worst_text(r)},
                .escape = colour_of(r.verdict)};
    row.rank = role == "culprit" ? 0 : off ? 1 : 2;
    if (off) {
        row.notes = notes_of(r, role, wording);
    } else if (role == "culprit") {
        row.notes = {"culprit, though not in the chain"};
    }
    if (r.reference_further_off) {
        row.notes.push_back(fmt::format("LibTorch is the one further off: {} from the oracle, {} {}",
                                        figure(r.reference_error), report::in_words(wording.whose), figure(r.error)));
    }
    return row;
}

Row<8> row_of(const StepAlone& step) {
    const std::optional<double> caught = catches(step);
    const auto used = [](const Trial& trial) {
        if (trial.verdict == Verdict::not_given) {
            return std::string("-");
        }
        return agrees(trial.verdict) || trial.verdict == Verdict::mismatch ? share(trial.used.value_or(0))
                                                                           : to_string(trial.verdict);
    };
    return {
        .cells = {step.makes, step.function, used(step.real), used(step.probe), caught == 0.0 ? "any" : figure(caught),
                  figure(step.real.error.value_or(0)), figure(step.inherited()), report::verdict_in_words(step)},
        .escape = colour_of(step.verdict()),
        .rank = step.wrong()             ? 0
                : agrees(step.verdict()) ? 2
                                         : 1};
}

// "bndiff2, dh are vacuous and show nothing", a line a verdict.
std::string shown_nothing(const ComparedStep& step, const Blamed& blamed) {
    std::string text;
    for (const Verdict verdict : kShowNothing) {
        std::vector<std::string> names;
        const auto add = [&](const std::string& name) {
            if (std::ranges::find(names, name) == names.end()) {
                names.push_back(name);
            }
        };
        for (const ComparedTensor& tensor : step.tensors) {
            if (tensor.model == blamed.model && tensor.result.verdict == verdict) {
                add(tensor.result.name);
            }
        }
        for (const StepAlone& alone : blamed.alone) {
            if (alone.verdict() == verdict) {
                add(alone.makes);
            }
        }
        if (!names.empty()) {
            text += fmt::format("{}, which shows nothing: {}\n", to_string(verdict), fmt::join(names, ", "));
        }
    }
    return text;
}

// The names that are off in this step, of one model, in order.
std::vector<std::string> failing(const ComparedStep& step, const std::string& model) {
    std::vector<std::string> names;
    for (const ComparedTensor& tensor : step.tensors) {
        if (tensor.model == model && fails(tensor.result.verdict)) {
            names.push_back(tensor.result.name);
        }
    }
    return names;
}

std::string blame_of(const Culprit& culprit, const std::string& lead, const std::vector<Victim>& victims,
                     const Wording& wording, const Presentation& how) {
    const SourceLine line = report::source_line(how, culprit.function);
    std::string text = painted(lead + culprit.name, kRed, how.colour);
    if (!line.formula.empty()) {  // a comment, which may end with a sentence
        text += ", which should be " + line.formula.substr(0, line.formula.find_last_not_of('.') + 1);
    }
    if (culprit.function != culprit.name) {
        text += ": " + culprit.function;
    }
    text += fmt::format(" ({})\n", report::place_in_words(how, line));
    text += "  " + figures_of(culprit, wording) + "\n";
    if (culprit.trial) {
        for (const std::string& hint : report::hints_of(*culprit.trial)) {
            text += "  hint: " + hint + "\n";
        }
        if (culprit.trial->smallest != nullptr) {
            for (const std::string& line_of_code : report::as_code(*culprit.trial->smallest, kLinesOfInput)) {
                text += "  " + line_of_code + "\n";
            }
        }
    }
    const std::vector<std::string> heirs = heirs_of(culprit.name, victims);
    if (!heirs.empty()) {
        text += fmt::format("  inherited from {}: {}\n", culprit.name, fmt::join(heirs, ", "));
    }
    return text;
}

// What stands before the first culprit's name.
std::string lead_of(const Culprit& culprit, const std::vector<std::string>& off) {
    if (off.empty()) {
        return "culprit ";
    }
    return off.front() == culprit.name ? "first divergence and culprit: "
                                       : "first divergence " + off.front() + ", culprit ";
}

// What is off in the chain and inherited from nobody.
std::string unexplained(const Blamed& blamed, const std::string& model, const std::vector<std::string>& off,
                        bool colour) {
    std::vector<std::string> names;
    for (const Victim& victim : blamed.victims) {
        if (victim.from.empty()) {
            names.push_back(victim.name);
        }
    }
    if (names.empty()) {
        return "";
    }
    const std::string first =
        painted(model + "first divergence " + (off.empty() ? names.front() : off.front()), kRed, colour);
    if (!blamed.missing.empty()) {
        return first + fmt::format("; off in the chain: {}\n  give {} too, and the step is found\n",
                                   fmt::join(names, ", "), report::few_of(blamed.missing));
    }
    return first + fmt::format("; off in the chain, though no step that leads there is wrong in isolation: {}\n",
                               fmt::join(names, ", "));
}

}  // namespace

std::string blame(const ComparedStep& step, const Presentation& how) {
    const Wording said = report::wording(how, step);
    std::string text;
    for (const Blamed& blamed : step.blamed) {
        const std::string model = step.blamed.size() > 1 ? blamed.model + ": " : "";
        const std::vector<std::string> off = failing(step, blamed.model);
        for (const Culprit& culprit : blamed.culprits) {
            const bool first = &culprit == blamed.culprits.data();
            text += blame_of(culprit, first ? model + lead_of(culprit, off) : "culprit ", blamed.victims, said, how);
        }
        text += unexplained(blamed, model, off, how.colour);
        const std::string nothing = shown_nothing(step, blamed);
        if (!nothing.empty()) {
            text += model;
            text += nothing;
        }
    }
    return text;
}

std::string table(const ComparedStep& step, const Presentation& how) {
    const Wording said = report::wording(how, step);
    std::vector<std::string> not_given;
    for (const ComparedTensor& tensor : step.tensors) {
        if (tensor.result.verdict == Verdict::not_given && how.shows(tensor.result.name)) {
            not_given.push_back(tensor.result.name);
        }
    }
    const std::string whose = report::in_words(how.whose);
    const std::string ours = report::gives_loss(step) ? fmt::format("{:.6f} {}, ", step.loss_manual, whose) : "";
    std::string text = fmt::format("step {}: loss {}{:.6f} by LibTorch\n", step.step, ours, step.loss_torch);

    constexpr Align L = Align::left, R = Align::right;
    TensorTable tensors({"name", "shape", "count", "equal", "differ", "ULP", "error", "LibTorch", "of limit", "verdict",
                         "worst element: " + whose + " | LibTorch"},
                        {L, L, R, R, R, R, R, R, R, L, L}, 9, how.colour);
    std::string last;
    for (const ComparedTensor& tensor : step.tensors) {
        if (!how.shows(tensor.result.name) || tensor.result.verdict == Verdict::not_given) {
            continue;
        }
        const std::string section = tensor.model + " against LibTorch's " + tensor.reference + "; error: " + whose +
                                    " and LibTorch's, against the oracle in double";
        if (section != last) {
            tensors.begin(section);
            last = section;
        }
        tensors.add(row_of(tensor, role(step, tensor.model, tensor.result.name), said));
    }
    text += tensors.text();
    if (!not_given.empty()) {
        constexpr std::size_t kFew = 8;
        text += not_given.size() <= kFew
                    ? fmt::format("not given: {}\n", fmt::join(not_given, ", "))
                    : fmt::format("not given: {} values (byhand explain lists the names)\n", not_given.size());
    }

    AloneTable alone({"name", "function", "this batch", "random", "catches", "own", "inherited", "verdict"},
                     {L, L, R, R, R, R, R, L}, 7, how.colour);
    for (const Blamed& blamed : step.blamed) {
        bool begun = false;
        for (const StepAlone& one : blamed.alone) {
            if (!how.shows(one.makes)) {
                continue;
            }
            if (!begun) {
                alone.begin("each step of " + blamed.model +
                            " alone: share of its limit used, smallest relative error caught; own and inherited error");
                begun = true;
            }
            alone.add(row_of(one));
        }
    }
    return text + alone.text();
}

}  // namespace byhand

#include "harness/report_exercise.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/report_columns.h"
#include "harness/report_parts.h"

namespace byhand {
namespace {

using Columns = report::Table<5>;

// What the chain says of it: nothing where it was not run there.
std::string in_chain(const ComparedStep& step, const std::string& model, const std::string& name) {
    for (const ComparedTensor& tensor : step.tensors) {
        if (tensor.model == model && tensor.result.name == name && tensor.result.verdict != Verdict::not_given) {
            const std::string role = report::role(step, model, name);
            return role.empty() || role == "culprit" ? to_string(tensor.result.verdict) : role;
        }
    }
    return "";
}

report::Row<5> row_of(const Attempt& attempt, const ComparedStep& step, const std::string& model) {
    const StepAlone& alone = attempt.alone;
    switch (attempt.standing) {
        case Standing::to_do:
            return {.cells = {alone.makes, "to do", "", "", fmt::format("reads {}", fmt::join(alone.reads, ", "))},
                    .escape = report::kYellow,
                    .rank = 2};
        case Standing::absent:
            return {.cells = {alone.makes, "no place", "", "", "not in this network"}, .escape = "", .rank = 2};
        case Standing::right:
            return {.cells = {alone.makes, "right",
                              fmt::format("{:.1f} %", 100 * std::max(alone.real.used, alone.probe.used)),
                              in_chain(step, model, alone.makes), ""},
                    .escape = report::kGreen,
                    .rank = 1};
        case Standing::wrong:
            break;
    }
    const Trial* telling = alone.telling();
    std::string why = telling == nullptr       ? report::verdict_in_words(alone)
                      : !telling->note.empty() ? telling->note
                      : !telling->hint.empty() ? telling->hint
                                               : to_string(telling->verdict);
    if (alone.only_in_double()) {
        why += ", in double only";
    }
    return {.cells = {alone.makes, "wrong", "", in_chain(step, model, alone.makes), why},
            .escape = report::kRed,
            .rank = 0};
}

std::string tally(const std::vector<Attempt>& attempts, bool in_one) {
    std::size_t right = 0, wrong = 0, to_do = 0, absent = 0;
    for (const Attempt& attempt : attempts) {
        if (attempt.in_one == in_one) {
            right += attempt.standing == Standing::right ? 1 : 0;
            wrong += attempt.standing == Standing::wrong ? 1 : 0;
            to_do += attempt.standing == Standing::to_do ? 1 : 0;
            absent += attempt.standing == Standing::absent ? 1 : 0;
        }
    }
    std::string text = fmt::format("{} of {} right", right, right + wrong + to_do + absent);
    if (wrong > 0) {
        text += fmt::format(", {} wrong", wrong);
    }
    if (to_do > 0) {
        text += fmt::format(", {} to do", to_do);
    }
    if (absent > 0) {
        text += fmt::format(", {} not in this network", absent);
    }
    return text;
}

}  // namespace

std::string exercise_table(const std::vector<Attempt>& attempts, const ComparedStep& step, const Forms& forms,
                           bool colour) {
    using report::Align;
    Columns table({"step", "yours", "of its limit", "in the chain", ""},
                  {Align::left, Align::left, Align::right, Align::left, Align::left}, 1, colour);
    std::vector<std::string> sums;
    for (const bool in_one : {false, true}) {
        if (std::ranges::none_of(attempts, [=](const Attempt& attempt) { return attempt.in_one == in_one; })) {
            continue;
        }
        table.begin(in_one ? "in one formula" : "step by step");
        for (const Attempt& attempt : attempts) {
            if (attempt.in_one == in_one) {
                table.add(row_of(attempt, step, in_one ? forms.in_one : forms.step_by_step));
            }
        }
        sums.push_back((in_one ? "in one formula: " : "step by step: ") + tally(attempts, in_one));
    }
    return table.text() + fmt::format("{}\n", fmt::join(sums, "; "));
}

}  // namespace byhand

#include "harness/report_exercise.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/json.h"
#include "harness/report_columns.h"
#include "harness/report_junit.h"
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

const char* word_for(Standing standing) {
    switch (standing) {
        case Standing::right:
            return "right";
        case Standing::wrong:
            return "wrong";
        case Standing::to_do:
            return "to do";
        case Standing::absent:
            break;
    }
    return "no place";
}

// (What is to do or absent is not judged at all.)
bool is_judged_in_float_alone(const Attempt& attempt) {
    return !attempt.in_double && (attempt.standing == Standing::right || attempt.standing == Standing::wrong);
}

std::string why(const Attempt& attempt) {
    const StepAlone& alone = attempt.alone;
    if (attempt.standing == Standing::to_do) {
        return fmt::format("reads {}", fmt::join(alone.reads, ", "));
    }
    if (attempt.standing == Standing::absent) {
        return "not in this network";
    }
    const Trial* telling = alone.telling();
    if (telling == nullptr) {
        return "";
    }
    const std::string what = !telling->note.empty()   ? telling->note
                             : !telling->hint.empty() ? telling->hint
                             : telling->verdict == Verdict::mismatch
                                 ? fmt::format("off by {:.3g}", std::abs(telling->ours - telling->answer))
                                 : to_string(telling->verdict);
    return what + (alone.only_in_double() ? ", in double only" : "");
}

// The largest share of its limit.
double used(const Attempt& attempt) {
    return std::max(attempt.alone.real.used, attempt.alone.probe.used);
}

report::Row<5> row_of(const Attempt& attempt, const ComparedStep& step) {
    const bool right = attempt.standing == Standing::right, wrong = attempt.standing == Standing::wrong;
    const std::string& name = attempt.alone.makes;
    std::string words = why(attempt);
    if (is_judged_in_float_alone(attempt)) {
        words += (words.empty() ? "" : ", ") + std::string("in float alone");
    }
    return {.cells = {name, word_for(attempt.standing), right ? fmt::format("{:.1f} %", 100 * used(attempt)) : "",
                      in_chain(step, model_of(attempt.in_one), name), words},
            .escape = right   ? report::kGreen
                      : wrong ? report::kRed
                              : report::kYellow,
            .rank = wrong   ? 0
                    : right ? 1
                            : 2};
}

std::string tally(const std::vector<Attempt>& attempts, bool in_one) {
    std::map<Standing, std::size_t> of;
    std::size_t all = 0;
    for (const Attempt& attempt : attempts) {
        if (attempt.in_one == in_one) {
            ++of[attempt.standing];
            ++all;
        }
    }
    std::string text = fmt::format("{} of {} right", of[Standing::right], all);
    for (const auto& [standing, words] : {std::pair(Standing::wrong, "wrong"), std::pair(Standing::to_do, "to do"),
                                          std::pair(Standing::absent, "not in this network")}) {
        if (of[standing] > 0) {
            text += fmt::format(", {} {}", of[standing], words);
        }
    }
    const auto in_float_alone = std::ranges::count_if(attempts, [=](const Attempt& attempt) {
        return attempt.in_one == in_one && is_judged_in_float_alone(attempt);
    });
    if (in_float_alone > 0) {
        text += fmt::format(" ({} in float alone: double is not judged)", in_float_alone);
    }
    return text;
}

report::Case case_of(const Attempt& attempt, const Examination& examination, const Wording& wording,
                     const Presentation& how) {
    const std::string model = model_of(attempt.in_one), &name = attempt.alone.makes;
    if (attempt.standing == Standing::to_do || attempt.standing == Standing::absent) {
        const std::string message = fmt::format("{}: {}", word_for(attempt.standing), why(attempt));
        return {model + ".alone", name, report::Outcome::skipped, word_for(attempt.standing), message, ""};
    }
    report::Case one = report::case_of(attempt.alone, model, wording, examination.summary, how);
    if (const std::string chain = in_chain(examination.step, model, name); !chain.empty()) {
        one.text += "in the chain: " + chain + "\n";
    }
    if (!attempt.in_double) {
        one.text += "in float alone: double is not judged\n";
    }
    return one;
}

}  // namespace

bool all_right(const Examination& examination) {
    const std::vector<Attempt>& all = examination.attempts;
    return examination.summary.agree &&
           std::ranges::any_of(all, [](const Attempt& attempt) { return attempt.standing == Standing::right; }) &&
           std::ranges::none_of(all, [](const Attempt& attempt) {
               return attempt.standing == Standing::wrong || (attempt.standing == Standing::to_do && !attempt.in_one);
           });
}

std::string exercise_table(const Examination& examination, bool colour) {
    using report::Align;
    const std::vector<Attempt>& attempts = examination.attempts;
    Columns table({"step", "yours", "of its limit", "in the chain", ""},
                  {Align::left, Align::left, Align::right, Align::left, Align::left}, 1, colour);
    std::vector<std::string> sums;
    for (const bool in_one : {false, true}) {
        if (std::ranges::none_of(attempts, [=](const Attempt& attempt) { return attempt.in_one == in_one; })) {
            continue;
        }
        const std::string title = in_one ? "in one formula" : "step by step";
        table.begin(title);
        for (const Attempt& attempt : attempts) {
            if (attempt.in_one == in_one) {
                table.add(row_of(attempt, examination.step));
            }
        }
        sums.push_back(title + ": " + tally(attempts, in_one));
    }
    return table.text() + fmt::format("{}\n", fmt::join(sums, "; "));
}

std::string exercise_json(const Examination& examination, const Presentation& how) {
    Json json = report::json_of(how, examination.summary, {examination.step});
    if (examination.step.tensors.empty()) {  // nothing was run
        json["steps"] = Json::array();
    }
    json["file"] = examination.file;
    json["verdict"] = all_right(examination) ? "agree" : "disagree";
    Json functions = Json::array();
    for (const Attempt& attempt : examination.attempts) {
        const std::string because = why(attempt),
                          chain = in_chain(examination.step, model_of(attempt.in_one), attempt.alone.makes);
        functions.push_back({{"name", attempt.alone.makes},
                             {"in_one", attempt.in_one},
                             {"standing", word_for(attempt.standing)},
                             {"in_double", attempt.in_double},
                             {"why", because.empty() ? Json() : Json(because)},
                             {"in_the_chain", chain.empty() ? Json() : Json(chain)}});
    }
    json["functions"] = std::move(functions);
    return printed_json(json, 1) + "\n";
}

std::string exercise_junit(const Examination& examination, const Presentation& how) {
    const Wording wording = report::wording(how, examination.step);
    std::vector<report::Case> cases;
    cases.reserve(examination.attempts.size());
    for (const Attempt& attempt : examination.attempts) {
        cases.push_back(case_of(attempt, examination, wording, how));
    }
    return report::junit({{"exercise",
                           "byhand.exercise",
                           {{"file", examination.file}, {"recipe", how.recipe}, {"torch", how.torch_version}},
                           std::move(cases)}});
}

}  // namespace byhand

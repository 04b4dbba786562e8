#include "harness/report_exercise.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/json.h"
#include "harness/report_columns.h"
#include "harness/report_junit.h"
#include "harness/report_parts.h"

namespace byhand {
namespace {

constexpr std::size_t kColumns = 6;
using Columns = report::Table<kColumns>;

// What the chain shows of it, or null where it was not run there.
const Finding* finding_in_chain(const ValueReport& value) {
    const Finding* finding = value.in_chain();
    return finding != nullptr && finding->verdict != Verdict::not_given ? finding : nullptr;
}

// What the chain says of it: nothing where it was not run there.
std::string in_chain(const ValueReport& value) {
    const Finding* finding = finding_in_chain(value);
    return finding == nullptr                         ? ""
           : value.role.kind == Role::Kind::inherited ? to_string(value.role)
                                                      : to_string(finding->verdict);
}

const char* word_for(Standing standing) {
    switch (standing) {
        case Standing::right:
            return "right";
        case Standing::wrong:
            return "wrong";
        case Standing::to_do:
            return "to do";
        case Standing::unproven:
            return "unproven";
        case Standing::absent:
            break;
    }
    return "no place";
}

// (What is to do or absent is not judged at all.)
bool is_judged_in_float_alone(const Attempt& attempt) {
    return !attempt.in_double && (attempt.standing == Standing::right || attempt.standing == Standing::wrong);
}

std::string why(const Attempt& attempt, Standing standing) {
    if (attempt.standing == Standing::to_do) {
        return fmt::format("reads {}", fmt::join(attempt.value.reads, ", "));
    }
    if (attempt.standing == Standing::absent) {
        return "not in this network";
    }
    const IsolatedStep& alone = *attempt.value.isolated;
    if (standing == Standing::unproven) {
        return contradicts(alone.verdict()) ? "isolated " + to_string(alone.verdict())
                                            : "right isolated, off in the chain";
    }
    const Trial* telling = alone.telling();
    if (telling == nullptr) {
        return "";
    }
    const Worst worst = telling->worst.value_or(Worst());
    const std::string what = !telling->note.empty()      ? telling->note
                             : !telling->hint.empty()    ? telling->hint
                             : !telling->mistake.empty() ? "as " + telling->mistake
                             : telling->verdict == Verdict::mismatch
                                 ? fmt::format("off by {:.3g}", std::abs(worst.ours - worst.right.value_or(0)))
                                 : to_string(telling->verdict);
    return what + (alone.only_in_double() ? ", in double only" : "");
}

// The largest share of its limit.
double used(const Attempt& attempt) {
    return std::max(attempt.value.isolated->real.used.value_or(0), attempt.value.isolated->probe.used.value_or(0));
}

// The smallest relative error that is caught wherever it stands, in float.
std::string catches(const Attempt& attempt) {
    const std::optional<double> caught = report::catches(*attempt.value.isolated);
    return caught == 0.0 ? "any" : report::figure(caught);
}

report::Row<kColumns> row_of(const Attempt& attempt, const Examination& examination) {
    const Standing standing = shown(attempt, examination);
    const bool right = standing == Standing::right,
               wrong = standing == Standing::wrong || standing == Standing::unproven;
    const std::string& name = attempt.value.name;
    std::string words = why(attempt, standing);
    if (is_judged_in_float_alone(attempt)) {
        words += (words.empty() ? "" : ", ") + std::string("in float alone");
    }
    return {.cells = {name, word_for(standing), right ? fmt::format("{:.1f} %", 100 * used(attempt)) : "",
                      right ? catches(attempt) : "", in_chain(attempt.value), words},
            .escape = right   ? report::kGreen
                      : wrong ? report::kRed
                              : report::kYellow,
            .rank = wrong   ? 0
                    : right ? 1
                            : 2};
}

std::string tally(const Examination& examination, bool in_one) {
    std::map<Standing, std::size_t> of;
    std::size_t all = 0;
    for (const Attempt& attempt : examination.attempts) {
        if (attempt.in_one == in_one) {
            ++of[shown(attempt, examination)];
            ++all;
        }
    }
    std::string text = fmt::format("{} of {} right", of[Standing::right], all);
    for (const auto& [standing, words] :
         {std::pair(Standing::wrong, "wrong"), std::pair(Standing::unproven, "unproven"),
          std::pair(Standing::to_do, "to do"), std::pair(Standing::absent, "not in this network")}) {
        if (of[standing] > 0) {
            text += fmt::format(", {} {}", of[standing], words);
        }
    }
    const auto in_float_alone = std::ranges::count_if(examination.attempts, [=](const Attempt& attempt) {
        return attempt.in_one == in_one && is_judged_in_float_alone(attempt);
    });
    if (in_float_alone > 0) {
        text += fmt::format(" ({} in float alone: double is not judged)", in_float_alone);
    }
    return text;
}

report::Case case_of(const Attempt& attempt, const Examination& examination, const Wording& wording,
                     const Presentation& how) {
    const std::string model = model_of(attempt.in_one), &name = attempt.value.name;
    const Standing standing = shown(attempt, examination);
    if (standing == Standing::to_do || standing == Standing::absent) {
        const std::string message = fmt::format("{}: {}", word_for(standing), why(attempt, standing));
        const bool counts = standing == Standing::to_do && !attempt.in_one;  // for the exit code
        return {model + ".alone",   name,    counts ? report::Outcome::failed : report::Outcome::skipped,
                word_for(standing), message, ""};
    }
    report::Case one = report::case_of(*attempt.value.isolated, model, wording, examination.summary, how);
    if (standing == Standing::unproven) {
        one.outcome = report::Outcome::failed;
        one.type = word_for(standing);
        one.message = fmt::format("{}: {}", word_for(standing), why(attempt, standing));
    }
    if (const std::string chain = in_chain(attempt.value); !chain.empty()) {
        one.text += "in the chain: " + chain + "\n";
    }
    if (!attempt.in_double) {
        one.text += "in float alone: double is not judged\n";
    }
    return one;
}

}  // namespace

Standing shown(const Attempt& attempt, const Examination& examination) {
    if (attempt.standing != Standing::right) {
        return attempt.standing;
    }
    if (contradicts(attempt.value.isolated->verdict())) {
        return Standing::unproven;
    }
    const Finding* finding = finding_in_chain(attempt.value);
    const bool off = finding != nullptr && report::contradicts(finding->verdict, examination.summary.allowed);
    return off && to_string(attempt.value.role).empty() ? Standing::unproven : Standing::right;
}

bool all_right(const Examination& examination) {
    const std::vector<Attempt>& all = examination.attempts;
    return examination.summary.agree &&
           std::ranges::any_of(all, [](const Attempt& attempt) { return attempt.standing == Standing::right; }) &&
           std::ranges::none_of(all, [&](const Attempt& attempt) {
               const Standing standing = shown(attempt, examination);
               return standing == Standing::wrong || standing == Standing::unproven ||
                      (standing == Standing::to_do && !attempt.in_one);
           });
}

std::string exercise_table(const Examination& examination, bool colour) {
    using report::Align;
    const std::vector<Attempt>& attempts = examination.attempts;
    Columns table({"step", "yours", "of its limit", "catches", "in the chain", ""},
                  {Align::left, Align::left, Align::right, Align::right, Align::left, Align::left}, 1, colour);
    std::vector<std::string> sums;
    for (const bool in_one : {false, true}) {
        if (std::ranges::none_of(attempts, [=](const Attempt& attempt) { return attempt.in_one == in_one; })) {
            continue;
        }
        const std::string title = in_one ? "in one formula" : "step by step";
        table.begin(title);
        for (const Attempt& attempt : attempts) {
            if (attempt.in_one == in_one) {
                table.add(row_of(attempt, examination));
            }
        }
        sums.push_back(title + ": " + tally(examination, in_one));
    }
    return table.text() + fmt::format("{}\n", fmt::join(sums, "; "));
}

std::string exercise_json(const Examination& examination, const Presentation& how) {
    Json json = report::json_of(how, examination.summary, {examination.step});
    if (examination.step.models.empty()) {  // nothing was run
        json["steps"] = Json::array();
    }
    json["file"] = examination.file;
    json["verdict"] = all_right(examination) ? "agree" : "disagree";
    Json functions = Json::array();
    for (const Attempt& attempt : examination.attempts) {
        const Standing standing = shown(attempt, examination);
        const std::string because = why(attempt, standing), chain = in_chain(attempt.value);
        functions.push_back({{"name", attempt.value.name},
                             {"in_one", attempt.in_one},
                             {"standing", word_for(standing)},
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
    if (!all_right(examination) &&
        std::ranges::find(cases, report::Outcome::failed, &report::Case::outcome) == cases.end()) {
        const std::optional<std::string>& first = examination.summary.first_divergence;
        cases.push_back({"exercise", "all", report::Outcome::failed, "nothing shown",
                         first ? *first + " disagrees" : "no function was judged", ""});
    }
    return report::junit({{"exercise",
                           "byhand.exercise",
                           {{"file", examination.file}, {"recipe", how.recipe}, {"torch", how.torch_version}},
                           std::move(cases)}});
}

}  // namespace byhand

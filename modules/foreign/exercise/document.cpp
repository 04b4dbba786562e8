#include "foreign/exercise/document.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "documents/compare.h"
#include "documents/explain.h"
#include "documents/phrases.h"

namespace byhand {
namespace {

constexpr const char* kInOne = "in one formula";

std::string label_of(const Attempt& attempt) {
    return attempt.in_one ? attempt.value.name + "_in_one" : attempt.value.name;
}

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
    return "absent";
}

// For programs.
const char* key_of(Standing standing) {
    return standing == Standing::absent ? "no place" : word_for(standing);
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
                                            : "right in isolation, off end to end";
    }
    const Trial* telling = alone.telling();
    if (telling == nullptr) {
        return "";
    }
    const Worst worst = telling->worst.value_or(Worst());
    const std::string what = !telling->note.empty()        ? telling->note
                             : !telling->hint.empty()      ? telling->hint
                             : telling->mistake != nullptr ? "as " + telling->mistake->name
                             : telling->verdict == Verdict::mismatch
                                 ? fmt::format("off by {:.3g}", std::abs(worst.ours - worst.right.value_or(0)))
                                 : to_string(telling->verdict);
    return what + (alone.only_in_double() ? ", in double only" : "");
}

// The largest share of its limit.
double used(const Attempt& attempt) {
    return std::max(attempt.value.isolated->on_batch().used.value_or(0),
                    attempt.value.isolated->on_random().used.value_or(0));
}

// The smallest relative error that is caught wherever it stands, in float.
Cell catches(const Attempt& attempt) {
    const std::optional<double> caught = report::catches(*attempt.value.isolated);
    return caught == 0.0 ? Cell("any", 0) : scientific(caught, 1);
}

Mark mark_of(Standing standing) {
    return standing == Standing::right                                     ? Mark::good
           : standing == Standing::wrong || standing == Standing::unproven ? Mark::bad
                                                                           : Mark::open;
}

std::vector<Cell> row_of(const Attempt& attempt, const Examination& examination) {
    const Standing standing = shown(attempt, examination);
    const bool right = standing == Standing::right;
    const std::string chain = in_chain(attempt.value), because = why(attempt, standing);
    const char* const in_float = is_judged_in_float_alone(attempt) ? "in float alone" : "";
    return {attempt.value.name,
            {"", attempt.in_one},
            {word_for(standing), key_of(standing), mark_of(standing)},
            {"", attempt.in_double},
            right ? percent(used(attempt)) : Cell("", Json()),
            right ? catches(attempt) : Cell("", Json()),
            {chain, text_or_null(chain)},
            {because + (because.empty() || *in_float == '\0' ? "" : ", ") + in_float, text_or_null(because)}};
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
        text += fmt::format(" ({} in float only: double is not judged)", in_float_alone);
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
    report::Case one = report::case_of(attempt.value, model, wording, examination.summary, how);
    if (standing == Standing::unproven) {
        one.outcome = report::Outcome::failed;
        one.type = word_for(standing);
        one.message = fmt::format("{}: {}", word_for(standing), why(attempt, standing));
    }
    if (const std::string chain = in_chain(attempt.value); !chain.empty()) {
        one.text += "end to end: " + chain + "\n";
    }
    if (!attempt.in_double) {
        one.text += "in float only: double is not judged\n";
    }
    return one;
}

report::Suite suite_of(const Examination& examination, const Presentation& how) {
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
    return {"exercise",
            "byhand.exercise",
            {{"file", examination.file}, {"recipe", how.recipe}, {"torch", how.torch_version}},
            std::move(cases)};
}

// The first attempt that stands so.
const Attempt* first_of(const Examination& examination, Standing standing) {
    const auto found = std::ranges::find_if(
        examination.attempts, [&](const Attempt& attempt) { return shown(attempt, examination) == standing; });
    return found != examination.attempts.end() ? &*found : nullptr;
}

Text next_text(const Examination& examination, const Presentation& how, const ExerciseCommands& commands) {
    if (all_right(examination)) {
        return commands.when_right;
    }
    const Attempt* wrong = first_of(examination, Standing::wrong);
    const Attempt* attempt = wrong != nullptr ? wrong : first_of(examination, Standing::to_do);
    if (attempt == nullptr) {
        return {""};
    }
    const std::string &name = attempt->value.name, label = label_of(*attempt);
    const std::string place = how.source(label).place;
    Text text{.words = fmt::format("next: {} {}{} and run the command again", wrong != nullptr ? "fix" : "write", name,
                                   place.empty() ? "" : " (" + place + ")")};
    if (name.starts_with('d')) {  // a gradient
        text.words += "; what it reads (with :2 the rule, with :3 the formula):";
        text.code = fmt::format("  {} {}", commands.hint, label);
    }
    return text;
}

// Of each form: a row for each attempt, or for those that are not right.
std::vector<Table> tables_of(const Examination& examination, ShownRows rows) {
    const Align figures = rows == ShownRows::disagreeing ? Align::hidden : Align::right;
    const std::vector<Column> columns = {{"step", "name"},
                                         {"", "in_one", Align::hidden},
                                         {"yours", "standing", Align::left},
                                         {"", "in_double", Align::hidden},
                                         {"of limit", "used", figures},
                                         {"catches", "catches", figures, 1},
                                         {"end to end", "in_the_chain", Align::left},
                                         {"", "why", Align::left}};
    std::vector<Table> tables;
    for (const bool in_one : {false, true}) {
        Table& table = tables.emplace_back(in_one ? kInOne : "step by step", columns);
        table.worst_first = true;
        for (const Attempt& attempt : examination.attempts) {
            const bool is_shown = rows != ShownRows::disagreeing || mark_of(shown(attempt, examination)) == Mark::bad;
            if (attempt.in_one == in_one && is_shown) {
                table.rows.push_back(row_of(attempt, examination));
            }
        }
    }
    std::erase_if(tables, [](const Table& table) { return table.rows.empty(); });
    return tables;
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
    const bool off = finding != nullptr && contradicts(finding->verdict, examination.summary.allowed);
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

Document exercise_document(const Examination& examination, const Presentation& how, ShownRows rows,
                           const ExerciseCommands& commands) {
    Document document{.subject = "exercise",
                      .title = "judged: " + examination.file,
                      .data = compare_json(how, examination.summary, {examination.step}),
                      .agrees = all_right(examination),
                      .suites = {suite_of(examination, how)}};
    std::vector<std::string> sums;
    Json functions = Json::array();
    for (const Table& table : tables_of(examination, ShownRows::all)) {
        sums.push_back(table.title + ": " + tally(examination, table.title == kInOne));
        for (const Json& row : json_of_rows(table)) {
            functions.push_back(row);
        }
    }
    document.blocks.emplace_back(as_conclusion(fmt::format("{}", fmt::join(sums, "; "))));
    for (Text& text : blame_texts(examination.step, how)) {
        document.blocks.emplace_back(std::move(text));
    }
    if (Text next = next_text(examination, how, commands); !next.words.empty()) {
        document.blocks.emplace_back(std::move(next));
    }
    std::vector<Table> tables = tables_of(examination, rows);
    const bool is_told = rows == ShownRows::disagreeing && tables.size() == 1 && tables.front().rows.size() == 1;
    if (!is_told) {
        std::ranges::move(tables, std::back_inserter(document.blocks));
    }
    if (rows == ShownRows::disagreeing) {
        document.blocks.emplace_back(Text{"--verbose lists every function"});
    } else {
        document.blocks.emplace_back(Text{std::get<Text>(document.blocks.front()).words});  // below more than a screen
    }
    add_legend(document);
    if (examination.step.models.empty()) {  // nothing was run
        document.data["steps"] = Json::array();
    }
    document.data["file"] = examination.file;
    document.data["verdict"] = document.agrees ? "agree" : "disagree";
    document.data["functions"] = std::move(functions);
    return document;
}

Json points_of(const Examination& examination) {
    Json tests = Json::array();
    std::size_t score = 0;
    for (const Attempt& attempt : examination.attempts) {
        const Standing standing = shown(attempt, examination);
        if (standing == Standing::absent) {
            continue;
        }
        const std::size_t points = standing == Standing::right ? 1 : 0;
        const std::string because = why(attempt, standing);
        score += points;
        tests.push_back({{"name", label_of(attempt)},
                         {"score", points},
                         {"max_score", 1},
                         {"output", word_for(standing) + (because.empty() ? "" : ": " + because)}});
    }
    return {{"score", score}, {"tests", std::move(tests)}};
}

}  // namespace byhand

#include "harness/report_diff.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/json.h"
#include "harness/report_columns.h"
#include "harness/words.h"
#include "report/csv_line.h"
#include "report/xml.h"

namespace byhand {
namespace {

std::string index_text(const DiffedTensor& t, const char* between) {
    return t.worst ? fmt::format("{}", fmt::join(index_of(t.shape, t.worst->position), between)) : "";
}

// By name and index alone.
std::string place(const DiffedTensor& t) {
    return t.shape.empty() ? t.name : fmt::format("{} [{}]", t.name, index_text(t, ", "));
}

// "torch/dW1 from position 2, dimension 5 to unit 41": a dump's names have a side and a slash before them.
std::string where(const DiffedTensor& t, const Presentation& how) {
    if (!t.worst) {
        return "";
    }
    if (t.shape.empty() || how.characters.empty()) {
        return place(t);
    }
    const Wording wording{how.network, how.glossary, how.characters, {}, {}};
    const std::size_t bare = t.name.find('/') + 1;  // 0 where there is none
    return t.name.substr(0, bare) + in_words(t.name.substr(bare), index_of(t.shape, t.worst->position), wording);
}

// "0.1 | 0.25", with digits enough to tell one from the other.
std::string both(const Worst& element) {
    std::string a, b;
    for (const int digits : {8, 9, 17}) {
        a = fmt::format("{:.{}g}", element.ours, digits);
        b = fmt::format("{:.{}g}", *element.reference, digits);
        if (a != b) {
            break;
        }
    }
    return a + " | " + b;
}

std::string plain(const std::optional<double>& value) {
    return value ? fmt::format("{}", *value) : "";
}

// The last cell: what there is to say, or the worst element where one differs.
std::string remark(const DiffedTensor& t) {
    std::string text;
    if (t.worst) {
        text = t.shape.empty() ? "" : "[" + index_text(t, ", ") + "] ";
        text += both(*t.worst);
    }
    return text + (text.empty() || t.note.empty() ? "" : "; ") + t.note;
}

report::Row<7> row_of(const DiffedTensor& t, const Presentation& how) {
    const bool fine = agrees(t.verdict);
    report::Row<7> row{
        .cells = {t.name, to_string(t.shape), std::to_string(count(t.shape)), report::figure(t.difference),
                  t.ulp ? report::whole(*t.ulp) : "-", to_string(t.verdict), remark(t)},
        .escape = fine ? report::kGreen : report::kRed,
        .rank = fine ? 2 : 1};
    if (const std::string words = where(t, how); !fine && t.worst && words != place(t)) {
        row.notes.push_back(words);
    }
    return row;
}

std::string tensors(std::size_t n) {
    return fmt::format("{} tensor{}", n, n == 1 ? "" : "s");
}

report::Case case_of(const DiffedTensor& t, const Presentation& how) {
    const std::string verdict = to_string(t.verdict);
    report::Case one{"diff",
                     t.name.empty() ? "\"\"" : t.name,
                     agrees(t.verdict) ? report::Outcome::passed : report::Outcome::failed,
                     verdict,
                     verdict + ": " + (t.worst ? where(t, how) : t.note),
                     ""};
    if (t.difference) {
        one.text += fmt::format("largest difference: {}\n", *t.difference);
    }
    if (t.ulp) {
        one.text += fmt::format("largest difference in ULP: {}\n", *t.ulp);
    }
    if (t.scale) {
        one.text += fmt::format("largest magnitude: {}\n", *t.scale);
    }
    if (t.worst) {
        one.text +=
            fmt::format("worst element, in A: {}\nworst element, in B: {}\n", t.worst->ours, *t.worst->reference);
    }
    return one;
}

}  // namespace

std::string diff_table(const Diff& diff, const Presentation& how) {
    constexpr report::Align L = report::Align::left, R = report::Align::right;
    report::Table<7> table({"name", "shape", "count", "differ", "ULP", "verdict", "worst element: A | B"},
                           {L, L, R, R, R, L, L}, 5, how.colour);
    table.begin(fmt::format("A: {}\nB: {}\nlimit: {}", diff.a, diff.b, diff.limit));
    for (const DiffedTensor& t : diff.tensors) {
        if (how.shows(t.name)) {
            table.add(row_of(t, how));
        }
    }
    return table.text() + "\n" + conclusion(diff, how.colour);
}

std::string conclusion(const Diff& diff, bool colour) {
    const std::size_t wrong = differing(diff);
    std::string text = wrong == 0
                           ? report::painted("they agree", report::kGreen, colour) + ": "
                           : report::painted("they disagree", report::kRed, colour) + fmt::format(": {} of ", wrong);
    text += tensors(diff.tensors.size());
    for (const char* note : {"only in A", "only in B"}) {
        const auto n = std::ranges::count(diff.tensors, note, &DiffedTensor::note);
        text += n > 0 ? fmt::format("; {}: {}", note, n) : "";
    }
    const auto furthest = std::ranges::max_element(diff.tensors, {}, &DiffedTensor::difference);
    if (furthest != diff.tensors.end() && furthest->difference > 0.0) {
        text += fmt::format("; furthest apart: {}, by {}", furthest->name, report::figure(furthest->difference));
    } else if (wrong == 0) {
        text += "; no two values differ";
    }
    return text + "\n";
}

std::string diff_json(const Diff& diff, const Presentation& how) {
    Json tensors = Json::array();
    for (const DiffedTensor& t : diff.tensors) {
        if (!how.shows(t.name)) {
            continue;
        }
        Json worst;
        if (t.worst) {
            worst = {{"index", index_of(t.shape, t.worst->position)},
                     {"where", where(t, how)},
                     {"a", number(t.worst->ours)},
                     {"b", number(t.worst->reference)}};
        }
        tensors.push_back({{"name", t.name},
                           {"shape", t.shape},
                           {"count", count(t.shape)},
                           {"bit_equal", t.verdict == Verdict::exact},
                           {"max_abs_diff", number(t.difference)},
                           {"max_ulp", t.ulp ? Json(*t.ulp) : Json()},
                           {"scale", number(t.scale)},
                           {"worst", worst},
                           {"note", t.note.empty() ? Json() : Json(t.note)},
                           {"verdict", to_string(t.verdict)}});
    }
    const Json json = {{"verdict", agree(diff) ? "agree" : "disagree"},
                       {"a", diff.a},
                       {"b", diff.b},
                       {"limit", number(diff.limit)},
                       {"tensors", tensors}};
    return printed_json(json, 1) + "\n";
}

std::string diff_csv(const Diff& diff, const Presentation& how) {
    constexpr std::array kHeader = {"name",    "shape", "count",       "bit_equal",   "max_abs_diff",
                                    "max_ulp", "scale", "worst_index", "worst_where", "worst_a",
                                    "worst_b", "note",  "verdict"};
    std::string text = report::csv_line(kHeader);
    for (const DiffedTensor& t : diff.tensors) {
        if (!how.shows(t.name)) {
            continue;
        }
        const std::string bit_equal = t.verdict == Verdict::exact ? "true" : "false";
        const std::array<std::string, kHeader.size()> fields = {t.name,
                                                                fmt::format("{}", fmt::join(t.shape, " ")),
                                                                std::to_string(count(t.shape)),
                                                                t.difference ? bit_equal : "",
                                                                plain(t.difference),
                                                                t.ulp ? std::to_string(*t.ulp) : "",
                                                                plain(t.scale),
                                                                index_text(t, " "),
                                                                where(t, how),
                                                                t.worst ? fmt::format("{}", t.worst->ours) : "",
                                                                t.worst ? fmt::format("{}", *t.worst->reference) : "",
                                                                t.note,
                                                                to_string(t.verdict)};
        text += report::csv_line(fields);
    }
    return text;
}

std::string diff_junit(const Diff& diff, const Presentation& how) {
    report::Suite suite{diff.a + " against " + diff.b,
                        "byhand.diff",
                        {{"a", diff.a}, {"b", diff.b}, {"limit", fmt::format("{}", diff.limit)}},
                        {}};
    for (const DiffedTensor& t : diff.tensors) {
        if (how.shows(t.name)) {
            suite.cases.push_back(case_of(t, how));
        }
    }
    // What a filter hides disagrees all the same.
    const auto disagrees = [](const DiffedTensor& t) { return !agrees(t.verdict); };
    const auto first = std::ranges::find_if(diff.tensors, disagrees);
    if (!agree(diff) && first != diff.tensors.end() &&
        std::ranges::find(suite.cases, report::Outcome::failed, &report::Case::outcome) == suite.cases.end()) {
        suite.cases.push_back({"diff.hidden", first->name, report::Outcome::failed, to_string(first->verdict),
                               first->name + " disagrees, and is not shown here", ""});
    }
    return report::junit({suite});
}

}  // namespace byhand

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "checks/documents.h"
#include "documents/phrases.h"
#include "harness/words.h"
#include "report/writers.h"

namespace byhand {
namespace {

// "[2, 0]". Precondition: there is a worst element.
std::string bracketed(const DiffedTensor& t) {
    return fmt::format("[{}]", fmt::join(index_of(t.shape, t.worst->position), ", "));
}

// By name and index alone.
std::string place(const DiffedTensor& t) {
    return t.shape.empty() ? t.name : fmt::format("{} {}", t.name, bracketed(t));
}

// "torch/dW1 from position 2, dimension 5 to unit 41": a dump's names begin with the implementation and a slash.
std::string where(const DiffedTensor& t, const Presentation& how) {
    if (!t.worst) {
        return "";
    }
    if (t.shape.empty() || how.characters.empty()) {
        return place(t);
    }
    const std::size_t bare = t.name.find('/') + 1;  // 0 where there is none
    return t.name.substr(0, bare) +
           in_words(t.name.substr(bare), index_of(t.shape, t.worst->position), report::wording(how));
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

// The last cell: what there is to say, or the worst element where one differs.
std::string remark(const DiffedTensor& t) {
    std::string text;
    if (t.worst) {
        text = t.shape.empty() ? "" : bracketed(t) + " ";
        text += both(*t.worst);
    }
    return text + (text.empty() || t.note.empty() ? "" : "; ") + t.note;
}

// "340 %": of the errors that rounding each number once makes.
std::string roundings_text(double roundings) {
    return roundings < 100'000 ? fmt::format("{:.{}f} %", 100 * roundings, roundings < 0.1 ? 1 : 0)
                               : fmt::format("{:.0e} %", 100 * roundings);
}

std::vector<Cell> row_of(const DiffedTensor& t, const Presentation& how) {
    constexpr std::uint64_t kFew = 10'000'000;
    const bool fine = agrees(t.verdict);
    const std::string words = where(t, how);
    Json index, a, b;
    if (t.worst) {
        index = index_of(t.shape, t.worst->position);
        a = number(t.worst->ours);
        b = number(t.worst->reference);
    }
    // What came from the files must not steer a terminal.
    return {{printable(t.name), t.name},
            {to_string(t.shape), t.shape},
            {printable(t.type), t.type},
            whole(count(t.shape)),
            {"", t.difference ? Json(t.verdict == Verdict::exact) : Json()},
            scientific(t.difference, 1),
            scientific(t.relative, 1),
            !t.ulp          ? none()
            : *t.ulp < kFew ? whole(*t.ulp)
                            : Cell(fmt::format("{:.1e}", static_cast<double>(*t.ulp)), *t.ulp),
            t.roundings ? Cell(roundings_text(*t.roundings), number(t.roundings)) : none(),
            t.cosine ? Cell(fmt::format("{:.7f}", *t.cosine), number(t.cosine)) : none(),
            {"", number(t.scale)},
            {"", index},
            {"", t.worst ? Json(words) : Json()},
            {"", a},
            {"", b},
            {"", text_or_null(t.note)},
            {to_string(t.verdict), to_string(t.verdict), fine ? Mark::good : Mark::bad},
            remark(t),
            fine || !t.worst || words == place(t) ? "" : printable(words)};
}

// What a filter hides disagrees all the same.
void add_hidden(report::Suite& suite, const Diff& diff) {
    const auto first = std::ranges::find_if(diff.tensors, [](const DiffedTensor& t) { return !agrees(t.verdict); });
    if (first != diff.tensors.end() &&
        std::ranges::find(suite.cases, report::Outcome::failed, &report::Case::outcome) == suite.cases.end()) {
        suite.cases.push_back({"diff.hidden", first->name, report::Outcome::failed, to_string(first->verdict),
                               first->name + " disagrees, and is not shown here", ""});
    }
}

// What to add to the command so that these are compared.
Text proposals_text(const std::vector<Proposal>& all) {
    constexpr std::size_t kMost = 10;
    std::string words = " tensors of other names, or with their axes exchanged";
    for (std::size_t i = 0; i < std::min(all.size(), kMost); ++i) {
        const Proposal& one = all[i];
        words += fmt::format("\n{} in A, {}{} in B{}", printable(one.of_a), printable(one.of_b),
                             one.transposed ? " transposed" : "",
                             one.apart ? ", apart by " + scientific(one.apart, 1).shown : "");
    }
    if (all.size() > kMost) {
        words += fmt::format("\nand {} more", all.size() - kMost);
    }
    return {.words = words + "\nAdd --rename with a file of lines 'NAME_IN_A NAME_IN_B', or --transpose 'NAME_IN_A'.",
            .lead = "perhaps the same:"};
}

}  // namespace

Text conclusion(const Diff& diff) {
    const std::size_t wrong = differing(diff);
    std::string words = wrong == 0 ? ": " : fmt::format(": {} of ", wrong);
    words += plural(diff.tensors.size(), "tensor");
    for (const char* note : {"only in A", "only in B"}) {
        const auto n = std::ranges::count(diff.tensors, note, &DiffedTensor::note);
        words += n > 0 ? fmt::format("; {}: {}", note, n) : "";
    }
    const auto furthest = std::ranges::max_element(diff.tensors, {}, &DiffedTensor::difference);
    if (furthest != diff.tensors.end() && furthest->difference > 0.0) {
        words += fmt::format("; furthest apart: {}, by {}", printable(furthest->name),
                             scientific(furthest->difference, 1).shown);
    } else if (wrong == 0) {
        words += "; no two values differ";
    }
    return wrong == 0 ? as_conclusion(words, "they agree", Mark::good)
                      : as_conclusion(words, "they disagree", Mark::bad);
}

Document diff_document(const Diff& diff, const Presentation& how) {
    Table table{"",
                {{"name"},
                 {"shape", "shape", Align::left, 6},
                 {"type", "type", Align::left, 4},
                 {"count", "count", Align::right, 1},
                 {"", "bit_equal", Align::hidden},
                 {"differ", "max_abs_diff"},
                 {"relative", "max_rel_diff", Align::right, 3},
                 {"ULP", "max_ulp", Align::right, 5},
                 {"of rounding", "of_rounding", Align::right, 7},
                 {"cosine", "cosine", Align::right, 2},
                 {"", "scale", Align::hidden},
                 {"", "worst.index", Align::hidden},
                 {"", "worst.where", Align::hidden},
                 {"", "worst.a", Align::hidden},
                 {"", "worst.b", Align::hidden},
                 {"", "note", Align::hidden},
                 {"verdict", "verdict", Align::left},
                 {"worst element: A | B", "", Align::left},
                 {"in words", "", Align::below}},
                {},
                true};
    report::Suite suite{diff.a + " against " + diff.b,
                        "byhand.diff",
                        {{"a", diff.a}, {"b", diff.b}, {"limit", to_string(diff.limit)}},
                        {}};
    for (const DiffedTensor& t : diff.tensors) {
        if (how.shows(t.name)) {
            table.rows.push_back(row_of(t, how));
            suite.cases.push_back(case_of_row(table, table.rows.back(), "diff", t.worst ? where(t, how) : t.note));
        }
    }
    add_hidden(suite, diff);
    Json tensors = Json::array();
    for (const Json& row : json_of_rows(table)) {
        Json tensor = row;
        tensor["bit_equal"] = tensor["verdict"] == Json("exact");  // known of those without figures, too
        tensors.push_back(std::move(tensor));
    }
    const DiffedTensor* const first = first_divergence(diff);
    const auto jump = to_string(diff.limit) == "0" ? first_jump(diff) : decltype(first_jump(diff))();
    std::vector<Block> blocks = {conclusion(diff)};
    if (first != nullptr) {
        blocks.emplace_back(
            Text{.words = fmt::format(" {}: {}", printable(first->name), remark(*first)), .lead = "first divergence:"});
    }
    if (jump.first != nullptr && jump.first != first) {
        blocks.emplace_back(Text{
            .words = fmt::format(" {}, {} times as far from B, in roundings, as anything before it: an error begins "
                                 "there, if what differs before it is rounding",
                                 printable(jump.first->name), scientific(jump.second, 0).shown),
            .lead = "first jump:"});
    }
    Json proposed = Json::array();
    for (const Proposal& one : diff.proposals) {
        proposed.push_back(
            {{"a", one.of_a}, {"b", one.of_b}, {"transposed", one.transposed}, {"apart", number(one.apart)}});
    }
    if (!diff.proposals.empty()) {
        blocks.emplace_back(proposals_text(diff.proposals));
    }
    blocks.emplace_back(std::move(table));
    return {
        .subject = "diff",
        .title = fmt::format("A: {}, B: {}, limit: {}", printable(diff.a), printable(diff.b), to_string(diff.limit)),
        .blocks = std::move(blocks),
        .data = {{"verdict", agree(diff) ? "agree" : "disagree"},
                 {"a", diff.a},
                 {"b", diff.b},
                 {"limit", number(diff.limit.absolute)},
                 {"limit_relative", number(diff.limit.relative)},
                 {"limit_ulp", number(diff.limit.ulp)},
                 {"first_divergence", text_or_null(first != nullptr ? first->name : "")},
                 {"first_jump", text_or_null(jump.first != nullptr ? jump.first->name : "")},
                 {"proposals", std::move(proposed)},
                 {"tensors", std::move(tensors)}},
        .agrees = agree(diff),
        .suites = {std::move(suite)}};
}

}  // namespace byhand

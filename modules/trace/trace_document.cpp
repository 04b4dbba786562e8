#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/utf8.h"
#include "documents/compare.h"
#include "documents/phrases.h"
#include "library/checked.h"
#include "report/writers.h"
#include "trace/trace_page.h"

namespace byhand {
namespace {

constexpr std::size_t kFewNames = 4;

Presentation presentation(const Trace& trace) {
    Presentation how;
    how.whose = Whose::yours;
    // A value's function has the value's name: each step is one of its own.
    how.source = [&trace](const std::string& name) {
        const auto value = std::ranges::find(trace.model.values, name, &ValueReport::name);
        if (value == trace.model.values.end()) {
            return SourceLine();
        }
        const TracedTensor& tensor = trace.tensors[static_cast<std::size_t>(value - trace.model.values.begin())];
        return SourceLine{tensor.what + (tensor.where.empty() ? "" : ", " + tensor.where), ""};
    };
    return how;
}

Cell percent_or_none(const std::optional<double>& used) {
    return used ? percent(*used) : none();
}

Table table_of(const Trace& trace) {
    const bool has_b = !trace.b.empty();
    const Align left_for_b = has_b ? Align::left : Align::hidden, right_for_b = has_b ? Align::right : Align::hidden;
    Table table{"",
                {{"name"},
                 {"shape", "shape", Align::left, 3},
                 {"type", "type", Align::left, 4},
                 {"made by", "made_by", Align::left, 5},
                 {"", "where", Align::hidden},
                 {"error", "error"},
                 {"limit", "limit", Align::right, 1},
                 {"of limit", "used"},
                 {"", "worst.index", Align::hidden},
                 {"", "worst.yours", Align::hidden},
                 {"", "worst.right", Align::hidden},
                 {"isolated", "isolated", left_for_b},
                 {"from B", "from_b.difference", right_for_b},
                 {"", "from_b.limit", Align::hidden},
                 {"of B's limit", "from_b.used", right_for_b, 2},
                 {"role", "role", left_for_b},
                 {"verdict", "verdict", Align::left},
                 {"", "hint", Align::hidden},
                 {"", "note", Align::below}},
                {}};
    for (std::size_t i = 0; i < trace.tensors.size(); ++i) {
        const ValueReport& value = trace.model.values[i];
        const TracedTensor& tensor = trace.tensors[i];
        const Trial trial = value.isolated ? value.isolated->on_batch() : Trial();
        const Finding from_b = value.operations.value_or(Finding());
        Json index, ours, right;
        // Error and limit are of the element that uses most of its limit.
        std::optional<double> error = trial.error;
        if (trial.worst && trial.worst->right) {
            error = std::abs(trial.worst->ours - *trial.worst->right);
        }
        if (trial.worst && trial.worst->position < count(value.shape)) {
            index = index_of(value.shape, trial.worst->position);
            ours = number(trial.worst->ours);
            right = number(trial.worst->right);
        }
        const std::string note = !tensor.unjudged.empty() ? "not judged: " + tensor.unjudged
                                 : !trial.note.empty()    ? trial.note
                                                          : from_b.note;
        table.rows.push_back({{printable(value.name), value.name},
                              tensor.type ? Cell(to_string(value.shape), value.shape) : none(),
                              tensor.type ? name_of(*tensor.type) : none(),
                              tensor.what,
                              {"", text_or_null(tensor.where)},
                              scientific(error, 2),
                              scientific(trial.limit, 2),
                              percent_or_none(trial.used),
                              {"", index},
                              {"", ours},
                              {"", right},
                              value.isolated ? verdict_cell(value.isolated->verdict()) : none(),
                              scientific(from_b.error, 2),
                              {"", number(from_b.limit)},
                              percent_or_none(from_b.used),
                              {to_string(value.role), text_or_null(to_string(value.role))},
                              verdict_of(value, tensor),
                              {"", text_or_null(trial.hint)},
                              {note, text_or_null(note)}});
    }
    return table;
}

// "not judged: 3 tensors\n  h.3: no operation flash is known", a line a reason.
Text unjudged_text(const Trace& trace) {
    std::map<std::string, std::vector<std::string>> by_reason;
    for (std::size_t i = 0; i < trace.tensors.size(); ++i) {
        if (const std::string& why = trace.tensors[i].unjudged; !why.empty()) {
            by_reason[why].push_back(printable(trace.model.values[i].name));
        }
    }
    std::string words = ": " + plural(unjudged(trace), "tensor");
    constexpr std::size_t kMostReasons = 8;
    std::size_t said = 0;
    for (const auto& [why, names] : by_reason) {
        if (said++ < kMostReasons) {
            words += fmt::format("\n  {}: {}", report::few_of(names, kFewNames), why);
        }
    }
    if (said > kMostReasons) {
        words += fmt::format("\n  and {} more reasons, which stand in the table", said - kMostReasons);
    }
    return {words, "not judged", Mark::open};
}

}  // namespace

const char* name_of(DType type) {
    constexpr const char* kNames[] = {"float32", "float64", "int64", "bfloat16",
                                      "float16", "int8",    "int16", "int32"};  // in the order of DType
    return kNames[static_cast<std::size_t>(type)];
}

Cell verdict_of(const ValueReport& value, const TracedTensor& tensor) {
    if (value.isolated && value.isolated->wrong()) {
        return verdict_cell(value.isolated->verdict());
    }
    if (is_off_with_b(value) || (value.operations && !value.isolated && tensor.unjudged.empty())) {
        Cell cell = verdict_cell(value.operations->verdict);
        cell.mark = value.role.kind == Role::Kind::inherited ? Mark::inherited : cell.mark;
        return cell;
    }
    return value.isolated ? verdict_cell(value.isolated->verdict()) : Cell("not judged", "not_judged", Mark::open);
}

Text conclusion(const Trace& trace) {
    const std::size_t culprits = trace.model.culprits.size(), downstream = trace.model.downstream.size();
    const std::size_t left_out = unjudged(trace);
    const auto undecided = std::ranges::count_if(trace.model.values, [](const ValueReport& value) {
        return value.isolated && value.isolated->verdict() == Verdict::undecided;
    });
    const std::string rest = (undecided > 0 ? fmt::format("; {} undecided", undecided) : "") +
                             (left_out > 0 ? fmt::format("; {} not judged", left_out) : "") +
                             (trace.not_in_b.empty() ? "" : fmt::format("; {} not in B", trace.not_in_b.size()));
    const std::string judged = plural(trace.judged, "step");
    if (culprits > 0) {
        std::vector<std::string> names;
        for (const ValueReport& value : trace.model.at(trace.model.culprits)) {
            names.push_back(value.name);
        }
        return as_conclusion(
            fmt::format(": {}, of {} judged in isolation{}{}", report::few_of(names, kFewNames), judged,
                        downstream > 0 ? fmt::format("; {} off with B besides", plural(downstream, "tensor")) : "",
                        rest),
            culprits == 1 ? "1 culprit" : fmt::format("{} culprits", culprits), Mark::bad);
    }
    if (downstream > 0) {
        return as_conclusion(
            fmt::format(": {} from B by more than rounding, though each of {} is right in isolation{}",
                        plural(downstream, "tensor") + (downstream == 1 ? " differs" : " differ"), judged, rest),
            "off, without a culprit", Mark::bad);
    }
    return agree(trace)
               ? as_conclusion(fmt::format(": {} judged in isolation{}{}", judged,
                                           trace.b.empty() ? "" : ", and the difference to B is rounding", rest),
                               rest.empty() ? "right" : "nothing is wrong in what is judged", Mark::good)
               : as_conclusion(fmt::format(": no step with numbers other than 0 is judged{}", rest), "nothing is shown",
                               Mark::open);
}

Document trace_document(const Trace& trace) {
    Document document{
        .subject = "trace",
        .title = fmt::format("A: {}{}", printable(trace.a), trace.b.empty() ? "" : ", B: " + printable(trace.b)),
        .agrees = agree(trace)};
    document.blocks.emplace_back(conclusion(trace));
    const Presentation how = presentation(trace);
    for (Text& text : blame_texts(trace.model, how, report::wording(how), "")) {
        document.blocks.emplace_back(std::move(text));
    }
    if (unjudged(trace) > 0) {
        document.blocks.emplace_back(unjudged_text(trace));
    }
    if (!trace.not_in_b.empty()) {
        document.blocks.emplace_back(
            Text{fmt::format(": {}, which B lacks: {}", plural(trace.not_in_b.size(), "tensor"),
                             report::few_of(trace.not_in_b, kFewNames)),
                 "not compared with B", Mark::open});
    }
    for (const std::string& note : trace.notes) {
        document.blocks.emplace_back(Text{printable(note)});
    }
    Table table = table_of(trace);
    report::Suite suite{trace.a, "byhand.trace", {{"a", trace.a}, {"b", trace.b}}, {}};
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        const TracedTensor& tensor = trace.tensors[i];
        const std::string role = to_string(trace.model.values[i].role);
        suite.cases.push_back(
            case_of_row(table, table.rows[i], "trace", tensor.unjudged.empty() ? role : tensor.unjudged));
    }
    document.data = {{"verdict", document.agrees ? "agree" : "disagree"},
                     {"a", trace.a},
                     {"b", text_or_null(trace.b)},
                     {"judged", trace.judged},
                     {"not_judged", unjudged(trace)},
                     {"not_in_b", trace.not_in_b},
                     {"notes", trace.notes},
                     {"tensors", json_of_rows(table)}};
    append_page(document, std::move(table), trace, report::wording(how));
    document.suites = {std::move(suite)};
    return document;
}

}  // namespace byhand

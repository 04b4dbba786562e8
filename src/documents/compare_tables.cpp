#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/member.h"
#include "documents/compare.h"
#include "documents/phrases.h"
#include "harness/mistake.h"

namespace byhand {
namespace {

using report::mark_of;
using report::where;

Cell hidden(Json value) {
    return {"", std::move(value)};
}

// "0.25 0.5 [0.75] 1", the worst in brackets.
std::string around_text(const Finding& result, Member<Neighbour, double> member) {
    std::string text;
    for (const Neighbour& neighbour : result.around) {
        const bool worst = neighbour.position == result.worst->position;
        text +=
            fmt::format(fmt::runtime(worst ? "{}[{:.8g}]" : "{}{:.8g}"), text.empty() ? "" : " ", neighbour.*member);
    }
    return text;
}

// Below the value.
std::string notes_on(const ValueReport& value, const Finding& result, const Wording& wording) {
    const char* const whose = report::in_words(wording.whose);
    const bool disagrees = contradicts(result.verdict);
    std::string notes;
    if (disagrees && !to_string(value.role).empty()) {
        notes += to_string(value.role) + "\n";
    } else if (!disagrees && value.role.kind == Role::Kind::culprit) {
        notes += "culprit, although it agrees end to end\n";
    }
    if (disagrees && result.worst) {
        notes += fmt::format("{}: {:.8g} {}, {:.8g} by LibTorch", where(value.name, result, wording),
                             result.worst->ours, whose, *result.worst->reference);
        notes += result.worst->right ? fmt::format(", {:.8g} by the oracle", *result.worst->right) : "";
        notes += result.limit ? fmt::format("; its limit is {:.1e}\n", *result.limit) : "\n";
    }
    if (disagrees && result.around.size() > 1) {
        notes += fmt::format("around it: {} {}\n           {} by LibTorch\n", around_text(result, &Neighbour::ours),
                             whose, around_text(result, &Neighbour::reference));
    }
    if (result.reference_further_off) {
        notes += fmt::format("LibTorch is further off: {:.1e} from the oracle, {} {:.1e}\n",
                             result.reference_error.value_or(0), whose, result.error.value_or(0));
    }
    return notes.substr(0, notes.find_last_not_of('\n') + 1);
}

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

// The cell of an isolated table that shows how one trial came out.
std::string outcome_of(const Trial& trial) {
    if (trial.verdict == Verdict::not_given) {
        return "–";
    }
    return agrees(trial.verdict) || trial.verdict == Verdict::mismatch ? report::share(trial.used.value_or(0))
                                                                       : to_string(trial.verdict);
}

// Its figures, or as many nulls.
void append_trial(std::vector<Cell>& row, const Trial* trial) {
    const Json json = json_of(trial != nullptr ? *trial : Trial());
    for (const auto& [figure, value] : json.items()) {
        row.push_back(hidden(trial != nullptr ? value : Json()));
    }
}

}  // namespace

Table tensor_table(std::string title, Whose whose) {
    const std::string worst = std::string("worst element: ") + report::in_words(whose) + " | LibTorch";
    return {std::move(title),
            {{"", "step", Align::hidden},
             {"", "model", Align::hidden},
             {"", "witness", Align::hidden},
             {"name", "name", Align::left},
             {"shape", "shape", Align::left, 3},
             {"count", "count", Align::right, 1},
             {"equal", "bit_equal", Align::right, 5},
             {"differ", "max_abs_diff", Align::right, 6},
             {"ULP", "max_ulp", Align::right, 4},
             {"error", "error_manual"},
             {"LibTorch", "error_torch", Align::right, 7},
             {"", "error_manual_ulp", Align::hidden},
             {"", "error_torch_ulp", Align::hidden},
             {"", "scale", Align::hidden},
             {"", "limit", Align::hidden},
             {"of limit", "used"},
             {"", "torch_further_off", Align::hidden},
             {"", "worst.index", Align::hidden},
             {"", "worst.where", Align::hidden},
             {"", "worst.manual", Align::hidden},
             {"", "worst.torch", Align::hidden},
             {"", "worst.oracle", Align::hidden},
             {"", "role", Align::hidden},
             {"", "note", Align::hidden},
             {"verdict", "verdict", Align::left},
             {worst, "", Align::left, 2},
             {"", "", Align::below}},
            {},
            true};
}

std::vector<Cell> tensor_row(std::size_t step, const ChainFinding& found, const Wording& wording,
                             const std::set<Verdict>& allowed) {
    const Finding& r = found.finding;
    const std::string& name = found.value.name;
    const bool has_worst = r.worst.has_value();
    const Worst worst = r.worst.value_or(Worst());
    return {hidden(step),
            hidden(found.model.model),
            hidden(to_string(found.against)),
            name,
            {to_string(r.shape), r.shape},
            whole(count(r.shape)),
            r.difference ? Cell(r.bit_equal ? "yes" : "no", r.bit_equal) : none(),
            scientific(r.difference, 1),
            r.ulp ? Cell(*r.ulp < 10'000'000 ? std::to_string(*r.ulp) : fmt::format("{:.1e}", double(*r.ulp)), *r.ulp)
                  : none(),
            scientific(r.error, 1),
            scientific(r.reference_error, 1),
            hidden(number(report::in_ulp(r.error, r.scale))),
            hidden(number(report::in_ulp(r.reference_error, r.scale))),
            hidden(number(r.scale)),
            hidden(number(r.limit)),
            r.used ? Cell(report::share(*r.used), number(*r.used)) : none(),
            hidden(r.reference_error ? Json(r.reference_further_off) : Json()),
            hidden(has_worst ? Json(index_of(r.shape, worst.position)) : Json()),
            hidden(text_or_null(where(name, r, wording))),
            hidden(has_worst ? number(worst.ours) : Json()),
            hidden(has_worst ? number(worst.reference) : Json()),
            hidden(has_worst ? number(worst.right) : Json()),
            {to_string(found.value.role), text_or_null(to_string(found.value.role))},
            hidden(text_or_null(r.note)),
            {to_string(r.verdict), to_string(r.verdict), mark_of(r.verdict, allowed)},
            worst_text(r),
            notes_on(found.value, r, wording)};
}

Table isolated_table(std::string title) {
    Table table{std::move(title),
                {{"name", "name", Align::left},
                 {"function", "function", Align::left, 3},
                 {"", "model", Align::hidden},
                 {"", "reads", Align::hidden},
                 {"this batch", "", Align::right},
                 {"random", "", Align::right},
                 {"catches", "catches", Align::right, 4},
                 {"own", "own_error", Align::right, 1},
                 {"inherited", "inherited_error", Align::right, 2},
                 {"", "wrong", Align::hidden},
                 {"", "without_effect", Align::hidden},
                 {"verdict", "verdict", Align::left}},
                {},
                true};
    const Json figures = json_of(Trial());
    for (const std::string trial : {"real.", "probe.", "in_double."}) {
        for (const auto& [figure, value] : figures.items()) {
            table.columns.emplace_back("", trial + figure, Align::hidden);
        }
    }
    return table;
}

std::vector<Cell> isolated_row(const std::string& model, const ValueReport& value, const std::set<Verdict>& allowed) {
    const IsolatedStep& step = *value.isolated;
    const std::optional<double> caught = report::catches(step);
    std::vector<Cell> row = {
        value.name,
        step.function,
        hidden(model),
        hidden(step.reads),
        outcome_of(step.on_batch()),
        outcome_of(step.on_random()),
        caught == 0.0 ? Cell("any", 0.0) : scientific(caught, 1),
        scientific(step.on_batch().error.value_or(0), 1),
        scientific(value.inherited_error(), 1),
        hidden(step.wrong()),
        hidden(value.without_effect()),
        {report::verdict_in_words(step), to_string(step.verdict()), mark_of(step.verdict(), allowed)}};
    append_trial(row, &step.on_batch());
    append_trial(row, &step.on_random());
    append_trial(row, step.only_in_double() ? step.telling() : nullptr);
    return row;
}

Json json_of(const Trial& trial) {
    const auto figure = [](const std::optional<double>& value) { return number(value.value_or(0)); };
    const Json mistake = trial.mistake != nullptr ? Json(trial.mistake->name) : Json();
    return {{"error", figure(trial.error)},       {"scale", figure(trial.scale)},
            {"limit", figure(trial.limit)},       {"used", figure(trial.used)},
            {"catches", figure(trial.catches)},   {"hint", text_or_null(trial.hint)},
            {"note", text_or_null(trial.note)},   {"mistake", mistake},
            {"verdict", to_string(trial.verdict)}};
}

}  // namespace byhand

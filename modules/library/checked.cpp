#include "library/checked.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "documents/phrases.h"
#include "harness/limits/monte_carlo.h"
#include "report/writers.h"

namespace byhand {
namespace {

const std::vector<Column>& columns() {
    static const std::vector<Column> columns = {{"tensor", "name"},
                                                {"shape", "shape", Align::left, 3},
                                                {"type", "type", Align::left},
                                                {"trials", "trials"},
                                                {"", "beside", Align::hidden},
                                                {"", "off", Align::hidden},
                                                {"", "off_on", Align::hidden},
                                                {"", "out_of_range", Align::hidden},
                                                {"largest error", "error"},
                                                {"limit", "limit"},
                                                {"of limit", "used"},
                                                {"catches", "catches", Align::right, 2},
                                                {"", "worst.index", Align::hidden},
                                                {"", "worst.yours", Align::hidden},
                                                {"", "worst.right", Align::hidden},
                                                {"verdict", "verdict", Align::left},
                                                {"inputs", "on", Align::below},
                                                {"", "reference_off", Align::hidden},
                                                {"", "fault", Align::hidden},
                                                {"", "hint", Align::hidden}};
    return columns;
}

const char* type_of(const Checked& one) {
    return one.type == DType::float64    ? "double"
           : one.type == DType::bfloat16 ? "bfloat16"
           : one.type == DType::float16  ? "half"
                                         : "float";
}

std::vector<Cell> row_of(const Checked& one) {
    const Trial& trial = one.trial;
    Json index, ours, right;
    if (trial.worst) {
        index = index_of(one.shape, trial.worst->position);
        ours = number(trial.worst->ours);
        right = number(trial.worst->right);
    }
    return {one.name,
            {to_string(one.shape) + (one.is_beside ? " and others" : ""), one.shape},
            type_of(one),
            whole(one.trials),
            {"", one.is_beside},
            whole(one.off),
            {"", one.off_on},
            whole(one.out_of_range),
            scientific(trial.error, 2),
            scientific(trial.limit, 2),
            trial.used ? percent(*trial.used) : none(),
            trial.catches > 0.0 ? scientific(trial.catches, 1) : none(),
            {"", index},
            {"", ours},
            {"", right},
            verdict_cell(trial.verdict),
            trial.on,
            whole(one.reference_off),
            {"", text_or_null(trial.note)},
            {"", text_or_null(trial.hint)}};
}

// "off in 3 of 120 trials: values close to each other; rows that differ by 1e-3 to 1e3"
std::string trials_off(const Checked& one) {
    if (one.off == one.trials) {
        return fmt::format("off in {}", one.trials == 2 ? "both trials" : fmt::format("all {} trials", one.trials));
    }
    constexpr std::size_t kShown = 3;
    const std::size_t shown = std::min(one.off_on.size(), kShown);
    const std::string words =
        fmt::format("off in {} of {} trials, right in the others: {}", one.off, one.trials,
                    fmt::join(one.off_on.begin(), one.off_on.begin() + static_cast<std::ptrdiff_t>(shown), "; "));
    const std::size_t others = one.off_on.size() - shown;
    return others > 0 ? words + fmt::format("; and {} of inputs", plural(others, "other kind")) : words;
}

// Up to which inputs every trial agrees, if it fails on larger ones only, or is NaN or infinite there; else 0.
double agrees_up_to(const Checked& one) {
    double up_to = 0, most = 0;
    for (const double largest : one.agrees_at) {
        up_to = largest < one.fails_from ? std::max(up_to, largest) : up_to;
        most = std::max(most, largest);
    }
    return up_to == most || std::isfinite(one.non_finite_from) ? up_to : 0;
}

// "right to 6.2 digits of the largest number, and to rounding where no input is beyond 1.2e3; …"
std::string accuracy_of(const Checked& one, const std::vector<Checked>& all) {
    std::vector<std::string> parts;
    if (one.share > 0 && std::isinf(one.non_finite_from)) {
        parts.push_back(fmt::format("right to {:.1f} digits of the largest number, or of 1", -std::log10(one.share)));
    }
    if (const double up_to = agrees_up_to(one); up_to > 0) {
        parts.push_back(fmt::format("right to rounding where no input is beyond {:.1e}", up_to));
    }
    double most = 0;  // in float
    double non_finite_from = std::numeric_limits<double>::infinity();
    for (const Checked& other : all) {
        most = std::max(most, other.type == DType::float64 ? other.share / kDoubles : other.share);
        non_finite_from = std::min(non_finite_from, other.non_finite_from);
    }
    parts.push_back(
        std::isinf(non_finite_from)
            ? fmt::format("accurate_to({:.1f}) accepts it", std::floor(-10 * std::log10(most)) / 10)
            : fmt::format("NaN or infinite from {:.1e} on; restrict its inputs by range()", non_finite_from));
    return fmt::format("{}", fmt::join(parts, "; "));
}

// The element, both values and the limit; or what the kernel has done: "dx[18, 71]: yours 0.25, expected 0.5; error
// …".
std::string figures_of(const Checked& one) {
    const Trial& trial = one.trial;
    const bool has_figures = trial.verdict == Verdict::mismatch || trial.verdict == Verdict::less_accurate ||
                             trial.verdict == Verdict::non_finite;
    if (!trial.worst || !has_figures || !trial.note.empty()) {
        const std::string what = !trial.note.empty() ? trial.note : to_string(trial.verdict);
        return trial.worst && trial.note.empty()
                   ? fmt::format("{}: {}", element_of(one.name, one.shape, trial.worst->position), what)
                   : what;
    }
    const std::string numbers = report::numbers_of(element_of(one.name, one.shape, trial.worst->position), trial,
                                                   Whose::yours, one.type == DType::float64);
    return std::isfinite(trial.worst->ours) ? numbers + "; " + report::error_of(trial) : numbers;
}

Text failure_of(const Checked& one, const std::vector<Checked>& all, const std::string& subject,
                const std::string& place) {
    const bool is_named = one.name != subject, is_wrong = one.trial.verdict != Verdict::less_accurate;
    std::string words = (place.empty() ? "" : " (" + place + ")") +
                        (is_wrong ? " is wrong\n  " : " is less accurate than the reference, but not wrong\n  ") +
                        figures_of(one);
    words += fmt::format("\n  {}in {}{}", is_named ? fmt::format("for {} {}, ", one.name, to_string(one.shape)) : "",
                         type_of(one),
                         one.trial.on.empty() ? "" : fmt::format(", on inputs of {}: {}", one.reads, one.trial.on));
    if (one.off > 0 && one.trials > 1) {
        words += "\n    " + trials_off(one);
    }
    if (!one.inputs.empty()) {
        words += "\n    where " + one.inputs;
    }
    if (!is_wrong) {
        words += "\n  " + accuracy_of(one, all);
    } else if (const double up_to = agrees_up_to(one); up_to > 0) {
        words += fmt::format("\n  right where no input is beyond {:.1e}", up_to);
    }
    if (one.is_beside) {
        words +=
            "\n  no given shapes show it, only these beside them; if it is not meant for these: and_neighbours(false)";
    }
    if (!one.trial.hint.empty()) {
        words += "\n  hint: " + one.trial.hint;
    }
    return as_conclusion(std::move(words), subject, Mark::bad);
}

// Whether this tensor is not shown to be right in this type by any of its shapes.
bool shows_nothing(const Checked& one, const std::vector<Checked>& all) {
    return std::ranges::none_of(all, [&](const Checked& other) {
        return other.name == one.name && other.type == one.type && agrees(other.trial.verdict);
    });
}

// The first that fails: one that is less accurate only if none is worse, and one of shapes beside those that were given
// only if none is of these.
std::vector<Checked>::const_iterator first_wrong(const std::vector<Checked>& all) {
    const auto rank = [](const Checked& one) {
        return std::tuple(!fails(one.trial.verdict), one.trial.verdict == Verdict::less_accurate, one.is_beside);
    };
    const auto first = std::ranges::min_element(all, {}, rank);
    return first != all.end() && fails(first->trial.verdict) ? first : all.end();
}

Text nothing_of(const Checked& one, const std::string& subject) {
    return as_conclusion(fmt::format(" is not shown to be right: {} in {} is {} on all inputs", one.name, type_of(one),
                                     to_string(one.trial.verdict)),
                         subject, Mark::open);
}

}  // namespace

Cell verdict_cell(Verdict verdict) {
    const std::string words = to_string(verdict);
    return {words, words, report::mark_of(verdict, {kShowNothing.begin(), kShowNothing.end()})};
}

std::vector<Extent> extents_of(const Shape& shape) {
    std::vector<Extent> all;
    for (const std::size_t extent : shape) {
        all.push_back(
            {static_cast<std::int64_t>(extent), all.empty() ? "n" : fmt::format("the extent of axis {}", all.size())});
    }
    return all.empty() ? std::vector<Extent>{{1, "n"}} : all;
}

std::string text_after(const std::string& name, const Report& report) {
    const std::string text = report.text();
    return text.starts_with(name + " ") ? text.substr(name.size() + 1) : text;
}

Report report_of(const std::string& subject, const std::string& place, const std::vector<Checked>& all,
                 const std::string& beside, const std::vector<std::string>& notes) {
    Document document{.subject = "check", .title = subject};
    Table table{"", columns(), {}};
    report::Suite suite{subject, "byhand.check", {}, {}};
    std::size_t trials = 0, out_of_range = 0;
    const Checked* closest = nullptr;
    for (const Checked& one : all) {
        table.rows.push_back(row_of(one));
        report::Case result = case_of_row(table, table.rows.back(), subject, figures_of(one));
        result.name += std::string(" ") + type_of(one);
        suite.cases.push_back(std::move(result));
        trials += one.trials;
        out_of_range += one.out_of_range;
        if (closest == nullptr || one.trial.used > closest->trial.used) {
            closest = &one;
        }
    }
    const auto wrong = first_wrong(all);
    const auto open = std::ranges::find_if(all, [&](const Checked& one) { return shows_nothing(one, all); });
    document.agrees = wrong == all.end() && open == all.end() && !all.empty();
    if (wrong != all.end()) {
        document.blocks.emplace_back(failure_of(*wrong, all, subject, place));
    } else if (open != all.end()) {
        document.blocks.emplace_back(nothing_of(*open, subject));
    } else {
        std::string words = fmt::format(" is right: {}, at most {:.1f} % of a limit", plural(trials, "trial"),
                                        closest == nullptr ? 0 : 100 * closest->trial.used.value_or(0));
        if (out_of_range > 0) {
            words += fmt::format(
                "; in {} of them elements are not compared: there is no finite right value, or float "
                "leaves its range",
                out_of_range);
        }
        if (!beside.empty()) {
            words += "\n  also for extents beside those given: " + beside;
        }
        const auto off = std::ranges::find_if(all, [](const Checked& one) { return one.reference_off > 0; });
        if (off != all.end()) {
            words += fmt::format("\n  the reference is the less accurate one in {}: {}",
                                 plural(off->reference_off, "trial"), off->off_reference);
        }
        document.blocks.emplace_back(as_conclusion(std::move(words), subject, Mark::good));
    }
    for (const std::string& note : notes) {
        std::get<Text>(document.blocks.front()).words += "\n  " + note;
    }
    document.data = {{"subject", subject},
                     {"place", text_or_null(place)},
                     {"agrees", document.agrees},
                     {"beside", text_or_null(beside)},
                     {"notes", Json::of(Json::Array(notes.begin(), notes.end()))},
                     {"checks", json_of_rows(table)}};
    document.blocks.emplace_back(std::move(table));
    document.suites = {std::move(suite)};
    return Report(std::move(document));
}

}  // namespace byhand

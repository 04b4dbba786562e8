#include "documents/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "documents/explain.h"
#include "documents/phrases.h"
#include "report/writers.h"

namespace byhand {
namespace {

std::string title_of(const ModelReport& model, Against against) {
    return fmt::format("{} against LibTorch's {}; errors: distances from an oracle in double", model.model,
                       against == Against::operations ? "operations" : "torch::nn module");
}

void put_culprits_first(Table& table) {
    const auto role =
        static_cast<std::size_t>(std::ranges::find(table.columns, "role", &Column::key) - table.columns.begin());
    std::ranges::stable_partition(table.rows,
                                  [&](const std::vector<Cell>& row) { return row.at(role).shown == "culprit"; });
}

// The values that are nearest to their limits.
Table close_calls(const Summary& summary) {
    Table table{
        "nearest to their limits", {"value", {"compared with", "", Align::left}, "step", "error", "of limit"}, {}};
    for (const CloseCall& call : summary.closest) {
        table.rows.push_back({call.name,
                              call.against == Against::module ? "LibTorch's module" : "LibTorch's operations",
                              whole(call.step), scientific(call.error, 1), percent(call.used)});
    }
    return table;
}

// How many of each verdict.
Table verdict_counts(const Summary& summary) {
    Table table{"", {"verdict", "end to end", "isolated"}, {}};
    std::map<Verdict, std::array<std::size_t, 2>> counts;
    for (const auto& [verdict, n] : summary.verdicts) {
        counts[verdict][0] = n;
    }
    for (const auto& [verdict, n] : summary.verdicts_isolated) {
        counts[verdict][1] = n;
    }
    for (const auto& [verdict, n] : counts) {
        table.rows.push_back({to_string(verdict), whole(n[0]), whole(n[1])});
    }
    return table;
}

std::string in_a_line(const DriftGrowth& growth) {
    const DriftPoint& last = growth.points.back();
    const auto leads = [](const DriftPoint& point) {
        return point.parameter.empty()
                   ? std::string("0")
                   : fmt::format("{:.2e} of its scale ({} leads)", point.distance / point.scale, point.parameter);
    };
    std::string text =
        fmt::format("drift of {} from LibTorch: {} at the start of step {}", growth.model, leads(last), last.step);
    const auto first = std::ranges::find_if(growth.points, [](const DriftPoint& p) { return !p.parameter.empty(); });
    if (first != growth.points.end() && first->step != last.step) {
        text += fmt::format(", from {} at step {}", leads(*first), first->step);
    }
    if (const auto p = exponent(growth.points)) {
        text += fmt::format(", growing about as step^{:.1f}", *p);
    }
    text += "; fresh error of a step: ";
    return text +
           (growth.fresh > 0 ? fmt::format("{:.2e} at most ({})", growth.fresh, growth.fresh_parameter) : "none");
}

std::string in_a_line(const RankSummary& of) {
    const std::string where = fmt::format("{}, {}, {} a step", plural(of.ranks, "rank"), plural(of.parts, "part"),
                                          plural(of.messages, "message"));
    return of.different.empty()
               ? fmt::format("{}: all {} values have the same bits as on one process", where, of.values)
               : fmt::format("{}: {} of {} values differ in bits from one process; the first is {}", where,
                             of.different.size(), of.values, of.different.front());
}

constexpr std::size_t kFewNames = 8;

template <class Blocks>
void append(Document& document, Blocks blocks) {
    std::ranges::move(blocks, std::back_inserter(document.blocks));
}

// The tables of one step, and its loss; it is no news of the one step that disagrees.
void append_step(Document& document, const Presentation& how, const Summary& summary, const ComparedStep& step,
                 ShownRows rows) {
    if (rows != ShownRows::disagreeing || summary.agree || summary.steps > 1) {
        document.blocks.emplace_back(loss_text(step, how.whose));
    }
    append(document, tensor_tables(step, how, summary, rows));
    document.blocks.emplace_back(not_given_text(step, how, kFewNames));
    if (rows != ShownRows::disagreeing) {
        append(document, isolated_tables(step, how, summary.allowed));
    }
}

}  // namespace

std::vector<Table> tensor_tables(const ComparedStep& step, const Presentation& how, const Summary& summary,
                                 ShownRows rows) {
    const Wording wording = report::wording(how, step);
    std::vector<Table> tables;
    for (const ChainFinding& found : findings(step)) {
        const bool disagrees =
            contradicts(found.finding.verdict, summary.allowed) && to_string(found.value.role).empty();
        // Each value once: its module is LibTorch's, too.
        const bool is_repeated = found.against == Against::module && found.value.operations &&
                                 contradicts(found.value.operations->verdict, summary.allowed);
        if (!how.shows(found.value.name) || (rows == ShownRows::disagreeing && (!disagrees || is_repeated)) ||
            (rows != ShownRows::for_programs && found.finding.verdict == Verdict::not_given)) {
            continue;
        }
        const std::string title = title_of(found.model, found.against);
        if (tables.empty() || tables.back().title != title) {
            tables.push_back(tensor_table(title, how.whose));
        }
        tables.back().rows.push_back(tensor_row(step.step, found, wording, summary.allowed));
    }
    if (rows != ShownRows::for_programs) {
        std::ranges::for_each(tables, put_culprits_first);
    }
    return tables;
}

std::vector<Table> isolated_tables(const ComparedStep& step, const Presentation& how,
                                   const std::set<Verdict>& allowed) {
    std::vector<Table> tables;
    for (const ModelReport& model : step.models) {
        Table table = isolated_table(
            fmt::format("isolated steps of {}: share of the limit used, smallest relative error caught, own and "
                        "inherited error",
                        model.model));
        for (const ValueReport& value : model.at(model.isolated)) {
            if (how.shows(value.name)) {
                table.rows.push_back(isolated_row(model.model, value, allowed));
            }
        }
        if (!table.rows.empty()) {
            tables.push_back(std::move(table));
        }
    }
    return tables;
}

Text loss_text(const ComparedStep& step, Whose whose) {
    const std::string ours =
        report::gives_loss(step) ? fmt::format("{:.6f} {}, ", step.loss_manual, report::in_words(whose)) : "";
    return {fmt::format("step {}: loss {}{:.6f} by LibTorch", step.step, ours, step.loss_torch)};
}

Text not_given_text(const ComparedStep& step, const Presentation& how, std::size_t most) {
    std::vector<std::string> names;
    for (const ChainFinding& found : findings(step)) {
        if (found.finding.verdict == Verdict::not_given && how.shows(found.value.name)) {
            names.push_back(found.value.name);
        }
    }
    return {names.empty() ? ""
            : names.size() <= most
                ? fmt::format("not given: {}", fmt::join(names, ", "))
                : fmt::format("not given: {} values (byhand explain lists the names)", names.size())};
}

std::string in_a_sentence(const Summary& summary) {
    if (!summary.culprits.empty()) {
        std::vector<std::string> names;
        std::ranges::transform(summary.culprits, std::back_inserter(names), &ValueReport::name);
        const auto kind = [](const ValueReport& value) { return value.role.kind; };
        const auto heirs = std::ranges::count(summary.downstream, Role::Kind::inherited, kind);
        const bool is_one = names.size() == 1;
        return (is_one
                    ? fmt::format("One step is wrong, that of {}", names.front())
                    : fmt::format("{} steps are wrong, those of {}", names.size(), report::few_of(names, kFewNames))) +
               (heirs == 0 ? "."
                           : fmt::format("; {} {} {}.", plural(static_cast<std::size_t>(heirs), "other tensor"),
                                         heirs == 1 ? "inherits" : "inherit", is_one ? "its error" : "their errors"));
    }
    if (!summary.downstream.empty()) {
        return fmt::format(
            "{} wrong, first {}, but no step that leads there is wrong by itself.",
            summary.downstream.size() == 1 ? "One tensor is" : fmt::format("{} tensors are", summary.downstream.size()),
            *summary.first_divergence);
    }
    if (std::ranges::any_of(kShowNothing, [&](Verdict verdict) {
            return summary.verdicts.contains(verdict) || summary.verdicts_isolated.contains(verdict);
        })) {
        return fmt::format(
            "No step is seen to be wrong, but some tensors show nothing: they are all zero, all equal or out of range. "
            "That is {}.",
            summary.agree ? "accepted here, by --allow" : "no agreement");
    }
    return fmt::format("Nothing is wrong: rounding explains every difference between the {} and LibTorch's.",
                       plural(summary.tensors.size(), "tensor"));
}

Text conclusion(const Summary& summary) {
    Text text{": ", summary.agree ? "they agree" : "they disagree", summary.agree ? Mark::good : Mark::bad};
    const auto of_disagreeing = [&](std::size_t disagreeing, const std::string& all) {
        return summary.agree ? all : fmt::format("{} of {}", disagreeing, all);
    };
    text.words += of_disagreeing(summary.disagreeing_tensors.size(), plural(summary.tensors.size(), "tensor"));
    if (summary.compared > summary.tensors.size()) {
        text.words += fmt::format(" ({})", of_disagreeing(summary.disagreeing, plural(summary.compared, "comparison")));
    }
    text.words += " over " + plural(summary.steps, "step");
    if (summary.isolated > 0) {
        text.words += ", " + of_disagreeing(summary.disagreeing_isolated, plural(summary.isolated, "isolated step"));
    }
    if (!summary.agree) {
        text.words += "; the first is " + summary.first_divergence.value_or("not known");
    } else if (summary.closest.empty()) {
        text.words += "; no two values differ";
    } else {
        text.words += fmt::format("; nearest to its limit: {} at step {} ({:.2f} %)", summary.closest.front().name,
                                  summary.closest.front().step, 100 * summary.closest.front().used);
    }
    if (summary.undecided > 0 && summary.agree) {  // neither for nor against
        text.words += fmt::format("; {} undecided end to end", summary.undecided);
    }
    for (const RankSummary& ranks : summary.ranks) {
        text.words += (summary.ranks.size() > 1 ? "\n" + ranks.model + ": " : "\n") + in_a_line(ranks);
    }
    for (const DriftGrowth& growth : summary.drift) {
        text.words += growth.points.empty() ? "" : "\n" + in_a_line(growth);
    }
    return text;
}

Document compare_document(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                          ShownRows rows, const Text& next) {
    Document document{.subject = "compare",
                      .note = how.planted == nullptr ? "" : "planted: " + how.planted->name,
                      .title = fmt::format("{} against LibTorch {}: recipe {}, {}, seed {}", how.subject,
                                           how.torch_version, how.recipe, plural(how.rows, "row"), how.seed),
                      .agrees = summary.agree};
    document.blocks.emplace_back(Text{in_a_sentence(summary)});
    document.blocks.emplace_back(conclusion(summary));
    for (const ComparedStep& step : steps) {
        append(document, blame_texts(step, how));
    }
    document.blocks.emplace_back(next);
    if (rows == ShownRows::for_programs) {
        document.data = compare_json(how, summary, steps);
        document.suites = compare_suites(how, summary, steps);
        document.blocks.emplace_back(tensor_table("", how.whose));  // the heading, where there is no row
    }
    for (const ComparedStep& step : steps) {
        append_step(document, how, summary, step, rows);
    }
    if (rows != ShownRows::disagreeing) {
        document.blocks.emplace_back(conclusion(summary));  // again, below more than a screen
    } else if (summary.agree) {
        document.blocks.emplace_back(close_calls(summary));
        document.blocks.emplace_back(verdict_counts(summary));
    }
    add_legend(document);
    return document;
}

}  // namespace byhand

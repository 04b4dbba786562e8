#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "checks/documents.h"
#include "report/writers.h"

namespace byhand {
namespace {

const std::vector<Column>& columns() {
    static const std::vector<Column> columns = {{"name"},
                                                {"", "model", Align::hidden},
                                                {"", "function", Align::hidden},
                                                {"shape", "shape", Align::left, 4},
                                                {"", "count", Align::hidden},
                                                {"checked", "checked", Align::right, 3},
                                                {"", "undecided", Align::hidden},
                                                {"largest error", "error"},
                                                {"limit", "limit"},
                                                {"of limit", "used"},
                                                {"", "scale", Align::hidden},
                                                {"catches", "catches", Align::right, 2},
                                                {"", "worst.index", Align::hidden},
                                                {"", "worst.by_hand", Align::hidden},
                                                {"", "worst.by_differences", Align::hidden},
                                                {"verdict", "verdict", Align::left},
                                                {"worst element: by hand | by differences", "", Align::left, 1}};
    return columns;
}

std::string worst_of(const CheckedGradient& g) {
    if (!g.worst || g.verdict == Verdict::vacuous) {
        return "";
    }
    return fmt::format("[{}] {:.8g} | {:.8g}", fmt::join(index_of(g.shape, g.worst->position), ", "), g.worst->ours,
                       *g.worst->right);
}

std::vector<Cell> row_of(const std::string& model, const CheckedGradient& g) {
    Json index, ours, right;
    if (g.worst) {
        index = index_of(g.shape, g.worst->position);
        ours = number(g.worst->ours);
        right = number(g.worst->right);
    }
    const std::string verdict = to_string(g.verdict);
    return {g.name,
            {"", model},
            {"", text_or_null(g.function)},
            {to_string(g.shape), g.shape},
            whole(count(g.shape)),
            {fmt::format("{} of {}", g.checked, count(g.shape)), g.checked},
            whole(g.undecided),
            scientific(g.error, 2),
            scientific(g.limit, 2),
            g.used ? percent(*g.used, 2) : none(),
            {"", number(g.scale)},
            g.catches > 0.0 ? scientific(g.catches, 1) : none(),
            {"", index},
            {"", ours},
            {"", right},
            {g.undecided > 0 ? fmt::format("{}, {} undecided", verdict, g.undecided) : verdict, verdict,
             agrees(g.verdict) ? Mark::good : Mark::bad},
            worst_of(g)};
}

// The first that does not agree, with its model; null where all do. What comes after it may only have inherited.
std::pair<const CheckedModel*, const CheckedGradient*> first_wrong(const std::vector<CheckedModel>& models) {
    for (const CheckedModel& model : models) {
        for (const CheckedGradient& g : model.gradients) {
            if (!agrees(g.verdict)) {
                return {&model, &g};
            }
        }
    }
    return {nullptr, nullptr};
}

Text blame(const CheckedModel& model, const CheckedGradient& g, const SourceOf& source) {
    const SourceLine line = fails(g.verdict) ? source(g.function) : SourceLine{};
    std::string words = fmt::format(" ({}), {}", model.model, to_string(g.verdict));
    if (!line.place.empty()) {
        words += fmt::format("\nmade by {} at {}", g.function, line.place);
        words += line.formula.empty() ? "" : "\nit should be: " + line.formula;
    }
    return {words, "the first that does not agree: " + g.name, Mark::bad};
}

Text conclusion(const std::vector<CheckedModel>& models) {
    std::size_t gradients = 0, wrong = 0;
    const CheckedGradient* closest = nullptr;
    for (const CheckedModel& model : models) {
        for (const CheckedGradient& g : model.gradients) {
            ++gradients;
            wrong += agrees(g.verdict) ? 0 : 1;
            if (agrees(g.verdict) && (closest == nullptr || g.used > closest->used)) {
                closest = &g;
            }
        }
    }
    if (wrong > 0) {
        return as_conclusion(fmt::format(": {} of {}", wrong, plural(gradients, "gradient")), "they disagree",
                             Mark::bad);
    }
    return as_conclusion(fmt::format(": {}; closest to its limit: {} ({:.2f} %)", plural(gradients, "gradient"),
                                     closest == nullptr ? "none" : closest->name,
                                     closest == nullptr ? 0 : 100 * closest->used.value_or(0)),
                         "they agree", Mark::good);
}

}  // namespace

bool agree(const std::vector<CheckedModel>& models) {
    return first_wrong(models).second == nullptr;
}

Document gradcheck_document(const GradcheckHeader& header, const std::vector<CheckedModel>& models,
                            const SourceOf& source) {
    Document document{.subject = "gradcheck",
                      .title = fmt::format("against finite differences in double: recipe {}, {}, seed {}, up to {} a "
                                           "gradient",
                                           header.recipe, plural(header.rows, "row"), header.seed,
                                           plural(header.elements, "element")),
                      .agrees = agree(models)};
    report::Suite suite{"gradcheck",
                        "byhand.gradcheck",
                        {{"recipe", header.recipe},
                         {"rows", std::to_string(header.rows)},
                         {"elements", std::to_string(header.elements)},
                         {"seed", std::to_string(header.seed)}},
                        {}};
    Json gradients = Json::array();
    for (const CheckedModel& model : models) {
        Table table{model.model, columns(), {}};
        for (const CheckedGradient& g : model.gradients) {
            table.rows.push_back(row_of(model.model, g));
            suite.cases.push_back(case_of_row(table, table.rows.back(), model.model + ".gradcheck", worst_of(g)));
        }
        for (const Json& row : json_of_rows(table)) {
            gradients.push_back(row);
        }
        document.blocks.emplace_back(std::move(table));
    }
    const auto [model, wrong] = first_wrong(models);
    if (wrong != nullptr) {
        document.blocks.emplace_back(blame(*model, *wrong, source));
    }
    document.blocks.emplace_back(conclusion(models));
    document.data = {{"verdict", wrong == nullptr ? "agree" : "disagree"},
                     {"first_divergence", wrong == nullptr ? Json() : Json(wrong->name)},
                     {"recipe", header.recipe},
                     {"rows", header.rows},
                     {"elements", header.elements},
                     {"seed", header.seed},
                     {"gradients", std::move(gradients)}};
    document.suites = {std::move(suite)};
    return document;
}

}  // namespace byhand

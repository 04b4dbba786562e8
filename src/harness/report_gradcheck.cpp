#include "harness/report_gradcheck.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "harness/report_columns.h"

namespace byhand {
namespace {

using report::Align;
using GradientTable = report::Table<9>;

report::Row<9> row_of(const CheckedGradient& g) {
    const auto figure = [](const std::optional<double>& value, const char* format, double times = 1) {
        return value && std::isfinite(*value) ? fmt::format(fmt::runtime(format), times * *value) : std::string("-");
    };
    std::string verdict = to_string(g.verdict), worst;
    if (g.undecided > 0) {
        verdict += fmt::format(", {} undecided", g.undecided);
    }
    if (g.worst && g.verdict != Verdict::vacuous) {
        worst = fmt::format("[{}]  {:.8g} | {:.8g}", fmt::join(index_of(g.shape, g.worst->position), ", "),
                            g.worst->ours, *g.worst->right);
    }
    return {.cells = {g.name, to_string(g.shape), fmt::format("{} of {}", g.checked, count(g.shape)),
                      figure(g.error, "{:.2e}"), figure(g.limit, "{:.2e}"), figure(g.used, "{:.2f} %", 100),
                      g.catches > 0.0 ? figure(g.catches, "{:.1e}") : "-", verdict, worst},
            .escape = agrees(g.verdict) ? report::kGreen : report::kRed};
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

Json gradient(const std::string& model, const CheckedGradient& g) {
    Json worst;
    if (g.worst) {
        worst = {{"index", index_of(g.shape, g.worst->position)},
                 {"by_hand", number(g.worst->ours)},
                 {"by_differences", number(g.worst->right)}};
    }
    return {{"name", g.name},
            {"model", model},
            {"function", g.function.empty() ? Json() : Json(g.function)},
            {"shape", g.shape},
            {"count", count(g.shape)},
            {"checked", g.checked},
            {"undecided", g.undecided},
            {"error", number(g.error)},
            {"limit", number(g.limit)},
            {"used", number(g.used)},
            {"scale", number(g.scale)},
            {"catches", g.catches > 0.0 ? number(g.catches) : Json()},
            {"worst", worst},
            {"verdict", to_string(g.verdict)}};
}

}  // namespace

bool agree(const std::vector<CheckedModel>& models) {
    return first_wrong(models).second == nullptr;
}

std::string gradcheck_table(const GradcheckHeader& header, const std::vector<CheckedModel>& models,
                            const SourceOf& source, bool colour) {
    std::string text;
    std::size_t gradients = 0, wrong = 0;
    const CheckedGradient* closest = nullptr;
    for (const CheckedModel& model : models) {
        constexpr Align L = Align::left, R = Align::right;
        GradientTable rows({"name", "shape", "checked", "largest error", "limit", "of limit", "catches", "verdict",
                            "worst element: by hand | by differences"},
                           {L, L, R, R, R, R, R, L, L}, 7, colour);
        rows.begin(
            fmt::format("{} against finite differences in double: recipe {}, {} rows, seed {}, up to {} elements "
                        "a gradient",
                        model.model, header.recipe, header.rows, header.seed, header.elements));
        for (const CheckedGradient& g : model.gradients) {
            rows.add(row_of(g));
            ++gradients;
            wrong += agrees(g.verdict) ? 0 : 1;
            if (agrees(g.verdict) && (closest == nullptr || g.used > closest->used)) {
                closest = &g;
            }
        }
        text += rows.text() + "\n";
    }
    if (const auto [model, g] = first_wrong(models); g != nullptr) {
        const SourceLine line = fails(g->verdict) ? source(g->function) : SourceLine{};
        text += fmt::format("the first that does not agree: {} ({}), {}\n",
                            report::painted(g->name, report::kRed, colour), model->model, to_string(g->verdict));
        if (!line.place.empty()) {
            text += fmt::format("  made by {} at {}\n", g->function, line.place);
            text += line.formula.empty() ? "" : fmt::format("  it should be: {}\n", line.formula);
        }
        return text + fmt::format("{}: {} of {} gradients\n", report::painted("they disagree", report::kRed, colour),
                                  wrong, gradients);
    }
    return text + fmt::format("{}: {} gradients; closest to its limit came {}, with {:.2f} % of it\n",
                              report::painted("they agree", report::kGreen, colour), gradients,
                              closest == nullptr ? "none" : closest->name,
                              closest == nullptr ? 0 : 100 * closest->used.value_or(0));
}

std::string gradcheck_json(const GradcheckHeader& header, const std::vector<CheckedModel>& models) {
    const CheckedGradient* wrong = first_wrong(models).second;
    Json json = {{"verdict", wrong == nullptr ? "agree" : "disagree"},
                 {"first_divergence", wrong == nullptr ? Json() : Json(wrong->name)},
                 {"recipe", header.recipe},
                 {"rows", header.rows},
                 {"elements", header.elements},
                 {"seed", header.seed},
                 {"gradients", Json::array()}};
    for (const CheckedModel& model : models) {
        for (const CheckedGradient& g : model.gradients) {
            json["gradients"].push_back(gradient(model.model, g));
        }
    }
    return printed_json(json, 1) + "\n";
}

}  // namespace byhand

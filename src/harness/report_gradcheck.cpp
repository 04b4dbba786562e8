#include "harness/report_gradcheck.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/report_number.h"

namespace byhand {
namespace {

using Json = nlohmann::ordered_json;
using report::number;

struct Row {
    std::string name, shape, checked, error, limit, used, catches, verdict, worst;
};

bool has_figures(const CheckedGradient& g) {
    return g.checked > 0;
}

Row row_of(const CheckedGradient& g) {
    const bool figures = has_figures(g);
    const auto figure = [&](double value, const char* format) {
        return figures && std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : std::string("-");
    };
    Row row{.name = g.name,
            .shape = to_string(g.shape),
            .checked = fmt::format("{} of {}", g.checked, count(g.shape)),
            .error = figure(g.error, "{:.2e}"),
            .limit = figure(g.limit, "{:.2e}"),
            .used = figure(100 * g.used, "{:.2f} %"),
            .catches = g.catches > 0 ? figure(g.catches, "{:.1e}") : "-",
            .verdict = to_string(g.verdict),
            .worst = ""};
    if (g.undecided > 0) {
        row.verdict += fmt::format(", {} undecided", g.undecided);
    }
    if (figures && g.verdict != GradientVerdict::vacuous) {
        row.worst =
            fmt::format("[{}]  {:.8g} | {:.8g}", fmt::join(index_of(g.shape, g.worst), ", "), g.ours, g.difference);
    }
    return row;
}

std::string painted(const std::string& text, const std::string& escape, bool colour) {
    return colour ? escape + text + "\x1b[0m" : text;
}

// The columns beside each other; the heading first.
std::string aligned(const std::vector<Row>& rows, const std::vector<CheckedGradient>& gradients, bool colour) {
    const auto width = [&rows](std::string Row::* column) {
        std::size_t widest = 0;
        for (const Row& row : rows) {
            widest = std::max(widest, (row.*column).size());
        }
        return widest;
    };
    std::string text;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Row& row = rows[i];
        const bool fine = i > 0 && agrees(gradients[i - 1].verdict);
        const std::string verdict =
            i == 0 ? row.verdict : painted(row.verdict, fine ? "\x1b[32m" : "\x1b[1;31m", colour);
        std::string line = fmt::format(
            "  {:<{}}  {:<{}}  {:>{}}  {:>{}}  {:>{}}  {:>{}}  {:>{}}  {}{}  {}", row.name, width(&Row::name),
            row.shape, width(&Row::shape), row.checked, width(&Row::checked), row.error, width(&Row::error), row.limit,
            width(&Row::limit), row.used, width(&Row::used), row.catches, width(&Row::catches), verdict,
            std::string(width(&Row::verdict) - row.verdict.size(), ' '), row.worst);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
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
    const auto figure = [&](double value) { return has_figures(g) ? number(value) : Json(); };
    Json worst;
    if (has_figures(g)) {
        worst = {{"index", index_of(g.shape, g.worst)},
                 {"by_hand", number(g.ours)},
                 {"by_differences", number(g.difference)}};
    }
    return {{"name", g.name},
            {"model", model},
            {"function", g.function.empty() ? Json() : Json(g.function)},
            {"shape", g.shape},
            {"count", count(g.shape)},
            {"checked", g.checked},
            {"undecided", g.undecided},
            {"error", figure(g.error)},
            {"limit", figure(g.limit)},
            {"used", figure(g.used)},
            {"scale", figure(g.scale)},
            {"catches", g.catches > 0 ? figure(g.catches) : Json()},
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
        std::vector<Row> rows = {{"name", "shape", "checked", "largest error", "limit", "of limit", "catches",
                                  "verdict", "worst element: by hand | by differences"}};
        for (const CheckedGradient& g : model.gradients) {
            rows.push_back(row_of(g));
            ++gradients;
            wrong += agrees(g.verdict) ? 0 : 1;
            if (agrees(g.verdict) && (closest == nullptr || g.used > closest->used)) {
                closest = &g;
            }
        }
        text += painted(fmt::format("{} against finite differences in double: recipe {}, {} rows, seed {}, up to {} "
                                    "elements a gradient",
                                    model.model, header.recipe, header.rows, header.seed, header.elements),
                        "\x1b[1m", colour) +
                "\n" + aligned(rows, model.gradients, colour) + "\n";
    }
    if (const auto [model, g] = first_wrong(models); g != nullptr) {
        const bool blamed = g->verdict != GradientVerdict::undecided && g->verdict != GradientVerdict::vacuous;
        const SourceLine line = blamed ? source(g->function) : SourceLine{};
        text += fmt::format("the first that does not agree: {} ({}), {}\n", painted(g->name, "\x1b[1;31m", colour),
                            model->model, to_string(g->verdict));
        if (!line.place.empty()) {
            text += fmt::format("  made by {} at {}\n", g->function, line.place);
            text += line.formula.empty() ? "" : fmt::format("  it should be: {}\n", line.formula);
        }
        return text + fmt::format("{}: {} of {} gradients\n", painted("they disagree", "\x1b[1;31m", colour), wrong,
                                  gradients);
    }
    return text + fmt::format("{}: {} gradients; closest to its limit came {}, with {:.2f} % of it\n",
                              painted("they agree", "\x1b[1;32m", colour), gradients,
                              closest == nullptr ? "none" : closest->name,
                              closest == nullptr ? 0 : 100 * closest->used);
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
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace byhand

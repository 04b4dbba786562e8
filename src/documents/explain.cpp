#include "documents/explain.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "documents/phrases.h"
#include "harness/words.h"

namespace byhand {
namespace {

// How a tensor's numbers look.
struct Range {
    std::size_t count = 0, zeros = 0;
    std::size_t least_at = 0, most_at = 0;
    double least = 0, most = 0, mean = 0, deviation = 0;
};

Range range_of(const View& view) {
    Range range;
    range.count = byhand::count(view.shape);
    for (std::size_t i = 0; i < range.count; ++i) {
        const double value = value_at(view, i);
        range.zeros += value == 0 ? 1 : 0;
        range.mean += value;
        if (i == 0 || value < range.least) {
            range.least = value;
            range.least_at = i;
        }
        if (i == 0 || value > range.most) {
            range.most = value;
            range.most_at = i;
        }
    }
    range.mean /= static_cast<double>(range.count);
    for (std::size_t i = 0; i < range.count; ++i) {
        const double distance = value_at(view, i) - range.mean;
        range.deviation += distance * distance / static_cast<double>(range.count);
    }
    range.deviation = std::sqrt(range.deviation);
    return range;
}

std::vector<double> first_values(const View& view) {
    std::vector<double> first(std::min<std::size_t>(byhand::count(view.shape), 6));
    for (std::size_t i = 0; i < first.size(); ++i) {
        first[i] = value_at(view, i);
    }
    return first;
}

std::string values_of(const Explanation& explanation, const View& view, const Presentation& how) {
    const Range range = range_of(view);
    const Wording wording{how.network, how.glossary, how.characters, {}, {}};
    const auto element = [&](double value, std::size_t at) {
        const std::string place = in_words(explanation.name, index_of(view.shape, at), wording);
        return fmt::format("{:.6g}{}", value, view.shape.empty() ? "" : " (" + place + ")");
    };
    if (range.count <= 1) {
        return range.count == 0 ? "none" : element(range.least, 0);
    }
    std::string text = fmt::format("from {} to {}\nmean {:.3g}, deviation {:.3g}", element(range.least, range.least_at),
                                   element(range.most, range.most_at), range.mean, range.deviation);
    if (range.zeros > 0) {
        text += fmt::format(", {} of {} are 0", range.zeros, range.count);
    }
    return text + fmt::format("\n{:.6g}{}", fmt::join(first_values(view), ", "), range.count > 6 ? ", …" : "");
}

std::string joined(const std::vector<std::string>& names, const char* none) {
    return names.empty() ? none : fmt::format("{}", fmt::join(names, ", "));
}

// All that is known of the values, for programs; people see name, shape, function and inputs.
Table table_of(const std::vector<Explanation>& all, const std::vector<View>& values, const Presentation& how) {
    Table table{"",
                {{"name"},
                 {"", "meaning", Align::hidden},
                 {"shape", "shape", Align::left},
                 {"function", "function", Align::left, 1},
                 {"", "file_line", Align::hidden},
                 {"", "formula", Align::hidden},
                 {"reads", "reads", Align::left},
                 {"", "read_by", Align::hidden},
                 {"", "values.least", Align::hidden},
                 {"", "values.most", Align::hidden},
                 {"", "values.mean", Align::hidden},
                 {"", "values.deviation", Align::hidden},
                 {"", "values.zeros", Align::hidden},
                 {"", "mistakes", Align::hidden}},
                {}};
    for (const Explanation& one : all) {
        const SourceLine source = report::source_line(how, one.function);
        const View* const view = find(values, one.name);
        Json least, most, mean, deviation, zeros, mistakes = Json::array();
        if (view != nullptr && byhand::count(view->shape) > 0) {
            const Range range = range_of(*view);
            least = number(range.least);
            most = number(range.most);
            mean = number(range.mean);
            deviation = number(range.deviation);
            zeros = range.zeros;
        }
        for (const Mistake* mistake : one.mistakes) {
            mistakes.push_back(mistake->name);
        }
        table.rows.push_back({one.name,
                              one.meaning,
                              {to_string(one.shape), one.shape},
                              {one.function.empty() ? "given" : one.function, text_or_null(one.function)},
                              {"", text_or_null(source.place)},
                              {"", text_or_null(source.formula)},
                              {joined(one.reads, ""), one.reads},
                              {"", one.read_by},
                              {"", least},
                              {"", most},
                              {"", mean},
                              {"", deviation},
                              {"", zeros},
                              {"", mistakes}});
    }
    return table;
}

// Adds the symbol of the notes, and the first numbers of the followed row, or of a value that has no rows; for programs
// all numbers of the row.
void add_row(Table& table, const std::vector<Explanation>& all, const std::vector<View>& values, std::size_t row,
             const Presentation& how) {
    constexpr std::size_t kShown = 3;
    std::ranges::find(table.columns, "reads", &Column::key)->align = Align::hidden;
    table.columns.insert(table.columns.end(),
                         {{"notes", "symbol", Align::left}, {"first numbers", "row", Align::left}});
    const Wording wording{how.network, how.glossary, how.characters, {}, {}};
    for (std::size_t i = 0; i < all.size(); ++i) {
        const View* const view = find(values, all[i].name);
        const auto axes = view == nullptr ? std::nullopt : axes_of(all[i].name, view->shape.size(), wording);
        const bool has_rows =
            (axes && !axes->empty() && axes->front() == Axis::row) || all[i].name == "X" || all[i].name == "Y";
        const std::size_t count =
            view == nullptr ? 0 : byhand::count(view->shape) / (has_rows ? view->shape.front() : 1);
        std::vector<double> numbers(count);
        for (std::size_t k = 0; k < count; ++k) {
            numbers[k] = value_at(*view, (has_rows ? row * count : 0) + k);
        }
        const Json of_row = has_rows ? byhand::numbers(numbers) : Json();
        numbers.resize(std::min(count, kShown));
        table.rows[i].emplace_back(symbol(how.glossary, all[i].name));
        table.rows[i].emplace_back(fmt::format("{:.2g}{}", fmt::join(numbers, ", "), count > kShown ? " …" : ""),
                                   of_row);
    }
}

}  // namespace

Table facts_of(const Explanation& one, const Presentation& how) {
    const SourceLine source = report::source_line(how, one.function);
    Table facts{"", {"", {"", "", Align::left}}, {}};
    if (one.function.empty()) {
        facts.rows.push_back({"given", "no step makes it"});
    } else {
        facts.rows.push_back({"formula", source.formula});
        facts.rows.push_back({"function", one.function + (source.place.empty() ? "" : ", " + source.place)});
        if (!source.derivation.empty()) {
            facts.rows.push_back({"derivation", source.derivation});
        }
        facts.rows.push_back({"reads", joined(one.reads, "nothing")});
    }
    facts.rows.push_back({"read by", joined(one.read_by, "nothing")});
    return facts;
}

Table mistakes_of(const Explanation& one) {
    Table table{
        "common mistakes (byhand compare --plant NAME shows how each is found)", {"", {"", "", Align::left}}, {}};
    for (const Mistake* mistake : one.mistakes) {
        table.rows.push_back({mistake->name, mistake->what});
    }
    return table;
}

Document explain_document(const std::vector<Explanation>& all, const std::string& operation,
                          const std::vector<View>& values, const Presentation& how,
                          const std::optional<FollowedRow>& followed) {
    Table table = table_of(all, values, how);
    if (followed) {
        add_row(table, all, values, followed->row, how);
    }
    Json data = json_of_rows(table);
    return {.subject = "explain",
            .title = fmt::format("recipe {}: {}, in the order in which they are computed{}", how.recipe,
                                 operation.empty() ? "every value" : "the values of " + operation,
                                 followed ? ", with the numbers of " + followed->words : ""),
            .blocks = {std::move(table)},
            .data = std::move(data)};
}

Document explain_document(const Explanation& one, const std::vector<View>& values, const Presentation& how) {
    Document document = explain_document(std::vector{one}, "", values, how);
    for (Column& column : std::get<Table>(document.blocks.front()).columns) {
        column.align = Align::hidden;
    }
    document.title = one.name + " " + to_string(one.shape);
    document.blocks.emplace_back(Text{one.meaning});
    Table facts = facts_of(one, how);
    if (const View* const view = find(values, one.name)) {
        facts.rows.push_back({"values", values_of(one, *view, how)});
    }
    document.blocks.emplace_back(std::move(facts));
    if (!one.mistakes.empty()) {
        document.blocks.emplace_back(mistakes_of(one));
    }
    return document;
}

}  // namespace byhand

#include "documents/explain.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "documents/phrases.h"
#include "harness/words.h"

namespace byhand {
namespace {

// Of the value of that name; none if `values` lacks it.
std::vector<double> numbers_of(const std::vector<View>& values, const std::string& name) {
    const View* const view = find(values, name);
    if (view == nullptr) {
        return {};
    }
    std::vector<double> numbers(count(view->shape));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = value_at(*view, i);
    }
    return numbers;
}

// Of one row of the batch, with all its positions; nothing if the value has no rows.
std::optional<std::vector<double>> numbers_of_row(const Explanation& one, const std::vector<View>& values,
                                                  std::size_t row, const Presentation& how) {
    const auto axes = axes_of(one.name, one.shape.size(), report::wording(how));
    const bool has_rows = (axes && !axes->empty() && axes->front() == Axis::row) || one.name == "X" || one.name == "Y";
    const std::vector<double> all = numbers_of(values, one.name);
    if (!has_rows || all.empty()) {
        return std::nullopt;
    }
    const auto size = static_cast<std::ptrdiff_t>(all.size() / how.rows);
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row) * size;
    return std::vector(begin, begin + size);
}

// "0.5, nan", the first `few`; then `more` if there are more.
std::string first_of(const std::vector<double>& numbers, std::size_t few, int digits, const char* more) {
    std::vector<std::string> first;
    for (const double value : std::span(numbers).first(std::min(few, numbers.size()))) {
        first.push_back(significant(value, digits).shown);
    }
    return fmt::format("{}{}", fmt::join(first, ", "), numbers.size() > few ? more : "");
}

// How a tensor's numbers look.
struct Range {
    std::size_t least_at = 0, most_at = 0, zeros = 0;
    double mean = 0, deviation = 0;
};

// Precondition: there are numbers.
Range range_of(const std::vector<double>& numbers) {
    const auto n = static_cast<double>(numbers.size());
    Range range{.least_at = static_cast<std::size_t>(std::ranges::min_element(numbers) - numbers.begin()),
                .most_at = static_cast<std::size_t>(std::ranges::max_element(numbers) - numbers.begin()),
                .zeros = static_cast<std::size_t>(std::ranges::count(numbers, 0.0)),
                .mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / n};
    for (const double value : numbers) {
        range.deviation += (value - range.mean) * (value - range.mean) / n;
    }
    range.deviation = std::sqrt(range.deviation);
    return range;
}

constexpr std::size_t kFewNumbers = 6;

std::string values_of(const Explanation& one, const std::vector<double>& numbers, const Presentation& how) {
    const auto element = [&](std::size_t at) {
        const std::string place = in_words(one.name, index_of(one.shape, at), report::wording(how));
        return significant(numbers[at], 6).shown + (one.shape.empty() ? "" : " (" + place + ")");
    };
    if (numbers.size() <= 1) {
        return numbers.empty() ? "none" : element(0);
    }
    const Range range = range_of(numbers);
    std::string text =
        fmt::format("from {} to {}\nmean {}, deviation {}", element(range.least_at), element(range.most_at),
                    significant(range.mean, 3).shown, significant(range.deviation, 3).shown);
    if (range.zeros > 0) {
        text += fmt::format(", {} of {} are 0", range.zeros, numbers.size());
    }
    return text + "\n" + first_of(numbers, kFewNumbers, 6, ", …");
}

std::string joined(const std::vector<std::string>& names, const char* none) {
    return names.empty() ? none : fmt::format("{}", fmt::join(names, ", "));
}

// All that is known of the values, for programs; people see name, shape, function and inputs, or in the place of those
// the symbol of the notes and the first numbers: of the followed row, or of a value that has no rows.
Table table_of(const std::vector<Explanation>& all, const std::vector<View>& values, const Presentation& how,
               const std::optional<FollowedRow>& followed) {
    constexpr std::size_t kFewInTable = 3;
    Table table{"",
                {{"name"},
                 {"", "meaning", Align::hidden},
                 {"shape", "shape", Align::left},
                 {"function", "function", Align::left, 1},
                 {"", "file_line", Align::hidden},
                 {"", "formula", Align::hidden},
                 {"reads", "reads", followed ? Align::hidden : Align::left},
                 {"", "read_by", Align::hidden},
                 {"", "values.least", Align::hidden},
                 {"", "values.most", Align::hidden},
                 {"", "values.mean", Align::hidden},
                 {"", "values.deviation", Align::hidden},
                 {"", "values.zeros", Align::hidden},
                 {"", "mistakes", Align::hidden}},
                {}};
    if (followed) {
        table.columns.insert(table.columns.end(),
                             {{"notes", "symbol", Align::left}, {"first numbers", "row", Align::left}});
    }
    for (const Explanation& one : all) {
        const SourceLine source = how.source(one.function);
        std::array<Json, 5> figures;  // by the keys above
        const std::vector<double> numbers = numbers_of(values, one.name);
        if (!numbers.empty()) {
            const Range range = range_of(numbers);
            figures = {number(numbers[range.least_at]), number(numbers[range.most_at]), number(range.mean),
                       number(range.deviation), range.zeros};
        }
        Json mistakes = Json::array();
        for (const Mistake* mistake : one.mistakes) {
            mistakes.push_back(mistake->name);
        }
        std::vector<Cell> row = {one.name,
                                 one.meaning,
                                 {to_string(one.shape), one.shape},
                                 {one.function.empty() ? "given" : one.function, text_or_null(one.function)},
                                 {"", text_or_null(source.place)},
                                 {"", text_or_null(source.formula)},
                                 {joined(one.reads, ""), one.reads},
                                 {"", one.read_by}};
        for (const Json& figure : figures) {
            row.emplace_back("", figure);
        }
        row.emplace_back("", mistakes);
        if (followed) {
            const auto of_row = numbers_of_row(one, values, followed->row, how);
            row.emplace_back(symbol(how.glossary, one.name));
            row.emplace_back(first_of(of_row.value_or(numbers), kFewInTable, 2, " …"),
                             of_row ? byhand::numbers(*of_row) : Json());
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

}  // namespace

Table facts_of(const Explanation& one, const Presentation& how) {
    const SourceLine source = how.source(one.function);
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
    Table table = table_of(all, values, how, followed);
    Json data = json_of_rows(table);
    return {.subject = "explain",
            .title = fmt::format("recipe {}: {}, in the order in which they are computed{}", how.recipe,
                                 operation.empty() ? "every value" : "the values of " + operation,
                                 followed ? ", with the numbers of " + followed->words : ""),
            .blocks = {std::move(table)},
            .data = std::move(data)};
}

Document explain_document(const Explanation& one, const std::vector<View>& values, const Presentation& how,
                          const std::optional<FollowedRow>& followed) {
    Document document = explain_document(std::vector{one}, "", values, how, followed);
    for (Column& column : std::get<Table>(document.blocks.front()).columns) {
        column.align = Align::hidden;
    }
    document.title = one.name + " " + to_string(one.shape);
    document.blocks.emplace_back(Text{one.meaning});
    Table facts = facts_of(one, how);
    if (find(values, one.name) != nullptr) {
        facts.rows.push_back({"values", values_of(one, numbers_of(values, one.name), how)});
    }
    if (const auto of_row = followed ? numbers_of_row(one, values, followed->row, how) : std::nullopt) {
        if (const std::string in_notes = symbol(how.glossary, one.name); !in_notes.empty()) {
            facts.rows.push_back({"notes", in_notes});
        }
        facts.rows.push_back({followed->words, first_of(*of_row, kFewNumbers, 6, ", …")});
    }
    document.blocks.emplace_back(std::move(facts));
    if (!one.mistakes.empty()) {
        document.blocks.emplace_back(mistakes_of(one));
    }
    return document;
}

}  // namespace byhand

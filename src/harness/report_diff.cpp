#include "harness/report_diff.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/report_columns.h"
#include "harness/report_fields.h"
#include "harness/report_number.h"
#include "harness/report_parts.h"
#include "harness/report_xml.h"
#include "harness/words.h"

namespace byhand {
namespace {

using report::number;

std::string note_of(const TensorResult& r, const Diff& diff) {
    if (r.verdict == Verdict::missing) {
        return "only in " + (r.note.empty() ? diff.a : r.note);
    }
    return r.note;
}

// "torch/dW1" is where dW1 is; the dump's sides have one name each before a slash.
std::string where(const TensorResult& r, const Presentation& how) {
    if (!r.worst) {
        return "";
    }
    const std::string bare = r.name.substr(r.name.find('/') == std::string::npos ? 0 : r.name.find('/') + 1);
    return in_words(bare, index_of(r.shape, r.worst->position), {how.network, how.characters, {}, {}});
}

std::string worst_index(const TensorResult& r) {
    return r.worst ? fmt::format("{}", fmt::join(index_of(r.shape, r.worst->position), ", ")) : "";
}

report::Row<8> row_of(const TensorResult& r, const Diff& diff, const Presentation& how) {
    const auto figure = [](const std::optional<double>& value) {
        return value ? fmt::format("{:.1e}", *value) : std::string("-");
    };
    report::Row<8> row{.cells = {r.name, to_string(r.shape), std::to_string(count(r.shape)),
                                 r.max_abs_diff ? (r.bit_equal ? "yes" : "no") : "-", figure(r.max_abs_diff),
                                 r.max_ulp ? std::to_string(*r.max_ulp) : "-", to_string(r.verdict), ""},
                       .escape = agrees(r.verdict) ? report::kGreen : report::kRed,
                       .rank = agrees(r.verdict) ? 2 : 1};
    if (!r.note.empty() || r.verdict == Verdict::missing) {
        row.cells[7] = note_of(r, diff);
    } else if (r.worst && !r.bit_equal) {
        row.cells[7] = fmt::format("{}: {:.9g} | {:.9g}", where(r, how), r.worst->manual, r.worst->torch);
    }
    return row;
}

std::size_t differing(const Diff& diff) {
    return static_cast<std::size_t>(
        std::ranges::count_if(diff.tensors, [](const TensorResult& r) { return !agrees(r.verdict); }));
}

}  // namespace

Diff diff(const std::string& a, const std::vector<View>& of_a, const std::string& b, const std::vector<View>& of_b,
          double limit) {
    Diff diff{a, b, limit, {}};
    const auto compare = [&](const std::string& name) {
        const View* first = find(of_a, name);
        const View* second = find(of_b, name);
        TensorResult result = compare_tensor(name, first, second, nullptr, std::array{limit}, AllZero::expected);
        if (result.verdict == Verdict::missing) {
            result.note = first != nullptr ? a : b;
        } else if (result.verdict == Verdict::shape && first->shape != second->shape) {
            result.note = to_string(first->shape) + " against " + to_string(second->shape);
        } else if (result.verdict == Verdict::undecided) {
            result.verdict = Verdict::within;  // the limit was typed in: whoever did knows what it says
        }
        diff.tensors.push_back(std::move(result));
    };
    for (const View& view : of_a) {
        compare(view.name);
    }
    for (const View& view : of_b) {
        if (find(of_a, view.name) == nullptr) {
            compare(view.name);
        }
    }
    return diff;
}

bool agree(const Diff& diff) {
    return differing(diff) == 0;
}

std::string diff_table(const Diff& diff, const Presentation& how) {
    constexpr report::Align L = report::Align::left, R = report::Align::right;
    report::Table<8> table(
        {"name", "shape", "count", "equal", "differ", "ULP", "verdict", "worst element: " + diff.a + " | " + diff.b},
        {L, L, R, R, R, R, L, L}, 6, how.colour);
    table.begin(fmt::format("{} against {}; limit {:g}", diff.a, diff.b, diff.limit));
    for (const TensorResult& r : diff.tensors) {
        if (how.shows(r.name)) {
            table.add(row_of(r, diff, how));
        }
    }
    const std::size_t wrong = differing(diff);
    return table.text() + (wrong == 0 ? fmt::format("\nthey agree: {} tensors\n", diff.tensors.size())
                                      : fmt::format("\nthey differ: {} of {} tensors\n", wrong, diff.tensors.size()));
}

std::string diff_json(const Diff& diff, const Presentation& how) {
    using Json = nlohmann::ordered_json;
    Json tensors = Json::array();
    for (const TensorResult& r : diff.tensors) {
        if (!how.shows(r.name)) {
            continue;
        }
        Json worst;
        if (r.worst) {
            worst = {{"index", index_of(r.shape, r.worst->position)},
                     {"where", where(r, how)},
                     {"a", number(r.worst->manual)},
                     {"b", number(r.worst->torch)}};
        }
        const std::string note = note_of(r, diff);
        tensors.push_back({{"name", r.name},
                           {"shape", r.shape},
                           {"count", count(r.shape)},
                           {"bit_equal", r.bit_equal},
                           {"max_abs_diff", number(r.max_abs_diff)},
                           {"max_ulp", r.max_ulp ? Json(*r.max_ulp) : Json()},
                           {"scale", number(r.scale)},
                           {"worst", worst},
                           {"note", note.empty() ? Json() : Json(note)},
                           {"verdict", to_string(r.verdict)}});
    }
    const Json json = {{"verdict", agree(diff) ? "agree" : "differ"},
                       {"a", diff.a},
                       {"b", diff.b},
                       {"limit", number(diff.limit)},
                       {"tensors", tensors}};
    return json.dump(1) + "\n";
}

std::string diff_csv(const Diff& diff, const Presentation& how) {
    constexpr std::array kHeader = {"name",    "shape", "count",       "bit_equal",   "max_abs_diff",
                                    "max_ulp", "scale", "worst_index", "worst_where", "worst_a",
                                    "worst_b", "note",  "verdict"};
    const auto field = [](const std::optional<double>& value) { return value ? fmt::format("{}", *value) : ""; };
    std::string text = report::csv_line(kHeader);
    for (const TensorResult& r : diff.tensors) {
        if (!how.shows(r.name)) {
            continue;
        }
        const std::optional<double> none;
        const std::array<std::string, kHeader.size()> fields = {
            r.name,
            fmt::format("{}", fmt::join(r.shape, " ")),
            std::to_string(count(r.shape)),
            r.max_abs_diff ? (r.bit_equal ? "true" : "false") : "",
            field(r.max_abs_diff),
            r.max_ulp ? std::to_string(*r.max_ulp) : "",
            field(r.scale),
            r.worst ? fmt::format("{}", fmt::join(index_of(r.shape, r.worst->position), " ")) : "",
            where(r, how),
            field(r.worst ? std::optional(r.worst->manual) : none),
            field(r.worst ? std::optional(r.worst->torch) : none),
            note_of(r, diff),
            to_string(r.verdict)};
        text += report::csv_line(fields);
    }
    return text;
}

std::string diff_junit(const Diff& diff, const Presentation& how) {
    std::vector<report::Case> cases;
    for (const TensorResult& r : diff.tensors) {
        if (!how.shows(r.name)) {
            continue;
        }
        report::Case one{"diff",
                         r.name,
                         agrees(r.verdict) ? report::Outcome::passed : report::Outcome::failed,
                         to_string(r.verdict),
                         to_string(r.verdict),
                         ""};
        const std::string note = note_of(r, diff);
        if (!note.empty()) {
            one.message += ": " + note;
        } else if (r.worst) {
            one.message += ": " + where(r, how);
            one.text = fmt::format("largest difference {}\nat [{}]: {} | {}\n", r.max_abs_diff.value_or(0),
                                   worst_index(r), r.worst->manual, r.worst->torch);
        }
        cases.push_back(std::move(one));
    }
    return report::junit({{diff.a + " against " + diff.b, "byhand.diff", {}, std::move(cases)}});
}

}  // namespace byhand

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "base/json.h"
#include "documents/phrases.h"
#include "report/writers.h"

namespace byhand::report {
namespace {

constexpr std::size_t kWidth = 77;  // a terminal's 80 columns, less an indent of two

template <class T>
std::string literal(T x) {
    constexpr T kPlain = 1e7F;  // whole numbers below are written out
    if (std::abs(x) < kPlain && x == std::trunc(x) && (x != 0 || !std::signbit(x))) {
        return fmt::format("{:.0f}", x);
    }
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), x);  // as many as make it x again
    const std::string text(digits.data(), end.ptr);
    return text + (text.find_first_of(".e") == std::string::npos ? ".0" : "") + (sizeof(T) == sizeof(float) ? "F" : "");
}

// Nested arrays of numbers in C++.
std::string code_of(const Json& value, bool in_double) {
    if (value.is_string()) {  // not finite: macros of <cmath>
        const auto name = value.get<std::string>();
        return name == "nan" ? "NAN" : name == "inf" ? "INFINITY" : "-INFINITY";
    }
    if (const double* const number = std::get_if<double>(&value.value())) {
        return in_double ? literal(*number) : literal(static_cast<float>(*number));
    }
    if (!value.is_array()) {
        return printed_json(value, 0);
    }
    std::vector<std::string> items;
    for (const Json& item : value) {
        items.push_back(code_of(item, in_double));
    }
    return fmt::format("{{{}}}", fmt::join(items, ", "));
}

template <class T>
Json nested(const Shape& shape, std::span<const T> numbers) {
    if (shape.empty()) {
        if constexpr (std::is_floating_point_v<T>) {
            return number(numbers.front());
        } else {
            return Json(numbers.front());
        }
    }
    const Shape inner(shape.begin() + 1, shape.end());
    const std::size_t stride = count(inner);
    Json all = Json::array();
    for (std::size_t i = 0; i < shape.front(); ++i) {
        all.push_back(nested(inner, numbers.subspan(i * stride, stride)));
    }
    return all;
}

// Of an input.
Json nested(const SmallestInput& input, const std::string& name) {
    const std::vector<View> views = input.values.views();
    const Shape& shape = find(views, name)->shape;
    return input.values.holds_indices(name) ? nested(shape, input.values.indices(name))
                                            : nested(shape, input.values[name]);
}

// "hprebn.1" is no name in C++.
std::string identifier(std::string name) {
    std::ranges::replace(name, '.', '_');
    return name;
}

std::string extents(const Shape& shape) {
    return shape.empty() ? "" : fmt::format("[{}]", fmt::join(shape, "]["));
}

// Broken between rows, or where one is wide after commas.
void add_wrapped(std::vector<std::string>& lines, std::string text) {
    while (text.size() > kWidth) {
        const std::size_t row = text.rfind("}, ", kWidth), comma = text.rfind(", ", kWidth);
        const std::size_t at = row != std::string::npos ? row + 1 : comma;
        if (at == std::string::npos || at < 8) {
            break;
        }
        lines.push_back(text.substr(0, at + 1));
        text = "    " + text.substr(at + 2);
    }
    lines.push_back(std::move(text));
}

std::string what_is_right(const SmallestInput& input) {
    const Trial& trial = input.made.trial;
    if (!trial.note.empty()) {
        return trial.note;
    }
    const Worst worst = trial.worst.value_or(Worst());
    const std::vector<std::size_t> index = index_of(input.shape, worst.position);
    const std::string element = identifier(input.makes) + extents(Shape(index.begin(), index.end()));
    if (trial.verdict == Verdict::unwritten) {
        return element + " is not written";
    }
    const int digits = trial.in_double ? 17 : 9;
    return fmt::format("{} {}, expected {}", element, significant(worst.ours, digits).shown,
                       significant(worst.right.value_or(0), digits).shown);
}

}  // namespace

bool is_small(const SmallestInput& input) {
    constexpr std::size_t kFewNumbers = 8, kFewLines = 7;
    return input.values.elements() <= kFewNumbers || (input.size.rows == 1 && as_code(input).size() <= kFewLines);
}

std::vector<std::string> as_code(const SmallestInput& input) {
    std::vector<std::string> lines = {
        fmt::format("the smallest input found that shows it, with {}{}:", plural(input.size.rows, "row"),
                    input.made.trial.in_double ? ", in double" : "")};
    const char* const type = input.made.trial.in_double ? "double" : "float";
    const std::vector<View> views = input.values.views();
    for (const std::string& name : input.reads) {
        const Shape& shape = find(views, name)->shape;
        const bool indices = input.values.holds_indices(name);
        add_wrapped(lines, fmt::format("const {} {}{} = {};", indices ? "std::int64_t" : type, identifier(name),
                                       extents(shape), code_of(nested(input, name), input.made.trial.in_double)));
    }
    const std::string comment = "// " + what_is_right(input);
    if (lines.size() > 1 && lines.back().size() + comment.size() + 2 <= kWidth) {
        lines.back() += "  " + comment;
    } else {
        lines.push_back(comment);
    }
    return lines;
}

Json json_of(const SmallestInput& input) {
    const Trial& trial = input.made.trial;
    Json values = Json::object();
    for (const std::string& name : input.reads) {
        values[name] = nested(input, name);
    }
    return {
        {"rows", input.size.rows},
        {"in_double", trial.in_double},
        {"values", std::move(values)},
        {"made",
         input.made.numbers.empty() ? Json() : nested(input.shape, std::span<const double>(input.made.numbers))},
        {"right", nested(input.shape, std::span<const double>(input.right))},
        {"index", trial.note.empty() ? Json(index_of(input.shape, trial.worst.value_or(Worst()).position)) : Json()},
        {"note", text_or_null(trial.note)},
        {"limit", number(trial.limit.value_or(0))}};
}

}  // namespace byhand::report

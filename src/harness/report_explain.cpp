#include "harness/report_explain.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <vector>

#include "base/json.h"
#include "harness/report_parts.h"
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
    std::string text =
        fmt::format("from {} to {}\n             mean {:.3g}, deviation {:.3g}", element(range.least, range.least_at),
                    element(range.most, range.most_at), range.mean, range.deviation);
    if (range.zeros > 0) {
        text += fmt::format(", {} of {} are 0", range.zeros, range.count);
    }
    return text +
           fmt::format("\n             {:.6g}{}", fmt::join(first_values(view), ", "), range.count > 6 ? ", …" : "");
}

std::string joined(const std::vector<std::string>& names, const char* none) {
    return names.empty() ? none : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string explain_list(const std::vector<Explanation>& all) {
    const auto width = [&all](auto text_of) {
        std::size_t widest = 0;
        for (const Explanation& one : all) {
            widest = std::max(widest, text_of(one).size());
        }
        return widest;
    };
    const std::size_t names = width([](const Explanation& one) { return one.name; });
    const std::size_t shapes = width([](const Explanation& one) { return to_string(one.shape); });
    const std::size_t reads =
        width([](const Explanation& one) { return fmt::format("{}", fmt::join(one.reads, ", ")); });
    std::string text;
    for (const Explanation& one : all) {
        const bool given = one.function.empty();
        text += fmt::format("{:<{}}  {:<{}}  {} {:<{}}  {}\n", one.name, names, to_string(one.shape), shapes,
                            given ? "·" : "←", joined(one.reads, ""), reads, given ? "given" : one.function);
    }
    return text;
}

std::string explain_one(const Explanation& explanation, const View* values, const Presentation& how) {
    std::string text =
        fmt::format("{} {}\n{}\n\n", explanation.name, to_string(explanation.shape), explanation.meaning);
    const SourceLine source = report::source_line(how, explanation.function);
    const auto line = [&text](const char* what, const std::string& said) {
        text += fmt::format("  {:<9}  {}\n", what, said);
    };
    if (explanation.function.empty()) {
        line("given", "no step makes it");
    } else {
        line("formula", source.formula);
        line("function", explanation.function + (source.place.empty() ? "" : ", " + source.place));
        line("reads", joined(explanation.reads, "nothing"));
    }
    line("read by", joined(explanation.read_by, "nobody"));
    if (values != nullptr) {
        line("values", values_of(explanation, *values, how));
    }
    if (!explanation.mistakes.empty()) {
        text += "\nWhat people get wrong here (byhand compare --plant NAME shows how it is found):\n";
    }
    for (const Mistake* mistake : explanation.mistakes) {
        text += fmt::format("  {}: {}\n", mistake->name, mistake->what);
    }
    return text;
}

std::string explain_json(const std::vector<Explanation>& all, const std::vector<View>& values,
                         const Presentation& how) {
    Json json = Json::array();
    for (const Explanation& one : all) {
        const SourceLine source = report::source_line(how, one.function);
        const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
        Json entry = {{"name", one.name},
                      {"meaning", one.meaning},
                      {"shape", one.shape},
                      {"function", text_or_null(one.function)},
                      {"file_line", text_or_null(source.place)},
                      {"formula", text_or_null(source.formula)},
                      {"reads", one.reads},
                      {"read_by", one.read_by},
                      {"values", nullptr},
                      {"mistakes", Json::array()}};
        if (const View* view = find(values, one.name); view != nullptr && byhand::count(view->shape) > 0) {
            const Range range = range_of(*view);
            entry["values"] = {{"least", number(range.least)},
                               {"most", number(range.most)},
                               {"mean", number(range.mean)},
                               {"deviation", number(range.deviation)},
                               {"zeros", range.zeros}};
        }
        for (const Mistake* mistake : one.mistakes) {
            entry["mistakes"].push_back(mistake->name);
        }
        json.push_back(std::move(entry));
    }
    return printed_json(json, 1) + "\n";
}

}  // namespace byhand

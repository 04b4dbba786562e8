#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "harness/report.h"
#include "harness/report_parts.h"
#include "report/csv_line.h"

namespace byhand {
namespace {

constexpr std::array kHeader = {"step",
                                "model",
                                "witness",
                                "name",
                                "shape",
                                "count",
                                "bit_equal",
                                "max_abs_diff",
                                "max_ulp",
                                "error_manual",
                                "error_torch",
                                "error_manual_ulp",
                                "error_torch_ulp",
                                "scale",
                                "limit",
                                "used",
                                "torch_further_off",
                                "worst_index",
                                "worst_where",
                                "worst_manual",
                                "worst_torch",
                                "worst_oracle",
                                "role",
                                "note",
                                "verdict"};

std::string number(const std::optional<double>& value) {
    return value ? fmt::format("{}", *value) : "";
}

std::string yes_or_no(bool yes) {
    return yes ? "true" : "false";
}

}  // namespace

std::string to_csv(const Presentation& how, const std::vector<ComparedStep>& steps) {
    std::string text = report::csv_line(kHeader);
    for (const ComparedStep& step : steps) {
        const Wording wording = report::wording(how, step);
        for (const auto& [model, against, value, r] : findings(step)) {
            if (!how.shows(value.name)) {
                continue;
            }
            const auto worst = r.worst.value_or(Worst());
            const std::array<std::string, kHeader.size()> fields = {
                std::to_string(step.step),
                model.model,
                to_string(against),
                value.name,
                fmt::format("{}", fmt::join(r.shape, " ")),
                std::to_string(count(r.shape)),
                r.difference ? yes_or_no(r.bit_equal) : "",
                number(r.difference),
                r.ulp ? std::to_string(*r.ulp) : "",
                number(r.error),
                number(r.reference_error),
                number(report::in_ulp(r.error, r.scale)),
                number(report::in_ulp(r.reference_error, r.scale)),
                number(r.scale),
                number(r.limit),
                number(r.used),
                r.reference_error ? yes_or_no(r.reference_further_off) : "",
                r.worst ? fmt::format("{}", fmt::join(index_of(r.shape, worst.position), " ")) : "",
                report::where(value.name, r, wording),
                r.worst ? number(worst.ours) : "",
                number(worst.reference),
                number(worst.right),
                to_string(value.role),
                r.note,
                to_string(r.verdict)};
            text += report::csv_line(fields);
        }
    }
    return text;
}

}  // namespace byhand

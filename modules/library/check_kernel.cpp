#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/narrow.h"
#include "foreign/kernel_function.h"
#include "foreign/subprocess.h"
#include "library/kernel_check.h"
#include "report/writers.h"

namespace byhand {
namespace {

// "x, gain"
std::string listed(const std::vector<std::string>& names) {
    return fmt::format("{}", fmt::join(names, ", "));
}

void check_known(const char* option, const std::string& name, const std::vector<std::string>& known) {
    if (std::ranges::find(known, name) == known.end()) {
        throw std::invalid_argument(std::string(option) + ": there is no " + name + " among " + listed(known));
    }
}

// Whether integers of this many bits, signed or unsigned, hold the range (first, last).
bool holds(std::size_t bits, std::pair<std::int64_t, std::int64_t> range) {
    return bits >= 64 || (range.first >= -(std::int64_t{1} << (bits - 1)) && range.second < std::int64_t{1} << bits);
}

}  // namespace

KernelCheck::KernelCheck(const Kernel& kernel, const Expected& expected)
    : kernel_(kernel), expected_(expected), reads_(expected.reads_), shapes_(expected.cases_) {
    const bool gradients = expected.what_ == Expected::What::gradients;
    if (gradients) {
        for (const std::size_t input : expected.wrt_) {
            makes_.push_back("d" + expected.inputs_[input]);
        }
    } else {
        makes_ = {"y"};
    }
    if (reads_.empty()) {
        reads_ = expected.inputs_;
        if (gradients) {
            reads_.insert(reads_.begin(), "dy");
        }
    }
    if (kernel.results != makes_.size()) {
        refuse("has " + plural(kernel.results, "result") + ", but " + std::to_string(makes_.size()) +
               " expected: " + listed(makes_) + (gradients ? "; choose them with wrt()" : ""));
    }
    check_names();
    if (kernel.inputs != parameters().size()) {
        refuse("has " + plural(kernel.inputs, "input") + ", but " + std::to_string(parameters().size()) +
               " expected: " + listed(parameters()) + "; name them with reads()");
    }
    if (expected.cases_.empty()) {
        refuse("is given no shapes: add some with shapes()");
    }
    if (expected.two_threads_ && !expected.subprocess_) {
        refuse("is called from two threads in a subprocess only: leave in_this_process() out");
    }
    for (const KernelFunction& function : kernel.functions) {
        check_integers(function);
        if (function.type) {
            functions_.push_back(&function);
        }
    }
    if (functions_.empty()) {
        refuse("has no function on numbers");
    }
}

void KernelCheck::refuse(const std::string& why) const {
    throw std::invalid_argument(name_and_place(kernel_.named) + " " + why);
}

// Every name that an option gives is one of those it may give.
void KernelCheck::check_names() const {
    std::vector<std::string> in_range = expected_.inputs_;
    in_range.emplace_back("dy");
    for (const auto& [name, range] : expected_.integers_) {
        check_known("integers()", name, expected_.inputs_);
    }
    for (const auto& [name, range] : expected_.ranges_) {
        check_known("range()", name, in_range);
    }
    for (const auto& [name, evaluate] : expected_.with_) {
        check_known("with()", name, reads_);
    }
    for (const std::string& name : reads_) {
        const bool is_made =
            name == "y" || (name == "dy" && expected_.what_ == Expected::What::gradients) ||
            std::ranges::find(expected_.with_, name, &std::pair<std::string, Evaluate>::first) != expected_.with_.end();
        if (!is_made && std::ranges::find(expected_.inputs_, name) == expected_.inputs_.end()) {
            refuse("reads " + name + ", which is neither an input of the reference (" + listed(expected_.inputs_) +
                   ") nor dy, y or added by with()");
        }
    }
    if (!expected_.in_place_.empty()) {
        check_known("in_place()", expected_.in_place_, reads_);
    }
    if (!expected_.may_alias_.empty()) {
        check_known("may_alias()", expected_.may_alias_, parameters());
    }
}

std::vector<std::string> KernelCheck::parameters() const {
    std::vector<std::string> names = reads_;
    std::erase(names, expected_.in_place_);
    return names;
}

// The function takes as integers what integers() names, and its types hold the ranges.
void KernelCheck::check_integers(const KernelFunction& function) const {
    const std::vector<std::string> names = parameters();
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto range = expected_.integers_.find(names[i]);
        const std::size_t bits = is_integer(function.inputs[i]) ? 8 * size_of(function.inputs[i]) : 0;
        if ((bits > 0) != (range != expected_.integers_.end())) {
            refuse("takes " + names[i] +
                   (bits > 0 ? " as integers: give their range with integers()" : " as numbers, but it has integers"));
        }
        if (bits > 0 && !holds(bits, range->second)) {
            refuse("takes " + names[i] + " as integers of " + std::to_string(bits) + " bits, which do not hold " +
                   std::to_string(range->second.first) + " to " + std::to_string(range->second.second));
        }
    }
}

std::vector<std::size_t> KernelCheck::sizes_of(const std::vector<Shape>& inputs) const {
    return expected_.sizes_ ? expected_.sizes_(inputs) : inputs.front();
}

void KernelCheck::add_runs(std::size_t shapes, const std::vector<Evaluation>& evaluations) {
    const std::vector<std::size_t> sizes = sizes_of(shapes_[shapes]);
    if (sizes.size() != kernel_.sizes) {
        refuse("takes " + plural(kernel_.sizes, "size") + ", but is given " + std::to_string(sizes.size()) +
               (expected_.sizes_ ? " by sizes()" : ", the extents of the first input: set sizes()"));
    }
    const auto place_in_reads = [&](const std::string& name) -> std::optional<std::size_t> {
        const auto place = std::ranges::find(reads_, name);
        return place == reads_.end() ? std::nullopt : std::optional(static_cast<std::size_t>(place - reads_.begin()));
    };
    std::vector<Run>& runs = runs_.emplace_back();
    for (std::size_t f = 0; f < functions_.size(); ++f) {
        const Tensors<double>& values = evaluations[f].values;
        const std::vector<View> views = values.views();
        KernelCall call{.results = {}, .reads = {}, .sizes = sizes};
        for (const std::string& name : makes_) {
            call.results.push_back(find_sampled(evaluations[f].right, name).exact.shape);
        }
        for (const std::string& name : reads_) {
            call.reads.push_back(find(views, name)->shape);
        }
        const auto add = [&](std::optional<std::size_t> in_place, bool is_parameter) {
            if (in_place && (call.reads[*in_place] != call.results[0] || values.holds_indices(reads_[*in_place]))) {
                refuse("computes " + to_string(call.results[0]) + " in place of " + reads_[*in_place] + ", which " +
                       (call.reads[*in_place] != call.results[0] ? "is " + to_string(call.reads[*in_place])
                                                                 : "has integers"));
            }
            call.in_place = in_place;
            call.is_parameter = is_parameter;
            for (call.result = 0; call.result < makes_.size(); ++call.result) {
                runs.push_back(
                    {f, kernel_step(kernel_, *functions_[f], call, makes_[call.result], reads_), is_parameter});
            }
        };
        add(place_in_reads(expected_.in_place_), false);
        if (!expected_.may_alias_.empty()) {
            add(place_in_reads(expected_.may_alias_), true);
        }
    }
}

// "1, 2, 6, 8, 64, 65 and 2053 for 7; …"
std::string KernelCheck::neighbours() const {
    std::vector<std::string> texts;
    for (const auto& [extent, to] : neighbours_) {
        const std::string last = fmt::format("{} for {}", to.back(), extent.second);
        texts.push_back(to.size() == 1 ? last
                                       : fmt::format("{} and {}", fmt::join(to.begin(), to.end() - 1, ", "), last));
    }
    return fmt::format("{}", fmt::join(texts, "; "));
}

Report KernelCheck::run() {
    for (std::size_t shapes = 0; shapes < expected_.cases_.size(); ++shapes) {
        add_cases(shapes);
    }
    if (expected_.neighbours_) {
        add_neighbours();
    }
    const std::vector<Call<float>> in_float = calls<float>();
    const std::vector<Call<double>> in_double = calls<double>();
    CallConfig config{.subprocess = expected_.subprocess_ ? run_calls_in_subprocess : nullptr,
                      .threads = expected_.two_threads_,
                      .in_a_row = expected_.subprocess_};
    config.limits.timeout = expected_.timeout_;
    config.limits.option = "timeout()";
    config.limits.advice = [] { return "; -fsanitize=address shows the line"; };
    const ResultsOfBoth results = config.subprocess != nullptr
                                      ? run_calls_in_subprocess(in_float, in_double, config)
                                      : ResultsOfBoth{run_calls(in_float, config), run_calls(in_double, config)};
    return report_of(kernel_.named.name, place_of(kernel_.named), checked_in_both(results), neighbours());
}

Report check(const Kernel& kernel, const Expected& expected) {
    return KernelCheck(kernel, expected).run();
}

}  // namespace byhand

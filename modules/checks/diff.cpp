#include "checks/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/narrow.h"
#include "base/utf8.h"

namespace byhand {
namespace {

// The names of A by which B's are looked up.
class Renamings {
public:
    explicit Renamings(const std::vector<Renaming>& all) {
        for (const Renaming& one : all) {
            try {
                all_.emplace_back(one, std::regex(one.of_a));
            } catch (const std::regex_error& error) {
                throw InputError("--rename: " + excerpt(one.of_a, 100) +
                                 " is not a regular expression: " + error.what());
            }
        }
    }

    std::string in_b(const std::string& name) const {
        for (const auto& [renaming, pattern] : all_) {
            if (renaming.of_a == name) {
                return renaming.of_b;
            }
            if (std::smatch match; std::regex_match(name, match, pattern)) {
                return match.format(renaming.of_b);
            }
        }
        return name;
    }

private:
    std::vector<std::pair<Renaming, std::regex>> all_;
};

DiffedTensor only_in(const TensorSource& source, const std::string& file) {
    DiffedTensor result;
    result.name = source.name;
    result.type = source.type;
    result.shape = source.shape;
    result.note = "only in " + file;
    return result;
}

// Why two tensors of one name can't be compared; empty if they can.
std::string mismatch_of(const TensorSource& a, const TensorSource& b) {
    for (const auto& [source, file] : {std::pair{&a, "A"}, {&b, "B"}}) {
        if (!source->fault.empty()) {
            return source->fault;
        }
        if (!source->dtype) {
            return fmt::format("{} in {} can't be read; convert it", excerpt(source->type, 40), file);
        }
    }
    if (a.shape != b.shape) {
        return to_string(a.shape) + " in A, " + to_string(b.shape) + " in B";
    }
    return is_integer(*a.dtype) != is_integer(*b.dtype) ? a.type + " in A, " + b.type + " in B" : "";
}

// In the order of computation.
std::vector<const TensorSource*> in_order(const std::vector<TensorSource>& sources,
                                          const std::vector<std::string>& order) {
    std::map<std::string_view, std::size_t> places;
    for (const std::string& name : order) {
        places.emplace(name, places.size());
    }
    std::vector<const TensorSource*> all;
    std::ranges::transform(sources, std::back_inserter(all), [](const TensorSource& one) { return &one; });
    std::ranges::stable_sort(all, {}, [&](const TensorSource* one) {
        const auto place = places.find(one->name);
        return place == places.end() ? order.size() : place->second;
    });
    return all;
}

}  // namespace

Diff diff(const std::string& a, const TensorSources& of_a, const std::string& b, const TensorSources& of_b,
          const DiffConfig& config) {
    Diff diff{.a = a, .b = b, .limit = config.limit};
    const Renamings renamings(config.renamings);
    std::map<std::string_view, const TensorSource*> in_b;  // files of other people may hold many thousands
    for (const TensorSource& source : of_b.tensors) {
        in_b.emplace(source.name, &source);
    }
    std::map<std::string, std::string> taken;  // names of B, and of A
    std::vector<const TensorSource*> only_in_a, only_in_b;
    const bool are_single = of_a.tensors.size() == 1 && of_b.tensors.size() == 1;
    for (const TensorSource* const source : in_order(of_a.tensors, config.order)) {
        // Two files of one tensor each, as of .npy, are compared whatever it is called.
        const std::string name = are_single ? of_b.tensors[0].name : renamings.in_b(source->name);
        const auto other = in_b.find(name);
        if (other == in_b.end()) {
            diff.tensors.push_back(only_in(*source, "A"));
            only_in_a.push_back(source);
            continue;
        }
        if (const auto [place, is_new] = taken.emplace(name, source->name); !is_new) {
            throw InputError(
                fmt::format("--rename: {} and {} in A are both {} in B", place->second, source->name, name));
        }
        const bool turned = config.transposes != nullptr && config.transposes(source->name);
        const TensorSource its = turned ? transposed(*other->second) : *other->second;
        const std::string why = mismatch_of(*source, its);
        if (why.empty()) {
            diff.tensors.push_back(compared(*source, its, config));
            continue;
        }
        DiffedTensor& tensor = diff.tensors.emplace_back(only_in(*source, ""));
        const bool are_read = source->dtype && its.dtype && source->fault.empty() && its.fault.empty();
        tensor.verdict = are_read ? Verdict::shape : Verdict::missing;
        tensor.note = why;
        if (tensor.verdict == Verdict::shape && source->shape != its.shape) {
            only_in_a.push_back(source);
            only_in_b.push_back(other->second);
        }
    }
    for (const TensorSource& source : of_b.tensors) {
        if (!taken.contains(source.name)) {
            diff.tensors.push_back(only_in(source, "B"));
            only_in_b.push_back(&source);
        }
    }
    diff.proposals = proposals(only_in_a, only_in_b);
    return diff;
}

std::size_t differing(const Diff& diff) {
    return static_cast<std::size_t>(
        std::ranges::count_if(diff.tensors, [](const DiffedTensor& tensor) { return !agrees(tensor.verdict); }));
}

bool agree(const Diff& diff) {
    return differing(diff) == 0;
}

const DiffedTensor* first_divergence(const Diff& diff) {
    const auto found = std::ranges::find_if(diff.tensors, [](const DiffedTensor& tensor) {
        return tensor.verdict == Verdict::mismatch || tensor.verdict == Verdict::non_finite;
    });
    return found != diff.tensors.end() ? &*found : nullptr;
}

std::pair<const DiffedTensor*, double> first_jump(const Diff& diff) {
    constexpr double kLeast = 30;
    double before = 1;  // the errors of one rounding
    for (const DiffedTensor& tensor : diff.tensors) {
        const double roundings = tensor.roundings.value_or(0);
        if (roundings > kLeast * before) {
            return {&tensor, roundings / before};
        }
        before = std::max(before, roundings);
    }
    return {nullptr, 0};
}

DiffLimit diff_limit(const std::string& text) {
    DiffLimit limit;
    const auto refuse = [&] {
        throw InputError(
            "--limit: \"" + excerpt(text, 60) +
            "\" is not a limit; give a number for an absolute one, 1e-5rel for one relative to the largest "
            "magnitude of a tensor, 4ulp, or several with + between them");
    };
    const char* at = text.data();
    const char* const end = at + text.size();
    do {
        double number = 0;
        const auto [after, error] = std::from_chars(at, end, number);
        const bool is_limit = error == std::errc() && number >= 0 && number <= 1e300;  // not NaN
        if (!is_limit) {
            refuse();
        }
        const char* const next = std::find(after, end, '+');
        const std::string_view unit(after, next);
        (unit.empty() ? limit.absolute : unit == "rel" ? limit.relative : limit.ulp) += number;
        if (!unit.empty() && unit != "rel" && unit != "ulp") {
            refuse();
        }
        at = next == end ? end : next + 1;
        if (next != end && at == end) {
            refuse();
        }
    } while (at != end);
    return limit;
}

std::string to_string(const DiffLimit& limit) {
    std::string text;
    for (const auto& [number, unit] : {std::pair{limit.absolute, ""}, {limit.relative, "rel"}, {limit.ulp, "ulp"}}) {
        if (number > 0) {
            text += fmt::format("{}{}{}", text.empty() ? "" : "+", number, unit);
        }
    }
    return text.empty() ? "0" : text;
}

}  // namespace byhand

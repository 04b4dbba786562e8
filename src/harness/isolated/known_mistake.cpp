#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "harness/isolated/diagnose.h"
#include "harness/isolated/hints.h"

namespace byhand {
namespace {

using Change = std::function<void(const std::string& name, std::vector<float>& read)>;

// The step's result on these values, changed by `change`. None if it reads a value that is missing.
std::optional<std::vector<double>> made_by(const Step& step, const Tensors<double>& values, const Change& change = {}) {
    if (!std::ranges::all_of(step.reads, [&](const std::string& name) { return values.contains(name); })) {
        return std::nullopt;
    }
    const auto operand = [&](const std::string& name, std::span<const double> doubles) {
        std::vector<float> numbers(doubles.begin(), doubles.end());
        if (change) {
            change(name, numbers);
        }
        return numbers;
    };
    const std::vector<float> made = result_on<float>(step, values, operand);
    return std::vector<double>(made.begin(), made.end());
}

// Whether these wrong numbers explain ours: they agree within rounding, and are not the right ones.
bool accounts_for(const std::optional<std::vector<double>>& made, const Evidence& evidence) {
    const std::vector<double>& exact = evidence.input.exact;
    if (!made || !explains(*made, evidence.ours, exact, evidence.limits)) {
        return false;
    }
    for (std::size_t i = 0; i < made->size(); ++i) {
        if (std::abs((*made)[i] - exact[i]) > evidence.limits[i]) {
            return true;
        }
    }
    return false;
}

struct Alteration {
    std::string hint;
    std::function<void(std::vector<float>&)> change;
};

// Possible alterations of an input with this name and shape.
std::vector<Alteration> alterations(const std::string& name, const Shape& shape) {
    std::vector<Alteration> all;
    const std::size_t rows = shape.empty() ? 1 : shape.front(), columns = shape.size() < 2 ? 1 : shape.back();
    const auto zero_where = [](auto is_zero) {
        return [is_zero](std::vector<float>& numbers) {
            for (std::size_t i = 0; i < numbers.size(); ++i) {
                numbers[i] = is_zero(i) ? 0 : numbers[i];
            }
        };
    };
    const auto leave_out = [&](const std::string& what, auto is_out) {
        all.push_back({what + " " + name + " is left out", zero_where(is_out)});
    };
    const auto keep_only = [&](const std::string& what, auto is_kept) {
        all.push_back({"only " + what + " " + name + " is counted",
                       zero_where([is_kept](std::size_t i) { return !is_kept(i); })});
    };
    const auto at_ends = [&](const std::string& what, std::size_t lines, auto line) {
        const auto is_last = [=](std::size_t i) { return line(i) == lines - 1; };
        const auto is_first = [=](std::size_t i) { return line(i) == 0; };
        if (lines > 1) {
            leave_out("the last " + what + " of", is_last);
            leave_out("the first " + what + " of", is_first);
            keep_only("the last " + what + " of", is_last);
            keep_only("the first " + what + " of", is_first);
        }
    };
    at_ends("row", rows, [rows, all = count(shape)](std::size_t i) { return i / (all / rows); });
    at_ends("column", columns, [columns](std::size_t i) { return i % columns; });
    if (name.starts_with('d')) {  // a gradient, of which the step may add up several
        leave_out("the path through", [](std::size_t) { return true; });
    }
    all.push_back({"the right step makes these numbers of −" + name, [](std::vector<float>& numbers) {
                       std::ranges::transform(numbers, numbers.begin(), std::negate<>());
                   }});
    return all;
}

}  // namespace

const Mistake* known_mistake(const std::string& makes, const std::vector<Evidence>& all, KnownMistakes mistakes) {
    const Mistake* nearest = nullptr;
    double least = std::numeric_limits<double>::infinity();
    for (const Mistake& mistake : mistakes) {
        const auto made_of = [&](const Evidence& evidence) -> std::optional<std::vector<double>> {
            Graph network = evidence.right;
            const std::vector<std::string> culprits = mistake.plant(network);
            const Step* step = find_step(network, makes);
            return std::ranges::find(culprits, makes) != culprits.end() && step != nullptr
                       ? made_by(*step, *evidence.input.values)
                       : std::nullopt;
        };
        if (!std::ranges::all_of(all, [&](const Evidence& one) { return accounts_for(made_of(one), one); })) {
            continue;
        }
        const std::vector<double> made = made_of(all.front()).value();
        double distance = 0;
        for (std::size_t i = 0; i < made.size(); ++i) {
            distance += (all.front().ours[i] - made[i]) * (all.front().ours[i] - made[i]);
        }
        if (distance < least) {
            least = distance;
            nearest = &mistake;
        }
    }
    return nearest;
}

namespace {

// The right step's result on the inputs of which this one is altered as the hint says. None if it can't be.
std::optional<std::vector<double>> made_of_altered(const std::string& makes, const std::string& altered,
                                                   const std::string& hint, const Evidence& evidence) {
    const Step* step = find_step(evidence.right, makes);
    const std::vector<View> views = evidence.input.values->views();
    const View* read = find(views, altered);
    if (step == nullptr || read == nullptr) {
        return std::nullopt;
    }
    const std::vector<Alteration> all = alterations(altered, read->shape);
    const auto alteration = std::ranges::find(all, hint, &Alteration::hint);
    if (alteration == all.end()) {
        return std::nullopt;
    }
    return made_by(*step, *evidence.input.values, [&](const std::string& name, std::vector<float>& numbers) {
        if (name == altered) {
            alteration->change(numbers);
        }
    });
}

}  // namespace

std::string altered_read(const std::string& makes, const std::vector<Evidence>& all) {
    const Step* right = find_step(all.front().right, makes);
    const std::vector<View> views = all.front().input.values->views();
    for (const std::string& altered : right != nullptr ? right->reads : std::vector<std::string>()) {
        const View* read = find(views, altered);
        if (read == nullptr || read->dtype == DType::int64) {
            continue;
        }
        for (const Alteration& alteration : alterations(altered, read->shape)) {
            if (std::ranges::all_of(all, [&](const Evidence& one) {
                    return accounts_for(made_of_altered(makes, altered, alteration.hint, one), one);
                })) {
                return alteration.hint;
            }
        }
    }
    return "";
}

void name_mistake(Trial& trial, const std::string& makes, const std::vector<Evidence>& all, KnownMistakes mistakes) {
    trial.mistake = known_mistake(makes, all, mistakes);
    if (trial.mistake == nullptr && trial.hint.empty()) {
        trial.hint = altered_read(makes, all);
    } else if (trial.mistake != nullptr && trial.hint == kAllZero) {
        trial.hint.clear();  // the mistake says why
    }
}

}  // namespace byhand

#include "harness/isolated/known_mistake.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "harness/faults/mistakes.h"
#include "harness/isolated/hints.h"

namespace byhand {
namespace {

using Change = std::function<void(const std::string& name, std::vector<float>& read)>;

// The step's result on these values, changed by `change`. None if it reads a value that is missing.
std::optional<std::vector<double>> made_by(const Step& step, const Values& values, const Change& change = {}) {
    if (!std::ranges::all_of(step.reads, [&](const std::string& name) { return values.contains(name); })) {
        return std::nullopt;
    }
    std::deque<std::vector<float>> read;  // copies: the step may overwrite them
    std::vector<float> made(count(step.shape));
    execute(step, made.data(), [&](const std::string& name) -> Operand<float> {
        if (values.holds_indices(name)) {
            return values.indices(name).data();
        }
        const std::vector<double>& doubles = values.numbers(name);
        std::vector<float>& numbers = read.emplace_back(doubles.begin(), doubles.end());
        if (change) {
            change(name, numbers);
        }
        return numbers.data();
    });
    return std::vector<double>(made.begin(), made.end());
}

// Whether these wrong numbers explain ours: they agree within rounding, and are not the right ones.
bool accounts_for(const std::vector<double>& made, std::span<const double> ours, const std::vector<double>& exact,
                  std::span<const double> limits) {
    if (!explains(made, ours, exact, limits)) {
        return false;
    }
    for (std::size_t i = 0; i < made.size(); ++i) {
        if (std::abs(made[i] - exact[i]) > limits[i]) {
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
    const auto leave_out = [&](const std::string& what, auto is_out) {
        all.push_back({"the " + what + " of " + name + " is left out", [is_out](std::vector<float>& numbers) {
                           for (std::size_t i = 0; i < numbers.size(); ++i) {
                               numbers[i] = is_out(i) ? 0 : numbers[i];
                           }
                       }});
    };
    if (rows > 1) {
        const std::size_t width = count(shape) / rows;
        leave_out("last row", [=](std::size_t i) { return i / width == rows - 1; });
        leave_out("first row", [=](std::size_t i) { return i / width == 0; });
    }
    if (columns > 1) {
        leave_out("last column", [=](std::size_t i) { return i % columns == columns - 1; });
        leave_out("first column", [=](std::size_t i) { return i % columns == 0; });
    }
    all.push_back({"the right step makes these numbers of −" + name, [](std::vector<float>& numbers) {
                       std::ranges::transform(numbers, numbers.begin(), std::negate<>());
                   }});
    return all;
}

}  // namespace

std::string known_mistake(const Graph& right, const std::string& makes, const StepInput& input,
                          std::span<const double> ours, std::span<const double> limits) {
    std::string nearest;
    double least = std::numeric_limits<double>::infinity();
    for (const Mistake& mistake : mistakes()) {
        Graph network = right;
        const std::vector<std::string> culprits = mistake.plant(network, {});
        const Step* step = find_step(network, makes);
        if (std::ranges::find(culprits, makes) == culprits.end() || step == nullptr) {
            continue;
        }
        const std::optional<std::vector<double>> made = made_by(*step, *input.values);
        if (!made || !accounts_for(*made, ours, input.exact, limits)) {
            continue;
        }
        double distance = 0;
        for (std::size_t i = 0; i < ours.size(); ++i) {
            distance += (ours[i] - (*made)[i]) * (ours[i] - (*made)[i]);
        }
        if (distance < least) {
            least = distance;
            nearest = mistake.name;
        }
    }
    return nearest;
}

std::string altered_read(const Step& right, const StepInput& input, std::span<const double> ours,
                         std::span<const double> limits) {
    const std::vector<View> views = input.values->views();
    for (const std::string& altered : right.reads) {
        const View* read = find(views, altered);
        if (read == nullptr || read->dtype == DType::int64) {
            continue;
        }
        for (const Alteration& alteration : alterations(altered, read->shape)) {
            const auto made = made_by(right, *input.values, [&](const std::string& name, std::vector<float>& numbers) {
                if (name == altered) {
                    alteration.change(numbers);
                }
            });
            if (made && accounts_for(*made, ours, input.exact, limits)) {
                return alteration.hint;
            }
        }
    }
    return "";
}

void name_mistake(Trial& trial, const Graph& right, const std::string& makes, const StepInput& input,
                  std::span<const double> ours, std::span<const double> limits) {
    trial.mistake = known_mistake(right, makes, input, ours, limits);
    if (const Step* step = find_step(right, makes); step != nullptr && trial.mistake.empty() && trial.hint.empty()) {
        trial.hint = altered_read(*step, input, ours, limits);
    }
}

}  // namespace byhand

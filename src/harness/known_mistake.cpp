#include "harness/known_mistake.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "harness/hints.h"
#include "harness/mistakes.h"

namespace byhand {
namespace {

// What the step makes of these values, which it may write over. Nothing where it reads another.
std::optional<std::vector<double>> made_by(const Step& step, const Values& values) {
    if (!std::ranges::all_of(step.reads, [&](const std::string& name) { return values.contains(name); })) {
        return std::nullopt;
    }
    std::deque<std::vector<float>> read;
    std::vector<float> made(count(step.shape));
    execute(step, made.data(), [&](const std::string& name) -> Operand<float> {
        if (values.holds_indices(name)) {
            return values.indices(name).data();
        }
        const std::vector<double>& numbers = values.numbers(name);
        return read.emplace_back(numbers.begin(), numbers.end()).data();
    });
    return std::vector<double>(made.begin(), made.end());
}

}  // namespace

std::string known_mistake(const Graph& right, const std::string& makes, const Question& question,
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
        const std::optional<std::vector<double>> made = made_by(*step, *question.values);
        if (!made || !explains(*made, ours, question.answer, limits)) {
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

}  // namespace byhand

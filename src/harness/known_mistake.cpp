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
std::optional<std::vector<double>> made_by(const Step<float>& step, const Values& values) {
    std::deque<std::vector<float>> read;
    std::vector<Operand<float>> operands;
    for (const std::string& name : step.reads) {
        if (!values.contains(name)) {
            return std::nullopt;
        }
        if (values.holds_indices(name)) {
            operands.emplace_back(values.indices(name).data());
        } else {
            operands.emplace_back(static_cast<const float*>(read.emplace_back(values.numbers(name)).data()));
        }
    }
    std::vector<float> made(count(step.shape));
    step.run(made.data(), operands);
    return std::vector<double>(made.begin(), made.end());
}

}  // namespace

std::string known_mistake(const StepNetwork<float>& right, const std::string& makes, const Question& question,
                          std::span<const double> ours, std::span<const double> limits) {
    std::string nearest;
    double least = std::numeric_limits<double>::infinity();
    for (const Mistake& mistake : mistakes()) {
        StepNetwork<float> network = right;
        const std::vector<std::string> culprits = mistake.plant(network, {});
        const std::vector<const Step<float>*> steps = all_steps(network);
        const auto step = std::ranges::find(steps, makes, &Step<float>::makes);
        if (std::ranges::find(culprits, makes) == culprits.end() || step == steps.end()) {
            continue;
        }
        const std::optional<std::vector<double>> made = made_by(**step, *question.values);
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

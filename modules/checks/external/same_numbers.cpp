#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string>

#include "checks/external/external.h"
#include "checks/external/judge_external.h"
#include "harness/isolated/hints.h"
#include "steps/runner.h"

namespace byhand {
namespace {

// An external value, the right one and its limits.
struct ExternalNumbers {
    std::string name;
    std::vector<double> ours, exact;
    const std::vector<double>* limits;
    bool off = false;
};

// Those that have limits.
std::vector<ExternalNumbers> held_by(const std::vector<View>& given, const std::vector<View>& exact,
                                     const Limits& limits) {
    std::vector<ExternalNumbers> all;
    for (const View& view : given) {
        const View* right = find(exact, view.name);
        const auto limit = limits.find(view.name);
        if (right == nullptr || limit == limits.end()) {
            continue;
        }
        ExternalNumbers held{view.name, numbers_of(view), numbers_of(*right), &limit->second};
        for (std::size_t i = 0; i < held.ours.size(); ++i) {
            held.off = held.off || !(std::abs(held.ours[i] - held.exact[i]) <= (*held.limits)[i]);
        }
        all.push_back(std::move(held));
    }
    return all;
}

// What the steps of these names make, and all that follows from it.
std::set<std::string> reached_from(const std::vector<std::string>& culprits, const Graph& network) {
    std::set<std::string> reached(culprits.begin(), culprits.end());
    for (const Step* step : all_steps(network)) {
        if (std::ranges::any_of(step->reads, [&](const std::string& name) { return reached.contains(name); })) {
            reached.insert(step->makes);
        }
    }
    return reached;
}

// The mean square of the distances, each in relation to the value's error; nothing if a value is another one.
std::optional<double> distance(const std::vector<View>& made, const std::vector<ExternalNumbers>& all) {
    double sum = 0;
    for (const ExternalNumbers& held : all) {
        const View* view = find(made, held.name);
        if (view == nullptr || count(view->shape) != held.ours.size()) {
            return std::nullopt;
        }
        const std::vector<double> numbers = numbers_of(*view);
        if (held.off && !explains(numbers, held.ours, held.exact, *held.limits)) {
            return std::nullopt;
        }
        double apart = 0, error = 0;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const bool fits = std::abs(numbers[i] - held.ours[i]) <= 2 * (*held.limits)[i];
            if (!held.off && !fits) {
                return std::nullopt;
            }
            apart += (numbers[i] - held.ours[i]) * (numbers[i] - held.ours[i]);
            error += (held.exact[i] - held.ours[i]) * (held.exact[i] - held.ours[i]);
        }
        sum += held.off ? apart / error : 0;
    }
    return sum;
}

void run(Runner<float>& runner, const TrainingStep& step) {
    runner.tensors().clear();
    for (const TensorSpec& spec : step.state.table()) {
        std::ranges::copy(step.state[spec.name], runner.tensors()[spec.name].begin());
    }
    runner.set_batch(step.batch);
    runner.set_rate(step.rate);
    runner.forward();
    runner.backward();
    runner.update();
    runner.evaluate();
}

}  // namespace

const Mistake* mistake_that_makes(const std::vector<View>& given, const Graph& right, const TrainingStep& step,
                                  const std::vector<View>& exact, const Limits& limits) {
    const std::vector<ExternalNumbers> all = held_by(given, exact, limits);
    const Mistake* nearest = nullptr;
    double least = std::numeric_limits<double>::infinity();
    if (std::ranges::none_of(all, &ExternalNumbers::off)) {
        return nullptr;
    }
    for (const Mistake& mistake : mistakes()) {
        Graph network = right;
        const std::vector<std::string> culprits = mistake.plant(network);
        const std::set<std::string> reached = reached_from(culprits, network);
        if (!std::ranges::all_of(
                all, [&](const ExternalNumbers& held) { return !held.off || reached.contains(held.name); })) {
            continue;
        }
        Runner<float> runner(std::move(network));
        run(runner, step);
        const std::optional<double> apart = distance(runner.tensors().views(), all);
        if (apart && *apart < least) {
            least = *apart;
            nearest = &mistake;
        }
    }
    return nearest;
}

}  // namespace byhand

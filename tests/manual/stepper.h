// Runs the steps of a Runner one by one over its tensors, from any step on, and lets the caller inspect them in
// between.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "base/value.h"
#include "manual/networks.h"
#include "steps/runner.h"

namespace stepper {

// The steps of one list, bound to a runner's tensors and an example's batch: both must outlive this.
template <class T>
class Steps {
public:
    Steps(byhand::Runner<T>& runner, const networks::Example& example, const byhand::StepList& list) : runner_(runner) {
        const auto operand = [&](const std::string& name) -> byhand::Operand<T> {
            if (byhand::is_index(name)) {
                return name == "X" ? example.X.data() : example.Y.data();
            }
            return runner.tensors()[name].data();
        };
        for (const byhand::Step& step : list) {
            bound_.push_back(byhand::bind(step, runner.tensors()[step.makes].data(), operand));
        }
    }

    // Runs from step number `first` to the end.
    void run(std::size_t first = 0) const {
        for (std::size_t i = first; i < bound_.size(); ++i) {
            bound_[i].run();
        }
    }

    // Runs all steps, each on copies of the numbers it reads. disturb(numbers, nullptr) may change these copies, and
    // disturb(numbers, &name) the step's result of that name.
    template <class Disturb>
    void run_disturbed(Disturb disturb) const {
        for (byhand::BoundStep<T> bound : bound_) {
            const byhand::Step& step = *bound.step;
            std::vector<std::vector<T>> copies(step.reads.size());
            for (std::size_t i = 0; i < copies.size(); ++i) {
                if (!byhand::is_index(step.reads[i])) {
                    const std::span<const T> numbers = runner_.tensors()[step.reads[i]];
                    copies[i].assign(numbers.begin(), numbers.end());
                    disturb(std::span<T>(copies[i]), nullptr);
                    bound.reads[i] = copies[i].data();
                }
            }
            bound.run();
            disturb(runner_.tensors()[step.makes], &step.makes);
        }
    }

    // The index of the first step that reads `name`: earlier steps do not depend on it.
    std::size_t first_reader(const std::string& name) const {
        const auto reads = [&](const byhand::BoundStep<T>& bound) {
            return std::find(bound.step->reads.begin(), bound.step->reads.end(), name) != bound.step->reads.end();
        };
        return static_cast<std::size_t>(std::find_if(bound_.begin(), bound_.end(), reads) - bound_.begin());
    }

    std::size_t size() const { return bound_.size(); }

private:
    byhand::Runner<T>& runner_;
    std::vector<byhand::BoundStep<T>> bound_;
};

}  // namespace stepper

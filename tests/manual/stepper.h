// Runs the steps of a Runner one by one over its tensors, from any step on, and lets the caller inspect them in
// between.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "manual/networks.h"
#include "steps/runner.h"

namespace stepper {

// The steps of one list, bound to a runner's tensors and an example's batch: both must outlive this.
template <class T>
class Steps {
public:
    Steps(byhand::Runner<T>& runner, const networks::Example& example, const byhand::StepList& list) {
        for (const byhand::Step& step : list) {
            Bound bound{&step, runner.tensors()[step.makes], {}, {}};
            for (const std::string& name : step.reads) {
                if (name == "X" || name == "Y") {
                    bound.reads.emplace_back(name == "X" ? example.X.data() : example.Y.data());
                    bound.numbers.emplace_back();
                } else {
                    bound.numbers.emplace_back(runner.tensors()[name]);
                    bound.reads.emplace_back(bound.numbers.back().data());
                }
            }
            bound_.push_back(std::move(bound));
        }
    }

    // Runs from step number `first` to the end.
    void run(std::size_t first = 0) const {
        for (std::size_t i = first; i < bound_.size(); ++i) {
            bound_[i].step->template in<T>().run(bound_[i].out.data(), bound_[i].reads);
        }
    }

    // Runs all steps, each on copies of the numbers it reads. disturb(numbers, nullptr) may change these copies, and
    // disturb(numbers, &name) the step's result of that name.
    template <class Disturb>
    void run_disturbed(Disturb disturb) const {
        for (const Bound& bound : bound_) {
            std::vector<byhand::Operand<T>> reads = bound.reads;
            std::vector<std::vector<T>> copies;
            copies.reserve(reads.size());
            for (std::size_t i = 0; i < reads.size(); ++i) {
                if (!bound.numbers[i].empty()) {
                    std::vector<T>& copy = copies.emplace_back(bound.numbers[i].begin(), bound.numbers[i].end());
                    disturb(std::span<T>(copy), nullptr);
                    reads[i] = static_cast<const T*>(copy.data());
                }
            }
            bound.step->template in<T>().run(bound.out.data(), reads);
            disturb(bound.out, &bound.step->makes);
        }
    }

    // The index of the first step that reads `name`: earlier steps do not depend on it.
    std::size_t first_reader(const std::string& name) const {
        const auto reads = [&](const Bound& bound) {
            return std::find(bound.step->reads.begin(), bound.step->reads.end(), name) != bound.step->reads.end();
        };
        return static_cast<std::size_t>(std::find_if(bound_.begin(), bound_.end(), reads) - bound_.begin());
    }

    std::size_t size() const { return bound_.size(); }

private:
    struct Bound {
        const byhand::Step* step;
        std::span<T> out;
        std::vector<byhand::Operand<T>> reads;
        std::vector<std::span<const T>> numbers;  // the inputs; empty for X and Y
    };
    std::vector<Bound> bound_;
};

}  // namespace stepper

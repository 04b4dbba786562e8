// Notes 2 and 4: inputs of unequal scale make long narrow valleys: raw inputs beside standardised ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lab/experiments.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct GeometryOptions {
    std::size_t students = 200;
    std::size_t trained = 100;   // steps after which the last hidden layer of the recipe's network is examined
    std::size_t rows = 600;      // examples
    std::size_t steps = 20'000;  // of gradient descent, at most

    std::vector<OwnOption> own() {
        constexpr double kMost = 1'000'000;
        return {{"--students", "Number of students", &students, 3, kMost},
                {"--trained", "Steps of training before the layer is examined", &trained, 0, kMost},
                {"--rows", "Number of the layer's examples", &rows, 2, kMost},
                {"--steps", "Most steps of gradient descent", &steps, 1, kMost}};
    }
};

// Throws InputError if the seeds place all students or none; if rows are so few that the classes are linearly
// separable; if there are fewer examples than rows; and as prepare (train/run.h) does.
Document geometry(const GeometryOptions& options, const Setup& setup);

// ---- Logistic regression by the functions of the network ----

// One unit, whose loss is the cross-entropy of the logits 0 and x·w + b.
struct Regression {
    std::size_t n = 0, inputs = 0;
    std::vector<double> x;        // (n, inputs)
    std::vector<std::int64_t> Y;  // (n), 0 or 1
};

// Weights are inputs + 1 numbers, the bias last.
double loss_of(const Regression& data, const std::vector<double>& weights);
std::vector<double> gradient_of(const Regression& data, const std::vector<double>& weights);

// xᵀx/n, x with a column of ones: (inputs + 1, inputs + 1).
std::vector<double> gram_matrix(const Regression& data);

// The second derivatives of the loss: Σ p·(1 − p)·xxᵀ/n.
std::vector<double> curvature(const Regression& data, const std::vector<double>& weights);

// The same rows with every column of x standardised: mean 0, deviation 1 (divisor n), but for ε.
Regression standardised(const Regression& data);

// At most so many steps of gradient descent from weights of 0. `watch` is called with the loss at every step, before
// its update; false ends the descent.
void descend(const Regression& data, double rate, std::size_t steps, const std::function<bool(double loss)>& watch);

// The weights of least loss, by Newton's method from 0 on. (Linearly separable rows have no least loss: then some large
// weights.)
std::vector<double> best_weights(const Regression& data);

// Of a symmetric matrix, falling.
std::vector<double> eigenvalues(const std::vector<double>& matrix, std::size_t size);

// The largest over the smallest. Infinite where the smallest is not positive but for rounding: below size·2^-52 of the
// largest.
double condition_number(const std::vector<double>& matrix, std::size_t size);

// ---- The valley that gradient descent goes down ----

struct Valley {
    double condition = 0;     // the condition number of the inputs' Gram matrix, with the bias's column of ones
    double largest_rate = 0;  // that converges, measured
    double steps = 0;         // to the target at the best rate of a grid; the limit if they do not suffice
    double rate = 0;          // that rate
};

// `target` is the loss to reach from weights of 0, in at most `steps`; after `convergence_steps` a rate has converged,
// or has not.
Valley measure_valley(const Regression& data, double target, std::size_t steps, std::size_t convergence_steps = 1000);

// Whether the loss falls at every step (but for rounding) in the last tenth of so many.
bool converges(const Regression& data, double rate, std::size_t steps);

// ---- The data ----

// Note 4's students: marks from 0 to 10 and an IQ from 70 to 140, uniform; placed with the probability 1/(1 + e^−z),
// z = 0.8·(marks − 5) + 0.08·(IQ − 105).
Regression students(std::size_t count, std::uint64_t seed);

// h of the last hidden layer of the recipe's network, with its norm in this place, after so many steps of training (no
// more than the recipe has), on the first `rows` training examples. The class is 1 where the name ends here.
Regression activations(Recipe recipe, const std::string& norm, std::size_t steps, std::size_t rows,
                       const Material& material);

}  // namespace byhand::lab

// Checks of a gradient by finite differences, for any function in double. They need no LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "byhand/named.h"
#include "byhand/report.h"

namespace byhand {

struct GradcheckOptions {
    std::size_t elements = 100;  // of each input that are checked, at most
    std::uint64_t seed = 1;
    double accuracy = 0;  // relative error of f and of the gradient, as 1e-9 of an iteration; 0: rounding in double
};

// A function of one vector and its gradient, in the convention of NLopt: returns f(x), and writes the gradient unless
// that is empty.
using ScalarFunction = std::function<double(const std::vector<double>& x, std::vector<double>& gradient)>;

// Compares the gradient at x with difference quotients, element by element. The limit of each element is the bound of
// the quotient's error, from several step sizes, and the rounding of f and of the gradient, from evaluations at inputs
// that are moved by a unit in the last place. The report names an f that computes in float, and elements of x where f
// has a kink: their gradient must be between the slopes to its left and right, and the other elements are judged.
// Throws std::invalid_argument if x is empty, and if f or its gradient differ from call to call.
Report gradcheck(const Named& named, const ScalarFunction& f, const std::vector<double>& x,
                 const GradcheckOptions& options = {});

// A function of several inputs, and its vector–Jacobian products with dy, one for each input.
using Inputs = std::vector<std::vector<double>>;
using Forward = std::function<std::vector<double>(const Inputs& inputs)>;
using Backward = std::function<Inputs(const Inputs& inputs, const std::vector<double>& dy)>;

// The same for the products with a random dy. Throws std::invalid_argument if there are no inputs.
Report gradcheck(const Named& named, const Forward& forward, const Backward& backward, const Inputs& inputs,
                 const GradcheckOptions& options = {});

}  // namespace byhand

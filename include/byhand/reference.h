// What is right: a trusted computation, and how far rounding may move its result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "byhand/report.h"
#include "byhand/view.h"

namespace byhand {

// How an evaluation computes: in this type of floats. With a seed other than 0, in float or double alone, the result of
// every operation is moved at random by about its rounding, differently for each seed, and may be computed by another
// formula or in another order of sums.
struct Precision {
    DType type = DType::float64;
    std::uint64_t seed = 0;
};

struct Computed {
    std::string name;
    Shape shape;
    std::vector<double> numbers;
    // Of an evaluation in float, or with random rounding:
    bool copied = false;   // each number is one of an input's, so that its sign counts where it is 0
    bool exact = false;    // no operation has rounded, as in a copy or a maximum
    std::size_t work = 0;  // how many numbers all operations have computed, if that is counted
};

// The values that a trusted implementation computes from these inputs. It may return none in double with a seed: then
// its rounding in double is estimated from that in float. Throws std::invalid_argument if the inputs do not fit the
// implementation.
using Evaluate = std::function<std::vector<Computed>(const std::vector<View>& inputs, Precision precision)>;

// The right value of one tensor, computed from fixed inputs (byhand/torch.h makes it). It can be used as a matcher of
// Catch2.
class Matches {
public:
    // `evaluate` returns one value; it is called without inputs.
    explicit Matches(Evaluate evaluate) : evaluate_(std::move(evaluate)) {}

    const Evaluate& evaluate() const { return evaluate_; }

    // Whether check(yours, *this).agrees(), and what that says.
    bool match(const View& yours) const;
    std::string toString() const { return text_; }

private:
    Evaluate evaluate_;
    mutable std::string text_;
};

// Compares a tensor of floats or doubles with the right value, element by element. The limit of each element is a
// multiple of the error (root mean square) of 32 evaluations in float with random rounding, so large that a result with
// errors of the same size exceeds it with a probability of 1e-12; at least one unit in the last place. For doubles it
// is that times the ratio of the units, or the same of eight evaluations in double if that is larger.
Report check(const View& yours, const Matches& right);

}  // namespace byhand

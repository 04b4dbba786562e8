// The inputs on which a step is tested besides a training batch: values of every kind, on networks of other sizes.
//
// A mistake may show only on a row that is all negative, a saturated unit, a class that is no row's target, or a number
// of rows that is not a multiple of four. Each is a case; the reference operations compute its result in double, and
// its limits are derived as for the batch.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/isolated/draws.h"
#include "harness/isolated/step_inputs.h"
#include "steps/step.h"

namespace byhand {

struct NetworkSize {
    NetworkConfig network;
    std::size_t rows = 0;

    bool operator==(const NetworkSize&) const = default;
};

// The sizes of a network's cases: those of its own kind (its norm, its biases, as many layers) with 1, 2 and more rows,
// odd, prime, multiples of 4, 8, 16, 32 and 64 and one more and one less, wide and narrow; more rows, units or classes
// than fit a byte; more than 1,024 of them, then so many that their values have more than 65,536 elements; and, last,
// those in which every class can be a target.
std::vector<NetworkSize> battery_sizes(const NetworkConfig& network);

struct BatteryCase {
    std::size_t size = 0;  // its index in battery_sizes
    std::string on;        // "29 rows: zeros, subnormal and saturated values in h"
    StepInput input;
};

// The cases of one form of a network. They are made when first used, and kept.
class Battery {
public:
    Battery(const NetworkConfig& network, std::uint64_t seed, Form form);

    const std::vector<NetworkSize>& sizes() const { return sizes_; }

    // The cases of the step that makes `name` and reads `reads` (which may be more than the right step reads), for a
    // function in float or in double. Empty if the form has no such step.
    const std::vector<BatteryCase>& cases(const std::string& name, const std::vector<std::string>& reads,
                                          bool in_double);
    // One with more than 65,536 elements, in float, if it is cheap. It takes much memory, and is not kept.
    std::vector<BatteryCase> wide_case(const std::string& name, const std::vector<std::string>& reads);

private:
    const SizedForm& at(std::size_t size);
    // The number of the first size of more than 1,024, and that of the first with more than 65,536 elements.
    std::size_t first_long() const;
    std::size_t first_wide() const;
    // The draws of one of the values that a step reads.
    using AddCase = std::function<void(std::size_t size, const Draw& draw)>;
    void draw_indices(const std::string& read, const AddCase& add_case) const;
    void draw_numbers(const std::string& read, bool in_double, const AddCase& add_case);
    void add(std::vector<BatteryCase>& cases, std::size_t size, const Draw& draw, const std::string& name,
             const std::vector<std::string>& reads, bool in_double);

    std::vector<NetworkSize> sizes_;
    std::uint64_t seed_;
    Form form_;
    std::map<std::size_t, SizedForm> forms_;
    std::map<std::vector<std::string>, std::vector<BatteryCase>> cases_;
};

}  // namespace byhand

#include "library/kernel_inputs.h"

#include <algorithm>
#include <iterator>

#include "base/mixed.h"

namespace byhand {

namespace {

// The most draws of a kind that together have every octave, difference and kind of line: in all inputs, and in a single
// one. An array of few elements, which has them in many draws only, is there for its size.
constexpr std::size_t kFewElements = 27, kMostOfFew = 2, kMostOfAll = 16, kMostOfOne = 4, kOctavesOfOne = 6;

void add_in_turn(std::vector<Draw>& all, const std::string& only, const Shape& shape) {
    const auto add = [&](Drawn how, std::size_t axis, std::size_t most_of_one) {
        const std::size_t most = count(shape) < kFewElements ? kMostOfFew : only.empty() ? kMostOfAll : most_of_one;
        std::ranges::copy(each_in_turn({.how = how, .only = only, .axis = axis}, shape, most), std::back_inserter(all));
    };
    add(Drawn::octaves, 0, kMostOfOne);
    add(Drawn::all_octaves, 0, kOctavesOfOne);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        add(Drawn::differences, axis, kMostOfOne);
        add(Drawn::lines, axis, kMostOfOne);
        if (only.empty()) {
            add(Drawn::all_differences, axis, kMostOfAll);
        }
    }
}

}  // namespace

std::vector<Draw> draws_of(const std::vector<TensorSpec>& inputs) {
    std::vector<Draw> all;
    for (const Drawn how :
         {Drawn::random, Drawn::small, Drawn::large, Drawn::minute, Drawn::vast, Drawn::close, Drawn::special}) {
        all.push_back({.how = how});
    }
    const auto largest = std::ranges::max_element(inputs, {}, [](const TensorSpec& spec) { return count(spec.shape); });
    if (largest != inputs.end()) {
        add_in_turn(all, "", largest->shape);
    }
    for (const TensorSpec& input : inputs.size() > 1 ? inputs : std::vector<TensorSpec>()) {
        for (const Drawn how : {Drawn::large, Drawn::close, Drawn::special}) {
            all.push_back({.how = how, .only = input.name});
        }
        add_in_turn(all, input.name, input.shape);
    }
    return all;
}

const char* describe_integers(std::size_t trial) {
    constexpr const char* kKinds[kKindsOfIntegers] = {"", ", every integer in turn", ", the smallest integer only",
                                                      ", the largest integer only"};
    return kKinds[trial % kKindsOfIntegers];
}

std::vector<std::int64_t> integers_of(std::size_t elements, std::int64_t low, std::int64_t high, std::size_t trial,
                                      std::uint64_t seed) {
    const std::uint64_t all = static_cast<std::uint64_t>(high - low) + 1;
    std::vector<std::int64_t> integers(elements);
    for (std::size_t i = 0; i < elements; ++i) {
        const std::uint64_t which[] = {mixed(seed + i) % all, (trial / kKindsOfIntegers * elements + i) % all, 0,
                                       all - 1};
        integers[i] = low + static_cast<std::int64_t>(which[trial % kKindsOfIntegers]);
    }
    return integers;
}

}  // namespace byhand

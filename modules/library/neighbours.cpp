#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "byhand/view.h"
#include "library/kernel_inputs.h"

namespace byhand {
namespace {

using Inputs = std::vector<Shape>;

constexpr std::size_t kMostExtents = 6;
constexpr std::size_t kBlock = 64;  // of vectors, or of threads

std::vector<std::size_t> ranks_of(const Inputs& inputs) {
    std::vector<std::size_t> ranks;
    std::ranges::transform(inputs, std::back_inserter(ranks), &Shape::size);
    return ranks;
}

std::size_t smallest_extent(const Inputs& inputs, std::size_t most) {
    for (const Shape& shape : inputs) {
        for (const std::size_t extent : shape) {
            most = std::min(most, extent);
        }
    }
    return most;
}

// Of cases of the same ranks, in the one at `beside`.
std::vector<TiedExtent> extents_in(const std::vector<const Inputs*>& cases, const Inputs& base, std::size_t beside) {
    std::map<std::vector<std::size_t>, TiedExtent> tied;
    for (std::size_t input = 0; input < base.size(); ++input) {
        for (std::size_t axis = 0; axis < base[input].size(); ++axis) {
            std::vector<std::size_t> in_each;
            std::ranges::transform(cases, std::back_inserter(in_each),
                                   [&](const Inputs* one) { return (*one)[input][axis]; });
            TiedExtent& extent = tied[in_each];
            extent.beside = beside;
            extent.value = base[input][axis];
            extent.places.emplace_back(input, axis);
        }
    }
    std::vector<TiedExtent> all;
    for (auto& [in_each, extent] : tied) {
        if (extent.value > 1) {
            all.push_back(std::move(extent));
        }
    }
    return all;
}

}  // namespace

std::vector<TiedExtent> tied_extents(const std::vector<Inputs>& cases) {
    std::map<std::vector<std::size_t>, std::vector<const Inputs*>> by_ranks;
    for (const Inputs& inputs : cases) {
        by_ranks[ranks_of(inputs)].push_back(&inputs);
    }
    std::vector<TiedExtent> all;
    for (const auto& [ranks, same] : by_ranks) {
        const Inputs* const base = *std::ranges::min_element(same, {}, [](const Inputs* one) {
            constexpr std::size_t kThree = 3;
            return std::pair(kThree - smallest_extent(*one, kThree), elements_of(*one));
        });
        std::ranges::move(extents_in(same, *base, static_cast<std::size_t>(base - cases.data())),
                          std::back_inserter(all));
    }
    all.resize(std::min(all.size(), kMostExtents));
    return all;
}

std::vector<std::size_t> extents_near(std::size_t value) {
    const std::size_t multiple = (value / kBlock + 1) * kBlock;
    std::set<std::size_t> near = {1, 2, value - 1, value + 1, multiple, multiple + 1};
    near.erase(value);
    return {near.begin(), near.end()};
}

std::vector<Shape> with_extent(std::vector<Shape> inputs, const TiedExtent& extent, std::size_t to) {
    for (const auto& [input, axis] : extent.places) {
        inputs[input][axis] = to;
    }
    return inputs;
}

std::size_t elements_of(const std::vector<Shape>& inputs) {
    std::size_t all = 0;
    for (const Shape& shape : inputs) {
        all += count(shape);
    }
    return all;
}

}  // namespace byhand

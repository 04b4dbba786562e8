#include "library/kernel_inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/hash.h"
#include "base/tensors.h"

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

// An element of a tensor, or a line of them.
struct Place {
    std::vector<std::size_t> index;
    std::optional<std::size_t> axis;  // of the line
};

bool starts_with(const Shape& shape, const Shape& part) {
    return part.size() <= shape.size() && std::equal(part.begin(), part.end(), shape.begin());
}
bool ends_with(const Shape& shape, const Shape& part) {
    return part.size() <= shape.size() && std::equal(part.rbegin(), part.rend(), shape.rbegin());
}

// Of an input of this shape, for the element `of` of a result: the same element, or that of the first or the last axes;
// or the line whose axis the result has not.
std::optional<Place> place_in(const Shape& input, const Shape& result, const std::vector<std::size_t>& of) {
    const auto length = static_cast<std::ptrdiff_t>(input.size());
    if (ends_with(result, input)) {
        return Place{{of.end() - length, of.end()}, {}};
    }
    if (starts_with(result, input)) {
        return Place{{of.begin(), of.begin() + length}, {}};
    }
    for (std::size_t axis = input.size(); axis-- > 0;) {
        Shape others = input;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(axis));
        if (others == result) {
            Place place{of, axis};
            place.index.insert(place.index.begin() + static_cast<std::ptrdiff_t>(axis), 0);
            return place;
        }
    }
    return {};
}

// "x[3, :] = 1, 0.5, …"
std::string at_place(const View& view, Place place) {
    constexpr std::size_t kMost = 4;
    std::vector<std::string> index, numbers;
    for (std::size_t d = 0; d < place.index.size(); ++d) {
        index.push_back(place.axis == d ? ":" : std::to_string(place.index[d]));
    }
    const std::size_t line = place.axis ? view.shape[*place.axis] : 1;
    for (std::size_t i = 0; i < std::min(line, kMost); ++i) {
        std::size_t position = 0;
        for (std::size_t d = 0; d < place.index.size(); ++d) {
            position = position * view.shape[d] + (place.axis == d ? i : place.index[d]);
        }
        numbers.push_back(fmt::format("{:.9g}", value_at(view, position)));
    }
    return fmt::format("{}{} = {}{}", view.name, index.empty() ? "" : fmt::format("[{}]", fmt::join(index, ", ")),
                       fmt::join(numbers, ", "), line > kMost ? ", …" : "");
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

std::string inputs_at(const Tensors<double>& values, const std::vector<std::string>& names, const Shape& result,
                      std::size_t position) {
    std::vector<std::string> texts;
    const std::vector<View> views = values.views();
    for (const std::string& name : names) {
        const View* const view = find(views, name);
        const auto place = view == nullptr ? std::nullopt : place_in(view->shape, result, index_of(result, position));
        if (place) {
            texts.push_back(at_place(*view, *place));
        }
    }
    return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace byhand

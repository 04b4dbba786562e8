#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "base/hash.h"
#include "base/narrow.h"
#include "harness/isolated/step_inputs.h"
#include "library/kernel_check.h"
#include "library/kernel_inputs.h"

namespace byhand {
namespace {

constexpr std::size_t kMostPlaces = 24;   // of an input
constexpr std::size_t kMostOfPlaces = 4;  // trials with an input's places

// Numbers of the inputs and results of a neighbour, and numbers that its reference computes on the way.
constexpr std::size_t kMostElements = 1 << 16, kMostWork = 1 << 20, kMostOfLines = 1 << 12;

constexpr std::size_t kThousands[] = {2053, 1031};  // primes

constexpr std::size_t kDrawsOfSaved = 4;  // of the rounding of saved values

double largest_in(const Tensors<double>& values) {
    double largest = 0;
    for (const View& view : values.views()) {
        largest = values.holds_indices(view.name) ? largest : largest_of(values[view.name], largest);
    }
    return largest;
}

// The inputs of a case with at most three or four of each of its extents; even ones stay even: they may be halved.
std::vector<Shape> with_few(std::vector<Shape> inputs, std::size_t of_case, const std::vector<TiedExtent>& extents) {
    for (const TiedExtent& extent : extents) {
        if (extent.beside == of_case) {
            inputs = with_extent(inputs, extent, std::min<std::size_t>(extent.value, extent.value % 2 == 0 ? 4 : 3));
        }
    }
    return inputs;
}

// A value of the forward pass that has been rounded.
struct Saved {
    std::string name;
    std::vector<double> numbers;
    DType type;  // in which the kernel reads it
};

// Each number goes to the next one above or below, except for 0. The second draw of a pair goes the other way.
std::vector<double> moved_saved(const Saved& saved, std::size_t draw) {
    std::vector<double> numbers = saved.numbers;
    const std::uint64_t seed = stream_of(saved.name, draw / 2 + 1);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const double x = numbers[i];
        if (x != 0 && std::isfinite(x)) {
            const double towards =
                ((mixed(seed + i) + draw) % 2 == 0 ? 1 : -1) * std::numeric_limits<double>::infinity();
            numbers[i] = saved.type == DType::float64
                             ? std::nextafter(x, towards)
                             : std::nextafter(static_cast<float>(x), static_cast<float>(towards));
        }
    }
    return numbers;
}

// Of NaN and infinities, none counts.
void only_zeros_of_class(Sampled& right) {
    for (std::size_t i = 0; i < right.of_class.size(); ++i) {
        right.of_class[i] = right.of_class[i] && right.exact.numbers[i] == 0;
    }
}

}  // namespace

double largest_of(std::span<const double> numbers, double largest) {
    for (const double x : numbers) {
        largest = std::isfinite(x) ? std::max(largest, std::abs(x)) : largest;
    }
    return largest;
}

std::vector<View> KernelCheck::inputs_in(const Tensors<double>& values) const {
    std::vector<View> views, all = values.views();
    std::vector<std::string> names = expected_.inputs_;
    names.emplace_back("dy");
    for (const std::string& name : names) {
        if (const View* view = find(all, name)) {
            views.push_back(*view);
        }
    }
    return views;
}

// What the kernel reads besides the inputs of the reference.
void KernelCheck::add_saved(const KernelFunction& function, Evaluation& evaluation) const {
    const std::vector<View> inputs = inputs_in(evaluation.values);
    const std::vector<std::string> names = parameters();
    std::vector<View> of_forward = inputs;
    std::erase_if(of_forward, [](const View& view) { return view.name == "dy"; });
    std::vector<Saved> all;
    for (const std::string& name : reads_) {
        if (evaluation.values.contains(name)) {
            continue;
        }
        const auto parameter = std::ranges::find(names, name) - names.begin();
        const DType type =
            name == expected_.in_place_ ? *function.type : function.inputs[static_cast<std::size_t>(parameter)];
        if (is_narrow(type)) {
            refuse("reads " + name + " rounded to 16 bits, but the reference does not: take it as float");
        }
        const auto with = std::ranges::find(expected_.with_, name, &std::pair<std::string, Evaluate>::first);
        const bool is_y = with == expected_.with_.end();
        const Evaluate& evaluate = is_y ? expected_.evaluate_ : with->second;
        const Computed saved = is_y ? find_sampled(evaluation.right, "y").exact : evaluate(inputs, {}).at(0);
        const std::vector<Computed> moved = evaluate(of_forward, {DType::float32, 1});
        if (moved.empty() || !moved[0].exact) {
            all.push_back({name, saved.numbers, type});
        }
        evaluation.values.put({name, saved.shape}, saved.numbers);
    }
    for (std::size_t draw = 0; !all.empty() && draw < kDrawsOfSaved; ++draw) {
        Tensors<double>& moved = evaluation.moved.emplace_back(evaluation.values);
        for (const Saved& saved : all) {
            const std::vector<View> views = moved.views();
            moved.put({saved.name, find(views, saved.name)->shape}, moved_saved(saved, draw));
        }
    }
}

// The drawn numbers in the formats that the function takes, and what is right for them. `right_of_floats` is evaluated
// when it is needed first.
Evaluation KernelCheck::evaluation_for(const KernelFunction& function, const Tensors<double>& floats,
                                       std::vector<Sampled>& right_of_floats) const {
    Evaluation one{function.type == DType::float64 ? with_digits_of_doubles(floats) : floats, {}, {}};
    const std::vector<std::string> names = parameters();
    bool narrow = is_narrow(*function.type);
    const auto round_to = [&](const std::string& name, DType dtype) {
        if (one.values.contains(name) && !one.values.holds_indices(name) && dtype != DType::float64) {
            std::vector<double> numbers = one.values.copy_of(name);
            std::ranges::transform(numbers, numbers.begin(), [&](double x) { return rounded_to(dtype, x); });
            const std::vector<View> views = one.values.views();
            one.values.put({name, find(views, name)->shape}, numbers);
            narrow = narrow || is_narrow(dtype);
        }
    };
    for (std::size_t i = 0; i < names.size(); ++i) {
        round_to(names[i], function.inputs[i]);
    }
    if (!expected_.in_place_.empty()) {
        round_to(expected_.in_place_, *function.type);
    }
    if (narrow) {
        one.right = sampled(expected_.evaluate_, inputs_in(one.values));
    } else {
        if (right_of_floats.empty()) {
            right_of_floats = sampled(expected_.evaluate_, inputs_in(floats));
        }
        one.right = right_of_floats;
        if (function.type == DType::float64) {
            sample_in_double(expected_.evaluate_, inputs_in(one.values), one.right);
        }
    }
    add_saved(function, one);
    return one;
}

KernelCheck::Source KernelCheck::source_of(const std::vector<Shape>& inputs, std::uint64_t seed) const {
    Source source{.specs = {}, .integers = {}, .ranges = {}, .seed = mixed(seed)};
    for (const auto& [name, range] : expected_.ranges_) {
        source.ranges[name] = {range.first, range.second};
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const TensorSpec spec{expected_.inputs_[i], inputs[i]};
        (expected_.integers_.contains(spec.name) ? source.integers : source.specs).push_back(spec);
    }
    if (expected_.what_ == Expected::What::gradients) {
        const Tensors<double> values = drawn(source, {}, 0);
        source.specs.push_back({"dy", expected_.evaluate_(inputs_in(values), {}).at(0).shape});
    }
    return source;
}

Tensors<double> KernelCheck::drawn(const Source& source, const Draw& how, std::size_t trial) const {
    Tensors<double> values = draw(source.specs, source.ranges, how, 1, source.seed, {});
    for (const TensorSpec& spec : source.integers) {
        const auto [low, high] = expected_.integers_.at(spec.name);
        values.put(spec, integers_of(count(spec.shape), low, high, trial, mixed(source.seed + trial)));
    }
    return values;
}

void KernelCheck::add_case(std::size_t shapes, const Tensors<double>& floats, std::string on) {
    std::vector<Evaluation> evaluations;
    evaluations.reserve(functions_.size());
    std::vector<Sampled> right_of_floats;
    for (const KernelFunction* function : functions_) {
        evaluations.push_back(evaluation_for(*function, floats, right_of_floats));
    }
    if (!is_given(shapes) || !expected_.compares_non_finite_) {  // a kernel may leave 0/0 of a single row to its caller
        for (Evaluation& one : evaluations) {
            std::ranges::for_each(one.right, only_zeros_of_class);
        }
    }
    if (runs_.size() == shapes) {
        add_runs(shapes, evaluations);
    }
    cases_.push_back({shapes, std::move(on), largest_in(floats), std::move(evaluations)});
}

void KernelCheck::add_cases(std::size_t shapes) {
    const Source source = source_of(shapes_[shapes], expected_.seed_ + shapes);
    const bool has_integers = !source.integers.empty();
    const auto add = [&](const Draw& how, std::size_t trial) {
        add_case(shapes, drawn(source, how, trial), describe(how) + (has_integers ? describe_integers(trial) : ""));
    };
    if (!is_given(shapes)) {
        add({}, 0);
        if (elements_of(shapes_[shapes]) <= kMostOfLines) {
            add({.how = Drawn::lines}, 1);
        }
        return;
    }
    const std::vector<Draw> draws = draws_of(source.specs);
    // With integers, more trials: each kind of numbers meets several kinds of integers.
    const std::size_t trials = has_integers ? std::max(2 * draws.size() + 1, 2 * kKindsOfIntegers) : draws.size();
    for (std::size_t trial = 0; trial < trials; ++trial) {
        add(draws[trial % draws.size()], trial);
    }
    for (const TensorSpec& spec : source.specs) {
        const std::vector<float>& places = places_in(spec, drawn(source, {}, 0));
        const std::size_t elements = count(spec.shape), at_once = elements - elements / 3, numbers = 3 * places.size();
        for (std::size_t trial = 0; elements > 0 && trial < kMostOfPlaces && trial * at_once < numbers; ++trial) {
            Tensors<double> values = drawn(source, {}, 0);
            values.put(spec, numbers_at(places, values.copy_of(spec.name), trial * at_once));
            add_case(shapes, values, "values at which the reference jumps or bends in " + spec.name);
        }
    }
}

void KernelCheck::add_neighbours() {
    std::vector<TiedExtent> free;
    for (const TiedExtent& extent : tied_extents(expected_.cases_)) {
        const std::vector<Shape>& given = expected_.cases_[extent.beside];
        bool is_free = false;
        for (const std::size_t to : extents_near(extent.value)) {
            const std::vector<Shape> inputs = with_extent(given, extent, to);
            // The kernel has to get the change as a size.
            if (sizes_of(inputs) != sizes_of(given) && std::ranges::find(shapes_, inputs) == shapes_.end()) {
                is_free = add_neighbour(extent, to, inputs) || is_free;
            }
        }
        if (is_free) {
            free.push_back(extent);
        }
    }
    for (const TiedExtent& extent : free) {
        const std::vector<Shape> inputs = with_few(expected_.cases_[extent.beside], extent.beside, free);
        for (const std::size_t to : kThousands) {
            if (extent.value < to && add_neighbour(extent, to, with_extent(inputs, extent, to))) {
                break;
            }
        }
    }
}

bool KernelCheck::add_neighbour(const TiedExtent& extent, std::size_t to, const std::vector<Shape>& inputs) {
    if (elements_of(inputs) > kMostElements || !accepts(extent.beside, inputs)) {
        return false;
    }
    neighbours_[{extent.beside, extent.value}].push_back(to);
    shapes_.push_back(inputs);
    add_cases(shapes_.size() - 1);
    return true;
}

// Whether each extent of the result that an input has in the given case is the input's here, too. Otherwise the
// reference halves an odd extent or cuts off what it has no use for, or the size of a filter has changed.
bool KernelCheck::follows(std::size_t beside, const std::vector<Shape>& inputs, const Shape& result) const {
    const auto one = std::ranges::find(cases_, beside, &Case::shapes);
    const Shape& given = find_sampled(one->evaluations.front().right, "y").exact.shape;
    std::map<std::size_t, std::set<std::size_t>> became;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        for (std::size_t axis = 0; axis < inputs[i].size(); ++axis) {
            became[shapes_[beside][i][axis]].insert(inputs[i][axis]);
        }
    }
    bool all = result.size() == given.size();
    for (std::size_t axis = 0; all && axis < result.size(); ++axis) {
        const auto known = became.find(given[axis]);
        all = known == became.end() || known->second.contains(result[axis]);
    }
    return all;
}

// Whether the reference takes inputs of these shapes, and does little work.
bool KernelCheck::accepts(std::size_t beside, const std::vector<Shape>& shapes) const {
    try {
        const Source source = source_of(shapes, expected_.seed_);
        // Also with nothing but the smallest and the largest integers: an index may be beyond a smaller extent.
        for (std::size_t trial = 0; trial < (source.integers.empty() ? 1 : kKindsOfIntegers); ++trial) {
            const Tensors<double> values = drawn(source, {}, trial);
            const std::vector<View> inputs = inputs_in(values);
            for (const auto& [name, evaluate] : expected_.with_) {
                evaluate(inputs, {});
            }
            const Computed y = expected_.evaluate_(inputs, {.type = DType::float32}).at(0);
            const auto takes = [&](const std::string& in_place) {
                const View* const view = find(inputs, in_place);
                return in_place.empty() || (view != nullptr && view->shape == y.shape);
            };
            if (y.work > kMostWork || !follows(beside, shapes, y.shape) || !takes(expected_.in_place_) ||
                !takes(expected_.may_alias_)) {
                return false;
            }
        }
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

// They are looked for in one element of the first shapes.
const std::vector<float>& KernelCheck::places_in(const TensorSpec& spec, const Tensors<double>& random) {
    const auto [known, is_new] = places_.try_emplace(spec.name);
    if (is_new && spec.name != "dy" && count(spec.shape) > 0) {
        std::vector<double> numbers = random.copy_of(spec.name);
        Tensors<double> values = random;
        const auto range = expected_.ranges_.find(spec.name);
        const auto results = [&](double x) {
            numbers.front() =
                range == expected_.ranges_.end() ? x : std::clamp(x, range->second.first, range->second.second);
            values.put(spec, numbers);
            std::vector<double> all;
            for (const Computed& one : expected_.evaluate_(inputs_in(values), {})) {
                all.insert(all.end(), one.numbers.begin(), one.numbers.end());
            }
            return all;
        };
        known->second = places_of(results, kMostPlaces);
    }
    return known->second;
}

}  // namespace byhand

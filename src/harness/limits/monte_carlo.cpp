#include "harness/limits/monte_carlo.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "base/value.h"

namespace byhand {
namespace {

// +1 or −1 by the highest bit. Without a branch, which could not be predicted.
double sign_of(std::uint64_t bits) {
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(1.0) | (bits & (std::uint64_t{1} << 63)));
}

// The value rounded to float if it is outside of float's normal numbers; else unchanged.
double within_float(double value) {
    const double magnitude = std::abs(value);
    const bool normal =
        magnitude >= std::numeric_limits<float>::min() && magnitude <= std::numeric_limits<float>::max();
    return normal ? value : static_cast<double>(static_cast<float>(value));
}

// The windows of all contexts, `positions` in a row: how many of them are equal to one, on average over all. They are
// the equal terms of a sum over a layer's rows with that many positions. `with_targets`: for gradients, which are equal
// if the targets are too.
double equal_windows(const Batch& batch, std::size_t context, std::size_t positions, bool with_targets = false) {
    const std::size_t width = context / positions, windows = batch.rows * positions;
    std::map<std::vector<std::int64_t>, double> times;
    for (std::size_t i = 0; i < windows; ++i) {
        std::vector<std::int64_t> window(batch.X + i * width, batch.X + (i + 1) * width);
        if (with_targets) {
            window.push_back(batch.Y[i / positions]);
        }
        ++times[std::move(window)];
    }
    double squares = 0;
    for (const auto& [window, number] : times) {
        squares += number * number;
    }
    return squares / static_cast<double>(windows);
}

// The positions in each row of the operand that a forward step sums over rows and positions: (rows·positions, H) → (H).
// 0 if the step is no such sum.
std::size_t summed_positions(const Step& step, const std::map<std::string, Shape>& shapes, const Graph& graph) {
    for (const std::string& name : step.reads) {
        const Shape& read = shapes.at(name);
        if (read.size() == 2 && step.shape == Shape{read[1]} && read[0] >= graph.rows && read[0] % graph.rows == 0 &&
            graph.config.context % (read[0] / graph.rows) == 0) {
            return read[0] / graph.rows;
        }
    }
    return 0;
}

// The steps of a network in order, with their values and what is measured of them, by place.
class Chain {
public:
    Chain(const Graph& graph, const Tensors<float>& state, const Batch& batch, float rate)
        : X_(batch.X),
          Y_(batch.Y),
          equal_rows_(equal_windows(batch, graph.config.context, 1, true)),
          all_equal_(equal_rows_ == static_cast<double>(batch.rows) && batch.rows > 1),
          apart_(std::max(kDoubles, 0.5 * (1 - 1 / equal_rows_))) {
        for (const TensorSpec& spec : state.table()) {
            const std::span<const float> values = state[spec.name];
            given(spec.name, {values.begin(), values.end()});
        }
        given("rate", {static_cast<double>(rate)});
        const std::map<std::string, Shape> shapes = shapes_of(graph);
        std::map<const Step*, double> equal_terms;
        for (const Step& step : graph.forward) {
            if (const std::size_t positions = summed_positions(step, shapes, graph)) {
                equal_terms[&step] = std::max(equal_rows_, equal_windows(batch, graph.config.context, positions));
            }
        }
        for (const Step* step : all_steps(graph)) {
            const auto terms = equal_terms.find(step);
            const auto kink = graph.kinks.find(step->makes);
            links_.push_back({.step = step,
                              .makes = place(step->makes),
                              .deviation = {},
                              .equal_terms = terms != equal_terms.end() ? terms->second : equal_rows_,
                              .kink = kink != graph.kinks.end() ? std::optional(kink->second) : std::nullopt});
            values_[links_.back().makes].resize(count(step->shape));
        }
        not_negative_.resize(values_.size());
        for (const auto& [name, range] : graph.ranges) {
            if (const auto found = places_.find(name); found != places_.end()) {
                not_negative_[found->second] = range.low >= 0;
            }
        }
    }

    // Runs undisturbed, and beside it disturbed once to measure the rounding of each step: a value that is zero in
    // exact arithmetic is some small number in float, which is rounded as well.
    void run_exactly(std::uint64_t seed, const OtherRounding& other) {
        Arena disturbed = values_;
        for (std::size_t l = 0; l < links_.size(); ++l) {
            Link& link = links_[l];
            run(link, values_);
            run(link, disturbed);
            link.deviation = own_deviation(link, bounds_of(link, disturbed, nullptr), other.any_order);
            const auto known = other.deviations.find(link.step->makes);
            if (known != other.deviations.end()) {
                std::ranges::transform(link.deviation, known->second, link.deviation.begin(),
                                       [](double own, double theirs) { return own < theirs ? theirs : own; });
            }
            disturb(disturbed[link.makes], values_[link.makes], link, mixed(seed ^ mixed(l)), 1);
        }
        disturbed = {};
        exact_ = values_;
        clear_squares();
    }

    bool all_rows_are_equal() const { return all_equal_; }

    // From now on equal values are disturbed alike, and the larger limits count, those before or those after. If all
    // rows are equal, a norm divides the rest of (row − mean) by √ε: this rest is either different in each row, with a
    // mean of zero, or the mean's own rounding error, the same in each row.
    void keep_together() {
        apart_ = kDoubles;
        squares_apart_ = std::move(squares_);
        clear_squares();
    }

    // Disturbs each step by `scale` times its own rounding, and adds up the squares of the differences over `scale`.
    void run_disturbed(std::uint64_t seed, double scale) {
        for (std::size_t l = 0; l < links_.size(); ++l) {
            const Link& link = links_[l];
            std::vector<double>& made = values_[link.makes];
            const std::vector<double>& exact = exact_[link.makes];
            std::vector<double>& squares = squares_[link.makes];
            run(link, values_);
            disturb(made, exact, link, seed == 0 ? 0 : mixed(seed ^ mixed(l)), scale);
            for (std::size_t i = 0; i < made.size(); ++i) {
                const double moved = (made[i] - exact[i]) / scale;
                const double least = moved == 0 ? 0 : std::numeric_limits<double>::min();  // the square may underflow
                squares[i] += moved * moved + least;
            }
        }
    }

    // Moves from this object to save memory.
    Limits limits(std::size_t runs, double factor) && {
        Arena limits = std::move(squares_);
        for (const Link& link : links_) {
            std::vector<double>& squares = limits[link.makes];
            for (std::size_t i = 0; i < squares.size(); ++i) {
                const double apart = squares_apart_.empty() ? 0 : squares_apart_[link.makes][i];
                const double largest = std::isnan(apart) || apart > squares[i] ? apart : squares[i];
                squares[i] = factor * std::sqrt(largest / static_cast<double>(runs));
            }
        }
        squares_apart_ = {};
        add_kinks(limits);
        add_other_maxima(limits);
        values_ = {};
        Limits all;
        for (const Link& link : links_) {
            // A step may overflow if its inputs have errors as large as their limits, as in a division by zero.
            const std::vector<Rounded> bounds = bounds_of(link, exact_, &limits);
            for (std::size_t i = 0; i < bounds.size(); ++i) {
                if (!std::isfinite(bounds[i].error) || std::isnan(limits[link.makes][i])) {
                    limits[link.makes][i] = std::numeric_limits<double>::infinity();
                }
            }
        }
        for (const Link& link : links_) {
            all[link.step->makes] = std::move(limits[link.makes]);
        }
        return all;
    }

private:
    using Arena = std::vector<std::vector<double>>;

    void clear_squares() {
        squares_.assign(values_.size(), {});
        for (std::size_t v = 0; v < values_.size(); ++v) {
            squares_[v].assign(values_[v].size(), 0.0);
        }
    }

    struct Link {
        const Step* step;
        std::size_t makes;
        std::vector<double> deviation;  // of each element's own rounding
        double equal_terms = 1;         // of a sum over rows: how many equal each of its terms, on average
        std::optional<Kink> kink;
    };

    // An element of a link's result that may be on either side of its kink.
    struct AtKink {
        std::size_t link, element;
    };

    std::vector<AtKink> at_kinks(const Arena& limits) const {
        std::vector<AtKink> found;
        for (std::size_t l = 0; l < links_.size(); ++l) {
            const std::vector<double>& exact = exact_[links_[l].makes];
            for (std::size_t i = 0; links_[l].kink == Kink::at_zero && i < exact.size(); ++i) {
                if (std::abs(exact[i]) <= limits[links_[l].makes][i]) {
                    found.push_back({l, i});
                }
            }
        }
        return found;
    }

    // Adds the distance by which every value moves when these elements cross their kink. They are divided among a few
    // runs, so that one effect does not hide another.
    void add_kinks(Arena& limits) {
        constexpr std::size_t kMostRuns = 8;
        const std::vector<AtKink> all = at_kinks(limits);
        for (std::size_t run = 0; run < std::min(all.size(), kMostRuns); ++run) {
            for (std::size_t l = 0; l < links_.size(); ++l) {
                const Link& link = links_[l];
                std::vector<double>& made = values_[link.makes];
                this->run(link, values_);
                for (std::size_t k = run; k < all.size(); k += kMostRuns) {
                    if (all[k].link == l) {
                        double& x = made[all[k].element];
                        x = x == 0 ? static_cast<double>(std::numeric_limits<float>::min()) : -x;
                    }
                }
                for (std::size_t i = 0; i < made.size(); ++i) {
                    limits[link.makes][i] += std::abs(made[i] - exact_[link.makes][i]);
                }
            }
        }
    }

    // If several elements of a row may be its largest, the gradient of the row's maximum may go to any of them.
    void add_other_maxima(Arena& limits) const {
        for (const Link& value : links_) {
            const auto gradient = std::ranges::find_if(
                links_, [&](const Link& link) { return link.step->makes == gradient_of(value.step->makes); });
            if (value.kink != Kink::at_largest || gradient == links_.end()) {
                continue;
            }
            const std::size_t rows = value.step->shape[0];
            for (const std::string& read : gradient->step->reads) {
                if (!is_index(read) && exact_[places_.at(read)].size() == rows) {
                    add_other_maxima(limits, value, places_.at(read), limits[gradient->makes]);
                }
            }
        }
    }

    void add_other_maxima(const Arena& limits, const Link& value, std::size_t of_maximum,
                          std::vector<double>& to) const {
        const std::vector<double>&x = exact_[value.makes], &off = limits[value.makes];
        const std::size_t rows = value.step->shape[0], columns = value.step->shape[1];
        for (std::size_t i = 0; i < rows; ++i) {
            const auto row = x.begin() + static_cast<std::ptrdiff_t>(i * columns);
            const auto largest =
                static_cast<std::size_t>(std::max_element(row, row + static_cast<std::ptrdiff_t>(columns)) - x.begin());
            const double own =
                std::abs(exact_[of_maximum][i]) + (limits[of_maximum].empty() ? 0 : limits[of_maximum][i]);
            const auto may_be_largest = [&](std::size_t at) { return x[largest] - x[at] <= off[largest] + off[at]; };
            bool is_certain = true;
            for (std::size_t at = i * columns; at < (i + 1) * columns; ++at) {
                is_certain = is_certain && (at == largest || !may_be_largest(at));
            }
            for (std::size_t at = i * columns; at < (i + 1) * columns; ++at) {
                to[at] += !is_certain && may_be_largest(at) ? own : 0;
            }
        }
    }

    std::size_t place(const std::string& name) {
        const auto [found, is_new] = places_.try_emplace(name, values_.size());
        if (is_new) {
            values_.emplace_back();
        }
        return found->second;
    }

    void given(const std::string& name, std::vector<double> values) { values_[place(name)] = std::move(values); }

    const std::int64_t* indices(const std::string& name) const { return name == "X" ? X_ : Y_; }

    void run(const Link& link, Arena& values) const {
        execute(*link.step, values[link.makes].data(), [&](const std::string& name) -> Operand<double> {
            if (is_index(name)) {
                return indices(name);
            }
            return values[places_.at(name)].data();
        });
    }

    // The standard deviation of the step's own rounding of each element, for exact inputs. NaN if float may overflow,
    // so that every value that depends on it is unknown.
    static std::vector<double> own_deviation(const Link& link, const std::vector<Rounded>& bounds, bool any_order) {
        std::vector<double> deviation(bounds.size());
        for (std::size_t i = 0; i < bounds.size(); ++i) {
            const Rounded& bound = bounds[i];
            deviation[i] = !std::isfinite(bound.error) ? std::numeric_limits<double>::quiet_NaN()
                           : any_order                 ? bound.deviation_in_any_order(link.equal_terms)
                                                       : std::sqrt(bound.variance);
        }
        return deviation;
    }

    // Runs the step on numbers that carry their errors: 0, or `errors`.
    std::vector<Rounded> bounds_of(const Link& link, const Arena& values, const Arena* errors) const {
        std::vector<std::vector<Rounded>> copies;
        std::vector<Rounded> bounds(count(link.step->shape));
        execute(*link.step, bounds.data(), [&](const std::string& name) -> Operand<Rounded> {
            if (is_index(name)) {
                return indices(name);
            }
            const std::size_t place = places_.at(name);
            const std::vector<double>& numbers = values[place];
            std::vector<Rounded>& copy = copies.emplace_back(numbers.size());
            const std::vector<double>* off = errors != nullptr ? &(*errors)[place] : nullptr;
            for (std::size_t i = 0; i < numbers.size(); ++i) {
                copy[i].value = numbers[i];
                copy[i].error = off != nullptr && !off->empty() ? (*off)[i] : 0;
                // A mean of squares is never negative, so that its root exists. An infinite error stays infinite: a
                // value that may have overflowed is unknown.
                if (not_negative_[place] && numbers[i] >= 0 && copy[i].error > numbers[i] &&
                    std::isfinite(copy[i].error)) {
                    copy[i].error = numbers[i];
                }
            }
            return copy.data();
        });
        return bounds;
    }

    // Moves each element by its own rounding. The sign follows from the element's exact value, so that equal values
    // move alike; half as much moves all elements together. Equal values may also have different errors: the oracle
    // rounds in double and sums in its own order, and in float other instructions may compute the last rows of a loop.
    // So each element moves separately too. Stream 0 moves nothing, but rounds what float cannot represent.
    void disturb(std::vector<double>& made, const std::vector<double>& exact, const Link& link, std::uint64_t stream,
                 double scale) const {
        const double together = 0.5 * sign_of(stream);
        const double size = stream == 0 ? 0 : scale;
        std::uint64_t apart = 0;  // a bit an element
        for (std::size_t i = 0; i < made.size(); ++i) {
            apart = i % 64 == 0 ? mixed(stream + i + 1) : apart << 1;
            if (link.deviation[i] != 0) {
                const double own = sign_of(mixed(stream ^ std::bit_cast<std::uint64_t>(exact[i])));
                made[i] += size * link.deviation[i] * (own + together + apart_ * sign_of(apart));
                made[i] = not_negative_[link.makes] && made[i] < 0 ? 0 : made[i];
            }
            made[i] = within_float(made[i]);
        }
    }

    const std::int64_t* X_;
    const std::int64_t* Y_;
    double equal_rows_;
    bool all_equal_;
    double apart_;  // the part of a step's rounding that differs between equal values
    std::map<std::string, std::size_t> places_;
    std::vector<std::vector<double>> values_, exact_, squares_, squares_apart_;
    std::vector<Link> links_;
    std::vector<bool> not_negative_;  // of each value, by its range
};

// P(|t| > x) ∝ ∫ (1 + t²/ν)^(−(ν + 1)/2) dt from x to ∞. With t = √ν·tan θ the integrand is cos^(ν − 1) θ; Simpson's
// rule.
double student_tail(std::size_t degrees, double x) {
    const auto nu = static_cast<double>(degrees);
    const double from = std::atan(x / std::sqrt(nu)), to = std::acos(0.0);
    constexpr int kIntervals = 400;
    const double width = (to - from) / kIntervals;
    double sum = 0;
    for (int i = 0; i <= kIntervals; ++i) {
        const double weight = i == 0 || i == kIntervals ? 1 : i % 2 == 1 ? 4 : 2;
        sum += weight * std::pow(std::max(std::cos(from + width * i), 0.0), nu - 1);
    }
    const double constant = std::exp(std::lgamma((nu + 1) / 2) - std::lgamma(nu / 2)) / std::sqrt(std::acos(-1.0));
    return 2 * constant * sum * width / 3;
}

}  // namespace

double student_t(std::size_t degrees, double p) {
    double low = 0, high = 1;
    while (student_tail(degrees, high) > p) {
        high *= 2;
    }
    while (high - low > 1e-13 * high) {
        const double middle = (low + high) / 2;
        (student_tail(degrees, middle) > p ? low : high) = middle;
    }
    return high;
}

Limits chain_limits(const Graph& graph, const Tensors<float>& state, const Batch& batch, float rate,
                    const MonteCarloConfig& config, const OtherRounding& other) {
    Chain chain(graph, state, batch, rate);
    chain.run_exactly(mixed(~config.seed), other);
    chain.run_disturbed(0, 1);
    // One run in four is disturbed more, so that another value of a row becomes the largest, or a value crosses its
    // kink.
    constexpr std::size_t kFurther = 4;
    const auto run_all = [&] {
        for (std::size_t run = 0; run < config.runs; ++run) {
            chain.run_disturbed(mixed(config.seed) + run, run % kFurther == kFurther - 1 ? 4 : 1);
        }
    };
    run_all();
    if (chain.all_rows_are_equal()) {
        chain.keep_together();
        run_all();
    }
    return std::move(chain).limits(config.runs, student_t(config.runs, config.false_alarm));
}

Limits wider(Limits limits, const Limits& others) {
    for (const auto& [name, other] : others) {
        const auto [place, is_new] = limits.try_emplace(name, other);
        for (std::size_t i = 0; !is_new && i < other.size(); ++i) {
            place->second[i] = std::max(place->second[i], other[i]);
        }
    }
    return limits;
}

Limits in_double(Limits limits, const Graph& network) {
    for (const StepList* list : {&network.forward, &network.backward}) {
        for (const Step& step : *list) {
            if (const auto known = limits.find(step.makes); known != limits.end()) {
                std::ranges::for_each(known->second, [](double& limit) { limit *= 2 * kDoubles; });
            }
        }
    }
    return limits;
}

}  // namespace byhand

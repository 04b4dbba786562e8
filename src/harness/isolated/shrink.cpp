#include "harness/isolated/shrink.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <deque>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/process.h"
#include "harness/isolated/run_calls.h"

namespace byhand {
namespace {

// An error of this share of the value is large enough, even if it is smaller than at first.
constexpr double kPlain = 0.01;

constexpr std::size_t kFew = 9;

constexpr std::size_t kMostTimeOuts = 5;

// A run that sleeps or waits uses no CPU time; the limit of elapsed time is this many times as large.
constexpr int kElapsed = 5;

// An extent of a network. If a value's axis combines two, as embcat's, `outer` marks the first.
struct Dimension {
    std::function<std::size_t&(NetworkSize&)> extent;
    bool outer = false;
    bool classes = false;  // X and Y count them
    std::size_t least = 1;
};

std::vector<Dimension> dimensions_of(const NetworkConfig& network) {
    std::vector<Dimension> all = {
        {.extent = [](NetworkSize& size) -> std::size_t& { return size.rows; }, .outer = true},  // B and positions
        {.extent = [](NetworkSize& size) -> std::size_t& { return size.network.vocabulary; },
         .classes = true,
         .least = 2},
    };
    const std::vector<std::size_t> first = first_as_wide(network);
    for (std::size_t l = 0; l < first.size(); ++l) {
        if (first[l] == l) {
            all.push_back({.extent = [l](NetworkSize& size) -> std::size_t& {
                return hidden_linears(size.network)[l]->outputs;
            }});
        }
    }
    all.push_back({.extent = [](NetworkSize& size) -> std::size_t& { return size.network.embedding; }});
    all.push_back({.extent = [](NetworkSize& size) -> std::size_t& { return size.network.context; }, .outer = true});
    return all;
}

// The position of each element of a smaller shape in a larger one, where the indices `kept` remain of a dimension with
// `before` indices. None if an axis is not a multiple of it.
std::optional<std::vector<std::size_t>> sources(const Shape& large, const Shape& small,
                                                const std::vector<std::size_t>& kept, std::size_t before, bool outer) {
    std::vector<std::size_t> all = {0};
    for (std::size_t axis = 0; axis < large.size(); ++axis) {
        const std::size_t from = large[axis], to = small[axis];
        if (from != to && (from % before != 0 || to != from / before * kept.size())) {
            return std::nullopt;
        }
        const std::size_t inner = outer ? from / before : 1, parts = kept.size() * inner;
        std::vector<std::size_t> next;
        for (const std::size_t begin : all) {
            for (std::size_t i = 0; i < to; ++i) {
                const std::size_t place =
                    from == to ? i : i / parts * before * inner + kept[i % parts / inner] * inner + i % inner;
                next.push_back(begin * from + place);
            }
        }
        all = std::move(next);
    }
    return all;
}

template <class T>
std::vector<T> picked(std::span<const T> all, const std::vector<std::size_t>& places) {
    std::vector<T> some;
    some.reserve(places.size());
    for (const std::size_t place : places) {
        some.push_back(all[place]);
    }
    return some;
}

// Indices of classes when some are left out; none if one of those occurs.
std::optional<std::vector<std::int64_t>> renumbered(std::vector<std::int64_t> indices,
                                                    const std::vector<std::size_t>& kept) {
    for (std::int64_t& index : indices) {
        const auto place = std::ranges::lower_bound(kept, static_cast<std::size_t>(index));
        if (place == kept.end() || *place != static_cast<std::size_t>(index)) {
            return std::nullopt;
        }
        index = place - kept.begin();
    }
    return indices;
}

template <class T>
double rounded(T x, int digits) {
    std::array<char, 32> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), x, std::chars_format::scientific, digits - 1);
    T near = x;
    std::from_chars(text.data(), end.ptr, near);
    return static_cast<double>(near);
}

// The number rounded to this many digits, as the nearest float or double.
double rounded(double x, int digits, bool in_double) {
    return in_double ? rounded(x, digits) : rounded(static_cast<float>(x), digits);
}

// The length of a number in writing.
int complexity(double x, bool in_double) {
    int digits = 1;
    while (digits < (in_double ? 17 : 9) && rounded(x, digits, in_double) != x) {
        ++digits;
    }
    return x == 0 ? (std::signbit(x) ? 3 : 0) : x == 1 ? 1 : x == -1 ? 2 : 3 + digits;
}

// Equal, or both NaN.
template <class T>
bool is_same(T a, T b) {
    return a == b || (std::isnan(static_cast<double>(a)) && std::isnan(static_cast<double>(b)));
}

// The error relative to the value.
double severity(const Trial& trial) {
    const Worst worst = trial.worst.value_or(Worst());
    const double ours = worst.ours, right = worst.right.value_or(0), scale = std::max(std::abs(ours), std::abs(right));
    return scale > 0 ? std::abs(ours - right) / scale : 0;
}

// A fault, such as an exception, and an element that is not written have no size, whatever the numbers are.
bool is_same_kind(const Trial& now, const Trial& first) {
    return now.verdict == first.verdict && now.note.empty() == first.note.empty() &&
           (!first.note.empty() || first.verdict == Verdict::unwritten ||
            !(severity(now) < std::min(severity(first), kPlain)));
}

class Shrinker {
public:
    Shrinker(std::string makes, std::vector<std::string> reads, NetworkSize size, Tensors<double> values,
             const Shrinking& how)
        : makes_(std::move(makes)),
          reads_(std::move(reads)),
          size_(std::move(size)),
          values_(std::move(values)),
          how_(how),
          tries_(how.tries),
          end_cpu_(cpu_time() + how.time),
          end_(std::chrono::steady_clock::now() + kElapsed * how.time) {}

    std::shared_ptr<const SmallestInput> run() {
        leave_out_what_is_not_read();
        if (!is_wrong(size_, values_)) {
            return nullptr;
        }
        allow_one_row();
        const std::vector<Dimension> dimensions = dimensions_of(size_.network);
        for (bool goes_on = true; goes_on && tries_ > 0;) {
            goes_on = false;
            for (const Dimension& dimension : dimensions) {
                goes_on = leave_out(dimension) || goes_on;
            }
        }
        while (simplify()) {  // a simpler value may allow another to be simplified
        }
        const Step& right = *step();
        values_.keep([&](const std::string& name) { return std::ranges::find(reads_, name) != reads_.end(); });
        return std::make_shared<const SmallestInput>(
            SmallestInput{makes_, right.shape, reads_, size_, std::move(values_), made_, right_});
    }

private:
    const SizedForm& at(const NetworkSize& size) {
        for (const auto& [known, form] : forms_) {
            if (known == size) {
                return form;
            }
        }
        return forms_.emplace_back(size, how_.form.at(size.network, size.rows)).second;
    }

    const Step* step() { return step_at(size_); }
    const Step* step_at(const NetworkSize& size) { return find_step(at(size).graph, makes_); }

    void leave_out_what_is_not_read() {
        const Step* right = step();
        if (right == nullptr) {
            return;
        }
        const SizedForm& form = at(size_);
        const std::vector<TensorSpec> read = read_by(*right, reads_, *form.reference_operations, form.shapes);
        values_.keep(
            [&](const std::string& name) { return std::ranges::find(read, name, &TensorSpec::name) != read.end(); });
    }

    // Keeps the result if it is as wrong as at first.
    bool is_wrong(const NetworkSize& size, const Tensors<double>& values) {
        if (tries_ == 0 || cpu_time() >= end_cpu_ || std::chrono::steady_clock::now() >= end_) {
            tries_ = 0;
            return false;
        }
        const Step* right = step_at(size);
        if (right == nullptr) {
            return false;
        }
        --tries_;
        const StepInput input =
            make_step_input(*right, *at(size).reference_operations, std::make_shared<const Tensors<double>>(values));
        const auto is_finite = [](double x) { return std::isfinite(x); };
        // If some of the result overflows, it may continue to do so.
        const bool finite =
            std::ranges::all_of(input.exact, is_finite) && std::ranges::all_of(input.in_other_words, is_finite);
        if (first_ && finite_ && !finite) {
            return false;
        }
        StepResult made = how_.run(size, input);
        const Trial& now = made.trial;
        if (first_ && first_->note.empty() && is_time_out(now.note) && ++time_outs_ == kMostTimeOuts) {
            tries_ = 0;  // each takes the whole time limit
        }
        if (!fails(now.verdict) || (first_ && !is_same_kind(now, *first_))) {
            return false;
        }
        if (!first_) {
            first_ = now;
        }
        finite_ = finite;
        made_ = std::move(made);
        right_ = input.exact;
        return true;
    }

    // A network that divides by n − 1 has at least two rows. Values that do not depend on it are the same in one that
    // divides by n.
    void allow_one_row() {
        NetworkSize other = size_;
        other.network.norm.batch_divisor = other.network.norm.running_divisor = Divisor::n;
        if (other.network == size_.network || step_at(other) == nullptr) {
            return;
        }
        const StepInput input = make_step_input(*step_at(other), *at(other).reference_operations,
                                                std::make_shared<const Tensors<double>>(values_));
        if (std::ranges::equal(input.exact, right_, is_same<double>) &&
            std::ranges::equal(how_.run(other, input).numbers, made_.numbers, is_same<double>)) {
            size_ = other;
        }
    }

    static bool is_possible(const NetworkSize& size) {
        try {
            check_network(size.network, size.rows);
        } catch (const InputError&) {  // n − 1 of one row
            return false;
        }
        return true;
    }

    // The values, with only the kept indices of a dimension.
    std::optional<Tensors<double>> without(const Dimension& dimension, const NetworkSize& smaller,
                                           const std::vector<std::size_t>& kept) {
        const auto &before = at(size_).shapes, &after = at(smaller).shapes;
        Tensors<double> values;
        for (const View& view : values_.views()) {
            const auto shape = after.find(view.name);
            if (shape == after.end() || !before.contains(view.name) || shape->second.size() != view.shape.size()) {
                return std::nullopt;
            }
            const auto places = sources(view.shape, shape->second, kept, dimension.extent(size_), dimension.outer);
            if (!places) {
                return std::nullopt;
            }
            const TensorSpec spec{view.name, shape->second};
            if (!values_.holds_indices(view.name)) {
                values.put(spec, picked(std::span<const double>(values_[view.name]), *places));
                continue;
            }
            std::optional<std::vector<std::int64_t>> indices = picked(values_.indices(view.name), *places);
            if (dimension.classes) {
                indices = renumbered(std::move(*indices), kept);
            }
            if (!indices) {
                return std::nullopt;
            }
            values.put(spec, *indices);
        }
        return values;
    }

    // Indices begin … begin + count of a dimension.
    bool leave_out(const Dimension& dimension, std::size_t begin, std::size_t count) {
        const std::size_t extent = dimension.extent(size_);
        std::vector<std::size_t> kept(extent);
        std::iota(kept.begin(), kept.end(), 0U);
        const auto first = kept.begin() + static_cast<std::ptrdiff_t>(begin);
        kept.erase(first, first + static_cast<std::ptrdiff_t>(std::min(count, extent - begin)));
        NetworkSize smaller = size_;
        dimension.extent(smaller) = kept.size();
        share_widths(smaller.network);
        const bool is_shared = dimension.extent(smaller) != kept.size();  // the embedding determines it
        if (is_shared || kept.size() < dimension.least || !is_possible(smaller)) {
            return false;
        }
        std::optional<Tensors<double>> values = without(dimension, smaller, kept);
        if (!values || !is_wrong(smaller, *values)) {
            return false;
        }
        size_ = smaller;
        values_ = std::move(*values);
        return true;
    }

    bool leave_out(const Dimension& dimension) {
        bool some = false;
        // A remainder occurs at few sizes, which halving would miss.
        for (std::size_t few = dimension.least; few <= kFew && !some; ++few) {
            some = few < dimension.extent(size_) && leave_out(dimension, few, dimension.extent(size_) - few);
        }
        for (std::size_t many = dimension.extent(size_) / 2; many > 0 && tries_ > 0; many /= 2) {
            for (std::size_t begin = 0; begin < dimension.extent(size_) && tries_ > 0;) {
                if (leave_out(dimension, begin, many)) {
                    some = true;
                } else {
                    begin += many;
                }
            }
        }
        return some;
    }

    // Applies `simpler` to elements begin … end of a value, all at once; if that removes the error, to each half.
    template <class T, class Simpler>
    void simplify(const TensorSpec& spec, const std::vector<T>& all, std::size_t begin, std::size_t end,
                  Simpler simpler, std::vector<T>& kept) {
        std::vector<T> changed = kept;
        for (std::size_t i = begin; i < end; ++i) {
            changed[i] = simpler(all[i]);
        }
        if (std::ranges::equal(changed, kept, is_same<T>) || tries_ == 0) {
            return;
        }
        Tensors<double> values = values_;
        values.put(spec, changed);
        if (is_wrong(size_, values)) {
            values_ = std::move(values);
            kept = std::move(changed);
        } else if (end - begin > 1) {
            const std::size_t middle = begin + (end - begin) / 2;
            simplify(spec, all, begin, middle, simpler, kept);
            simplify(spec, all, middle, end, simpler, kept);
        }
    }

    template <class T, class Simpler>
    bool simplify(const TensorSpec& spec, std::span<const T> now, Simpler simpler) {
        std::vector<T> kept(now.begin(), now.end());  // `now` is invalid once values are kept
        const std::vector<T> all = kept;
        simplify(spec, all, 0, all.size(), simpler, kept);
        return !std::ranges::equal(kept, all, is_same<T>);
    }

    // Whether some element became simpler.
    bool simplify() {
        bool some = false;
        std::vector<TensorSpec> specs = values_.table();
        std::ranges::sort(specs, {}, &TensorSpec::name);
        for (const TensorSpec& spec : specs) {
            if (values_.holds_indices(spec.name)) {
                some |= simplify<std::int64_t>(spec, values_.indices(spec.name),
                                               [](std::int64_t) { return std::int64_t{0}; });
                continue;
            }
            const std::map<std::string, ValueRange>& ranges = at(size_).graph.ranges;
            const auto known = ranges.find(spec.name);
            const ValueRange range = known != ranges.end() ? known->second : ValueRange{};
            const auto within = [&](double x, double other) {
                const bool is_simpler = complexity(other, how_.in_double) < complexity(x, how_.in_double);
                return other >= range.low && other <= range.high && is_simpler ? other : x;
            };
            for (const double simple : {0.0, 1.0, -1.0}) {
                some |= simplify<double>(spec, values_[spec.name], [&](double x) { return within(x, simple); });
            }
            for (const int digits : {1, 2, 3}) {
                some |= simplify<double>(spec, values_[spec.name],
                                         [&](double x) { return within(x, rounded(x, digits, how_.in_double)); });
            }
        }
        return some;
    }

    std::string makes_;
    std::vector<std::string> reads_;
    NetworkSize size_;
    Tensors<double> values_;
    const Shrinking& how_;
    std::size_t tries_, time_outs_ = 0;
    std::chrono::microseconds end_cpu_;
    std::chrono::steady_clock::time_point end_;
    std::optional<Trial> first_;
    bool finite_ = false;  // the exact result and its limits
    StepResult made_;
    std::vector<double> right_;
    std::deque<std::pair<NetworkSize, SizedForm>> forms_;
};

}  // namespace

std::shared_ptr<const SmallestInput> shrink(const std::string& makes, const std::vector<std::string>& reads,
                                            const NetworkSize& size, const Tensors<double>& values,
                                            const Shrinking& how) {
    std::vector<std::string> once;
    for (const std::string& read : reads) {
        if (std::ranges::find(once, read) == once.end()) {
            once.push_back(read);
        }
    }
    return Shrinker(makes, std::move(once), size, values, how).run();
}

}  // namespace byhand

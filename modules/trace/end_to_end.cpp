#include "trace/end_to_end.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/hash.h"
#include "base/narrow.h"
#include "library/checked.h"

namespace byhand {
namespace {

// Five numbers in double for each element are in memory at a time.
constexpr std::size_t kMostElements = 200'000'000;
// Evaluations of all formulations and orders of sums (random_rounding.h), so that seeds this far apart are of the same.
constexpr std::uint64_t kSeedsApart = 384;  // 32 times 12

View view_of_stored(const StoredTensor& tensor, const std::string& name) {
    return {name, tensor.shape, tensor.dtype, tensor.bytes.data()};
}

// Each number becomes one of its two neighbours of that type, the nearer one with the larger probability.
void round_at_random(std::vector<double>& numbers, DType type, std::uint64_t state) {
    for (double& x : numbers) {
        state = mixed(state + 1);
        const double shift = static_cast<double>(state >> 11) * 0x1p-53 - 0.5;  // from −½ to ½
        x = rounded_to(type, std::isfinite(x) ? x + shift * spacing_at(x, type) : x);
    }
}

// Each number becomes one that is rounded to it in that type.
void shift_at_random(std::vector<double>& numbers, DType type, std::uint64_t state) {
    for (double& x : numbers) {
        state = mixed(state + 1);
        x += std::isfinite(x) ? (static_cast<double>(state >> 11) * 0x1p-53 - 0.5) * spacing_at(x, type) : 0;
    }
}

// What is off by rounding in float is off as if it were computed in 16 bits.
void move_further(std::vector<double>& numbers, const std::vector<double>& exact, double units) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const double by = (numbers[i] - exact[i]) * units;
        numbers[i] = std::isfinite(by) ? exact[i] + by : numbers[i];
    }
}

}  // namespace

std::vector<double> numbers_of(const StoredTensor& tensor) {
    const View view = view_of_stored(tensor, "");
    std::vector<double> numbers(count(tensor.shape));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = value_at(view, i);
    }
    return numbers;
}

std::shared_ptr<const Picture> picture_of(const std::vector<double>& ours, const std::vector<double>& right,
                                          const Shape& shape, const std::vector<double>& limits) {
    const View a{"", shape, DType::float64, ours.data()}, b{"", shape, DType::float64, right.data()};
    return std::make_shared<const Picture>(picture_of(a, b, nullptr, limits, TooWide::decides));
}

Difference difference_of(const StoredTensor& a, const StoredTensor& b, std::vector<double> limits, bool with_picture) {
    Trial trial;
    std::shared_ptr<const Picture> picture;
    if (a.shape != b.shape) {
        trial.verdict = Verdict::shape;
        trial.note = to_string(a.shape) + " in A, " + to_string(b.shape) + " in B";
    } else {
        std::vector<double> ours = numbers_of(a), right = numbers_of(b);
        for (std::size_t i = 0; i < right.size(); ++i) {
            if (!std::isfinite(right[i]) && same_class(ours[i], right[i])) {  // the same ∞ or NaN is no difference
                ours[i] = right[i] = limits[i] = 0;
            }
        }
        trial = trial_of(std::span<const double>(ours),
                         {a.name, a.shape, right, limits, [&] { return extents_of(a.shape); }});
        if (with_picture && fails(trial.verdict)) {
            picture = picture_of(ours, right, a.shape, limits);
        }
    }
    trial.shape = a.shape;
    return {static_cast<const Finding&>(trial), std::move(picture)};
}

EndToEnd::EndToEnd(const std::vector<const TracedJob*>& judged, const std::set<std::string>& made, const Dumps& dumps)
    : dumps_(dumps) {
    std::set<std::string> whole;  // numbers, as a mask: as A has them, which are exact
    for (const TracedJob* job : judged) {
        const bool is_known = std::ranges::all_of(job->reads, [&](const std::string& name) {
            return places_.contains(name) || whole.contains(name) || !made.contains(name);
        });
        if (is_integer(dumps.read_a(job->makes)->dtype)) {
            whole.insert(job->makes);
        } else if (is_known) {
            places_.emplace(job->makes, jobs_.size());
            jobs_.push_back(job);
        }
    }
}

std::vector<Computed> EndToEnd::evaluate(Precision precision) const {
    std::vector<Computed> made;
    // B's may be any number that is rounded to A's, or the other way round.
    std::map<std::string, std::vector<double>> moved;
    for (const auto& [name, type] : rounded_) {
        if (precision.seed != 0) {
            moved[name] = numbers_of(inputs_.at(name));
            shift_at_random(moved[name], type, mixed(precision.seed + kSeedsApart * moved.size()));
        }
    }
    for (const TracedJob* job : jobs_) {
        std::vector<View> given;
        for (const std::string& name : job->reads) {
            const auto place = places_.find(name);
            if (place != places_.end()) {
                const Computed& value = made[place->second];
                given.push_back({name, value.shape, DType::float64, value.numbers.data()});
            } else if (const auto other = moved.find(name); other != moved.end()) {
                given.push_back({name, inputs_.at(name).shape, DType::float64, other->second.data()});
            } else {
                given.push_back(view_of_stored(inputs_.at(name), name));
            }
        }
        // Steps round independently of each other.
        const std::uint64_t apart = precision.seed == 0 ? 0 : kSeedsApart * (made.size() + 1);
        const Precision own{precision.type, precision.seed + apart};
        Computed value = job->right(given, own).at(0);
        const auto type = types_.find(job->makes);
        if (precision.type == DType::float32 && type != types_.end()) {
            if (own.seed != 0) {
                move_further(value.numbers, job->right(given, {}).at(0).numbers,
                             spacing_at(1, type->second) / spacing_at(1, DType::float32));
            }
            round_at_random(value.numbers, type->second, mixed(own.seed));
        }
        value.name = job->makes;
        made.push_back(std::move(value));
    }
    return made;
}

void EndToEnd::add_input(const std::string& name) {
    const StoredTensor& ours = inputs_.emplace(name, *dumps_.read_a(name)).first->second;
    const std::optional<StoredTensor> b = dumps_.read_b(name);
    if (b && b->dtype != ours.dtype && !is_integer(ours.dtype) && !is_integer(b->dtype)) {
        rounded_[name] = is_narrow(b->dtype) ? b->dtype : is_narrow(ours.dtype) ? ours.dtype : DType::float32;
    }
}

std::string EndToEnd::run() {
    std::size_t elements = 0;
    bool in_double = false;
    for (const TracedJob* job : jobs_) {
        const std::optional<StoredTensor> a = dumps_.read_a(job->makes), b = dumps_.read_b(job->makes);
        elements += count(a->shape);
        in_double = in_double || a->dtype == DType::float64;
        for (const std::optional<StoredTensor>& one : {a, b}) {
            if (one && is_narrow(one->dtype)) {
                types_[job->makes] = one->dtype;
            }
        }
    }
    if (elements > kMostElements) {
        return "not compared with B within limits: the graph makes " + std::to_string(elements) +
               " numbers, and limits are computed of at most " + std::to_string(kMostElements);
    }
    for (const TracedJob* job : jobs_) {
        for (const std::string& name : job->reads) {
            if (!places_.contains(name) && !inputs_.contains(name)) {
                add_input(name);
            }
        }
    }
    const Evaluate all = [this](const std::vector<View>& /*none*/, Precision precision) { return evaluate(precision); };
    try {
        sampled_ = sampled(all, {});
        if (in_double) {
            sample_in_double(all, {}, sampled_);
        }
    } catch (const std::invalid_argument& error) {
        sampled_.clear();
        return std::string("not compared with B within limits: ") + error.what();
    }
    return "";
}

std::optional<Difference> EndToEnd::difference(const std::string& name) const {
    const std::optional<StoredTensor> a = dumps_.read_a(name), b = dumps_.read_b(name);
    if (!a || !b || is_integer(a->dtype) || is_integer(b->dtype)) {
        return std::nullopt;
    }
    const auto place = places_.find(name);
    if (sampled_.empty() || place == places_.end()) {
        Finding found = difference_of(*a, *b, std::vector<double>(count(b->shape)), false).finding;
        found.verdict = found.verdict == Verdict::shape ? Verdict::shape : Verdict::undecided;
        found.limit.reset();
        found.used.reset();
        return Difference{std::move(found)};
    }
    const Sampled& right = sampled_[place->second];
    if (right.limits.size() != count(b->shape)) {
        return difference_of(*a, *b, std::vector<double>(count(b->shape)), dumps_.pictures);
    }
    std::vector<double> limits = limits_in(a->dtype, right, right.limits);
    std::ranges::transform(limits, limits_in(b->dtype, right, right.limits), limits.begin(), std::plus());
    return difference_of(*a, *b, limits, dumps_.pictures);
}

}  // namespace byhand

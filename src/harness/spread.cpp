#include "harness/spread.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace byhand {
namespace {

using Bound = Rounded<float>;

// A stream of ±1.
class Signs {
public:
    explicit Signs(std::uint64_t seed) : state_(seed) {}

    double next() {
        if (left_ == 0) {
            bits_ = mixed();
            left_ = 64;
        }
        const double sign = (bits_ & 1) != 0 ? 1 : -1;
        bits_ >>= 1;
        --left_;
        return sign;
    }

private:
    // splitmix64 (Steele, Lea and Flood 2014).
    std::uint64_t mixed() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    std::uint64_t state_;
    std::uint64_t bits_ = 0;
    int left_ = 0;
};

// As float would keep it, where float is about to lose it: below its normal numbers, or above its largest.
double within_float(double value) {
    const double magnitude = std::abs(value);
    const bool normal =
        magnitude >= std::numeric_limits<float>::min() && magnitude <= std::numeric_limits<float>::max();
    return normal ? value : static_cast<double>(static_cast<float>(value));
}

// The network's values under numbers instead of names.
class Chain {
public:
    Chain(const StepNetwork<double>& network, const StepNetwork<Bound>& bounds, const Tensors<float>& state,
          const Batch& batch, float rate)
        : X_(batch.X), Y_(batch.Y) {
        for (const TensorSpec& spec : state.table()) {
            const std::span<const float> values = state[spec.name];
            given(spec.name, {values.begin(), values.end()});
        }
        given("rate", {static_cast<double>(rate)});
        const std::vector<const Step<double>*> steps = all_steps(network);
        const std::vector<const Step<Bound>*> bound_steps = all_steps(bounds);
        for (std::size_t s = 0; s < steps.size(); ++s) {
            Link link{steps[s], bound_steps.at(s), place(steps[s]->makes), {}, {}};
            for (const std::string& name : steps[s]->reads) {
                link.reads.push_back(name == "X" ? kX : name == "Y" ? kY : static_cast<int>(places_.at(name)));
            }
            values_[link.makes].resize(count(steps[s]->shape));
            links_.push_back(std::move(link));
        }
    }

    // Undisturbed, and with it the size of each step's own rounding.
    void run_exactly() {
        for (Link& link : links_) {
            run(link);
            std::vector<std::vector<Bound>> copies;
            std::vector<Operand<Bound>> operands;
            for (const int read : link.reads) {
                if (read < 0) {
                    operands.emplace_back(read == kX ? X_ : Y_);
                } else {
                    const std::vector<double>& values = values_[static_cast<std::size_t>(read)];
                    std::vector<Bound>& copy = copies.emplace_back(values.size());
                    for (std::size_t i = 0; i < values.size(); ++i) {
                        copy[i].value = values[i];
                    }
                    operands.emplace_back(static_cast<const Bound*>(copy.data()));
                }
            }
            std::vector<Bound> bounds(values_[link.makes].size());
            link.bound->run(bounds.data(), operands);
            link.deviation.resize(bounds.size());
            for (std::size_t i = 0; i < bounds.size(); ++i) {
                // Where float may leave its range, all that follows is unknown.
                link.deviation[i] = std::isfinite(bounds[i].error) ? std::sqrt(bounds[i].variance)
                                                                   : std::numeric_limits<double>::quiet_NaN();
            }
        }
        exact_ = values_;
        squares_.resize(values_.size());
        for (std::size_t v = 0; v < values_.size(); ++v) {
            squares_[v].assign(values_[v].size(), 0.0);
        }
    }

    void run_perturbed(std::uint64_t seed) {
        Signs signs(seed);
        for (const Link& link : links_) {
            run(link);
            std::vector<double>& made = values_[link.makes];
            std::vector<double>& squares = squares_[link.makes];
            const double together = signs.next();
            for (std::size_t i = 0; i < made.size(); ++i) {
                if (link.deviation[i] != 0) {
                    made[i] += link.deviation[i] * (signs.next() + together);
                }
                made[i] = within_float(made[i]);
                const double moved = made[i] - exact_[link.makes][i];
                squares[i] += moved * moved;
            }
        }
    }

    std::map<std::string, std::vector<double>> limits(std::size_t runs, double factor) const {
        std::map<std::string, std::vector<double>> all;
        for (const Link& link : links_) {
            std::vector<double> limits = squares_[link.makes];
            for (double& limit : limits) {
                limit = factor * std::sqrt(limit / static_cast<double>(runs));
            }
            all[link.step->makes] = std::move(limits);
        }
        return all;
    }

private:
    static constexpr int kX = -1, kY = -2;

    struct Link {
        const Step<double>* step;
        const Step<Bound>* bound;
        std::size_t makes;
        std::vector<int> reads;         // places, or kX, kY
        std::vector<double> deviation;  // of each element's own rounding
    };

    std::size_t place(const std::string& name) {
        const auto [found, is_new] = places_.try_emplace(name, values_.size());
        if (is_new) {
            values_.emplace_back();
        }
        return found->second;
    }

    void given(const std::string& name, std::vector<double> values) { values_[place(name)] = std::move(values); }

    void run(const Link& link) {
        std::vector<Operand<double>> operands;
        for (const int read : link.reads) {
            if (read < 0) {
                operands.emplace_back(read == kX ? X_ : Y_);
            } else {
                operands.emplace_back(static_cast<const double*>(values_[static_cast<std::size_t>(read)].data()));
            }
        }
        link.step->run(values_[link.makes].data(), operands);
    }

    const std::int64_t* X_;
    const std::int64_t* Y_;
    std::map<std::string, std::size_t> places_;
    std::vector<std::vector<double>> values_, exact_, squares_;
    std::vector<Link> links_;
};

// P(|t| > x): ∫ of (1 + t²/ν)^(−(ν + 1)/2) from x on, by t = √ν·tan θ, which leaves ∫ cos^(ν − 1) θ dθ (Simpson's
// rule).
double student_tail(std::size_t degrees, double x) {
    const auto nu = static_cast<double>(degrees);
    const double from = std::atan(x / std::sqrt(nu)), to = std::acos(0.0);
    constexpr int kIntervals = 2000;
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
    for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2;
        (student_tail(degrees, middle) > p ? low : high) = middle;
    }
    return high;
}

std::map<std::string, std::vector<double>> chain_limits(const StepNetwork<double>& network,
                                                        const StepNetwork<Rounded<float>>& bounds,
                                                        const Tensors<float>& state, const Batch& batch, float rate,
                                                        const SpreadConfig& config) {
    Chain chain(network, bounds, state, batch, rate);
    chain.run_exactly();
    for (std::size_t run = 0; run < config.runs; ++run) {
        chain.run_perturbed(config.seed * 0x9e3779b97f4a7c15 + run + 1);
    }
    return chain.limits(config.runs, student_t(config.runs, config.false_alarm));
}

}  // namespace byhand

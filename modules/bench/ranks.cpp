#include "bench/ranks.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <utility>

#include "bench/counting_group.h"
#include "bench/step.h"
#include "fast/models.h"
#include "ranks/parts.h"

namespace byhand::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kShortestStep = 1e-6;  // seconds

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// The number that each rank passes, on all ranks.
std::vector<float> gathered(Group& all, float own = 0) {
    std::vector<float> numbers(all.size());
    all.gather(numbers, {&own, 1});
    return numbers;
}

// A model that the ranks of a group train together, or one rank without a group.
class TimedTraining {
public:
    TimedTraining(const Run& run, Group* group) : group_(group != nullptr ? *group : single_), run_(run) {}
    TimedTraining(const TimedTraining&) = delete;
    TimedTraining& operator=(const TimedTraining&) = delete;

    CountingGroup& group() { return group_; }
    void train(std::unique_ptr<Trainable> model) {
        model_ = std::move(model);
        training_.emplace(run_, *model_);
    }

    // The first steps, which decide how many a turn has: as many as the first rank runs in `turn` seconds. Nothing on
    // ranks that do not take part, as below.
    void begin(Group& all, double turn) {
        double seconds = turn;
        if (training_) {
            training_->go_on(1);
            group_.forget();
            const Clock::time_point start = Clock::now();
            training_->go_on(1);
            seconds = std::max(seconds_since(start), kShortestStep);
            messages_ = group_.messages();
            bytes_ = group_.bytes();
            loss_ = training_->loss;
        }
        const auto steps = static_cast<float>(std::max(1.0, std::round(turn / seconds)));
        steps_ = static_cast<std::size_t>(std::lround(gathered(all, steps).front()));
    }

    void turn() {
        if (!training_) {
            return;
        }
        training_->go_on(1);
        group_.forget();
        const Clock::time_point start = Clock::now();
        training_->go_on(steps_);
        seconds_.push_back(seconds_since(start) / static_cast<double>(steps_));
        shares_.push_back(group_.seconds() / static_cast<double>(steps_) / seconds_.back());
    }

    const std::vector<double>& seconds() const { return seconds_; }
    double exchanging() const { return spread(shares_).median; }
    std::size_t messages() const { return messages_; }  // of a step
    std::size_t bytes() const { return bytes_; }
    float loss() const { return loss_; }  // after the same number of steps in all

private:
    Single single_;
    CountingGroup group_;
    const Run& run_;
    std::unique_ptr<Trainable> model_;
    std::optional<Training> training_;
    std::size_t steps_ = 1;  // of a turn
    float loss_ = 0;
    std::vector<double> seconds_, shares_;
    std::size_t messages_ = 0, bytes_ = 0;
};

// What is measured of N ranks.
struct RankTiming {
    std::size_t ranks = 1, parts = 1;
    TimedTraining *ours = nullptr, *torch = nullptr;
};

class Measurement {
public:
    Measurement(const Run& run, Group& all, const torch_ref::Factory* torch) : run_(run), all_(all), torch_(torch) {}

    // With the batch as a whole.
    TimedTraining& whole(bool by_torch) {
        TimedTraining& made = trainings_.emplace_back(run_, nullptr);
        if (all_.rank() == 0) {
            made.train(by_torch ? torch_->module_model(network(), rows(), Keep::needed, {})
                                : make_hand_model(HandForm::fused, network(), rows()));
        }
        return made;
    }

    // In parts, by the first `ranks` ranks.
    TimedTraining& in_parts(Group* group, std::size_t ranks, std::size_t parts, bool by_torch = false) {
        TimedTraining& made = trainings_.emplace_back(run_, group);
        if (all_.rank() < ranks) {
            made.train(by_torch ? torch_->module_model(network(), rows(), Keep::needed, {parts, &made.group()})
                                : make_model_in_parts(HandForm::fused, network(), rows(), {parts, &made.group()}));
        }
        return made;
    }

    // Turns of all, each as often at every place of a round.
    void run(std::size_t rounds, double turn) {
        for (TimedTraining& training : trainings_) {
            training.begin(all_, turn);
        }
        for (std::size_t round = 0; round < rounds; ++round) {
            for (std::size_t i = 0; i < trainings_.size(); ++i) {
                gathered(all_);  // all begin at once
                trainings_[(round + i) % trainings_.size()].turn();
            }
        }
    }

    bool has_torch() const { return torch_ != nullptr; }

private:
    const NetworkConfig& network() const { return run_.recipe.network; }
    std::size_t rows() const { return run_.recipe.batch; }

    const Run& run_;
    Group& all_;
    const torch_ref::Factory* torch_;
    std::deque<TimedTraining> trainings_;
};

RankTiming entry_of(const RankGroup& of, std::size_t parts, Measurement& measurement) {
    RankTiming entry{.ranks = of.ranks, .parts = parts};
    entry.ours = &measurement.in_parts(of.group.get(), entry.ranks, parts);
    if (entry.ranks > 1 && measurement.has_torch()) {
        entry.torch = &measurement.in_parts(of.group.get(), entry.ranks, parts, true);
    }
    return entry;
}

RankTimes times_of(const RankTiming& entry) {
    RankTimes times;
    times.ranks = entry.ranks;
    times.parts = entry.parts;
    times.seconds = spread(entry.ours->seconds());
    times.messages = entry.ours->messages();
    times.bytes = entry.ours->bytes();
    times.exchanging = entry.ours->exchanging();
    if (entry.torch != nullptr) {
        times.torch_seconds = spread(entry.torch->seconds());
        times.ratio = ratio(entry.torch->seconds(), entry.ours->seconds());
    }
    return times;
}

bool same_bits(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

}  // namespace

RankResult rank_times(const Run& run, std::size_t parts, Group& all, std::span<const RankGroup> groups,
                      const torch_ref::Factory* torch, std::size_t rounds, double turn) {
    Measurement measurement(run, all, torch);
    std::vector<RankTiming> entries = {{.ours = &measurement.whole(false)}};
    entries.front().torch = torch != nullptr ? &measurement.whole(true) : nullptr;
    for (const RankGroup& some : groups) {
        entries.push_back(entry_of(some, parts, measurement));
    }
    RankResult result;
    result.rounds = rounds;
    measurement.run(rounds, turn);
    if (all.rank() > 0) {
        return result;
    }
    for (const RankTiming& entry : entries) {
        RankTimes& times = result.times.emplace_back(times_of(entry));
        times.gain = result.times.front().seconds.median / times.seconds.median;
    }
    result.agree = std::ranges::all_of(entries.begin() + 1, entries.end(), [&](const RankTiming& entry) {
        return same_bits(entry.ours->loss(), entries[1].ours->loss());
    });
    return result;
}

}  // namespace byhand::bench

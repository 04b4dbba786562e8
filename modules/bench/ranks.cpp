#include "bench/ranks.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>

#include "bench/counting_group.h"
#include "bench/step.h"
#include "fast/models.h"
#include "ranks/agreement.h"
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
    return byhand::gathered(all, std::span<const float>(&own, 1));
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

bool same_bits(float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

// Turns of all, each as often at every place of a round.
void take_turns(std::deque<TimedTraining>& trainings, Group& all, std::size_t rounds, double turn) {
    for (TimedTraining& training : trainings) {
        training.begin(all, turn);
    }
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < trainings.size(); ++i) {
            gathered(all);  // all begin at once
            trainings[(round + i) % trainings.size()].turn();
        }
    }
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

}  // namespace

RankResult rank_times(const Run& run, std::size_t parts, Group& all, std::span<const RankGroup> groups,
                      const torch_ref::Factory* torch, std::size_t rounds, double turn) {
    const NetworkConfig& network = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    std::deque<TimedTraining> trainings;
    const auto add = [&](std::size_t ranks, Group* group, const auto& make) {
        TimedTraining& made = trainings.emplace_back(run, group);
        if (all.rank() < ranks) {
            made.train(make(made.group()));
        }
        return &made;
    };
    const auto by_torch = [&](const Division& division) {
        return torch->module_model(network, rows, Keep::needed, division);
    };
    std::vector<RankTiming> entries(1);  // first with the batch as a whole
    entries[0].ours = add(1, nullptr, [&](Group&) { return make_hand_model(HandForm::fused, network, rows); });
    if (torch != nullptr) {
        entries[0].torch = add(1, nullptr, [&](Group&) { return by_torch({}); });
    }
    for (const RankGroup& some : groups) {
        RankTiming& entry = entries.emplace_back(RankTiming{.ranks = some.ranks, .parts = parts});
        entry.ours = add(some.ranks, some.group.get(), [&](Group& group) {
            return make_model_in_parts(HandForm::fused, network, rows, {parts, &group});
        });
        if (torch != nullptr && some.ranks > 1) {
            entry.torch = add(some.ranks, some.group.get(), [&](Group& group) { return by_torch({parts, &group}); });
        }
    }
    take_turns(trainings, all, rounds, turn);
    RankResult result;
    result.rounds = rounds;
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

#include "bench/ranks.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <deque>
#include <iterator>
#include <utility>

#include "bench/training.h"
#include "manual/models.h"

namespace byhand::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kShortestStep = 1e-6;  // seconds
constexpr std::size_t kMachines[] = {2, 4, 8, 16, 32, 64}, kMachineParts = 64;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// The number that each rank passes, on all ranks.
std::vector<float> gathered(Group& all, float own = 0) {
    std::vector<float> numbers(all.size());
    all.gather(numbers, {&own, 1});
    return numbers;
}

// A model that the ranks of a group train together.
class TimedTraining {
public:
    TimedTraining(const Run& run, CountingGroup group) : group_(std::move(group)), run_(run) {}
    TimedTraining(const TimedTraining&) = delete;
    TimedTraining& operator=(const TimedTraining&) = delete;

    CountingGroup& group() { return group_; }
    void train(std::unique_ptr<Model> model) {
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
    const std::vector<Message>& messages() const { return messages_; }  // of a step
    float loss() const { return loss_; }                                // after the same number of steps in all
    double own_median() const { return seconds_.empty() ? 0 : spread(seconds_).median; }

private:
    CountingGroup group_;
    const Run& run_;
    std::unique_ptr<Model> model_;
    std::optional<Training> training_;
    std::size_t steps_ = 1;  // of a turn
    float loss_ = 0;
    std::vector<double> seconds_, shares_;
    std::vector<Message> messages_;
};

// What is measured of N ranks.
struct Entry {
    const RankGroups* groups = nullptr;
    TimedTraining *tree = nullptr, *alone = nullptr, *ring = nullptr, *torch = nullptr;
    TimedTraining *with_short = nullptr, *with_long = nullptr;  // messages of kShort and of kLong numbers
};
constexpr std::size_t kShort = 16, kLong = std::size_t{1} << 15U;

// Of all ranks, the longest median time of a step.
double slowest(Group& all, const TimedTraining& training) {
    return static_cast<double>(std::ranges::max(gathered(all, static_cast<float>(training.own_median()))));
}

class Measurement {
public:
    Measurement(const Run& run, Group& all, const torch_ref::Factory* torch) : run_(run), all_(all), torch_(torch) {}

    // With the batch as a whole.
    TimedTraining& whole(bool by_torch) {
        TimedTraining& made = add(nullptr, 0, 1, Reduce::tree);
        if (is_first()) {
            made.train(by_torch ? torch_->module_model(network(), rows())
                                : make_hand_model(HandForm::fused, network(), rows()));
        }
        return made;
    }

    // In parts, by the ranks of the group; without a group each of them for itself, and so with `numbers`, while
    // messages of that length travel.
    TimedTraining& in_parts(Group* group, std::size_t ranks, std::size_t parts, Reduce reduce, bool by_torch = false,
                            std::size_t numbers = 0) {
        TimedTraining& made = add(group, all_.rank(), ranks, reduce, numbers);
        if (all_.rank() < ranks) {
            made.train(by_torch ? torch_->module_model_in_parts(network(), rows(), parts, made.group())
                                : make_model_in_parts(HandForm::fused, network(), rows(), parts, made.group()));
        }
        return made;
    }

    // The last of as many machines, which has the most parts.
    TimedTraining& machine(std::size_t machines, std::size_t parts, Reduce reduce) {
        TimedTraining& made = add(nullptr, machines - 1, machines, reduce);
        if (is_first()) {
            made.train(make_model_in_parts(HandForm::fused, network(), rows(), parts, made.group()));
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
    bool is_first() const { return all_.rank() == 0; }

    TimedTraining& add(Group* group, std::size_t rank, std::size_t ranks, Reduce reduce, std::size_t numbers = 0) {
        return trainings_.emplace_back(run_, CountingGroup(group, rank, ranks, reduce, numbers));
    }

    const Run& run_;
    Group& all_;
    const torch_ref::Factory* torch_;
    std::deque<TimedTraining> trainings_;
};

Entry entry_of(const RankGroups& groups, std::size_t parts, Measurement& measurement) {
    const std::size_t N = groups.ranks;
    Entry entry;
    entry.groups = &groups;
    entry.tree = &measurement.in_parts(groups.tree.get(), N, parts, Reduce::tree);
    entry.alone = &measurement.in_parts(nullptr, N, parts, Reduce::tree);
    if (N > 1) {
        entry.ring = &measurement.in_parts(groups.ring.get(), N, parts, Reduce::ring);
        if (measurement.has_torch()) {
            entry.torch = &measurement.in_parts(groups.tree.get(), N, parts, Reduce::tree, true);
        }
        entry.with_short = &measurement.in_parts(groups.tree.get(), N, parts, Reduce::tree, false, kShort);
        entry.with_long = &measurement.in_parts(groups.tree.get(), N, parts, Reduce::tree, false, kLong);
    }
    return entry;
}

// By what a step takes longer with messages of one length than without any.
Link measured_link(const Entry& entry, const RankCost& cost) {
    const auto seconds = [&](const TimedTraining& training) {
        return (training.own_median() - cost.compute) / static_cast<double>(cost.messages.size());
    };
    return link_of(entry.groups->ranks, kShort * sizeof(float), seconds(*entry.with_short), kLong * sizeof(float),
                   seconds(*entry.with_long));
}

// The figures of N ranks. All ranks call it, for the seconds of the slowest; the result is that of the first.
RankTimes times_of(const Entry& entry, std::size_t parts, Group& all) {
    RankTimes times;
    times.ranks = entry.groups->ranks;
    times.parts = parts;
    times.cost = {slowest(all, *entry.alone), entry.tree->messages()};
    if (all.rank() > 0) {
        return times;
    }
    times.seconds = spread(entry.tree->seconds());
    if (times.ranks > 1) {
        times.exchanging = entry.tree->exchanging();
        times.link = measured_link(entry, times.cost);
        times.predicted = step_seconds(times.cost, times.link, times.ranks);
        times.ring_seconds = spread(entry.ring->seconds());
    }
    if (entry.torch != nullptr) {
        times.torch_seconds = spread(entry.torch->seconds());
        times.ratio = ratio(entry.torch->seconds(), entry.tree->seconds());
    }
    return times;
}

RankTimes times_of_whole(const TimedTraining& ours, const TimedTraining* torch) {
    RankTimes times;
    times.seconds = spread(ours.seconds());
    times.cost.compute = times.seconds.median;
    if (torch != nullptr) {
        times.torch_seconds = spread(torch->seconds());
        times.ratio = ratio(torch->seconds(), ours.seconds());
    }
    return times;
}

}  // namespace

RankResult rank_times(const Run& run, std::size_t parts, Group& all, std::span<const RankGroups> groups,
                      const torch_ref::Factory* torch, std::size_t rounds, double turn) {
    Measurement measurement(run, all, torch);
    const TimedTraining& whole = measurement.whole(false);
    const TimedTraining* const whole_by_torch = torch != nullptr ? &measurement.whole(true) : nullptr;
    std::vector<Entry> entries;
    for (const RankGroups& some : groups) {
        entries.push_back(entry_of(some, parts, measurement));
    }
    struct Pair {
        const TimedTraining *tree, *ring;
    };
    std::vector<Pair> machines;
    const std::size_t finest = std::min(kMachineParts, run.recipe.batch);
    for (const std::size_t count : kMachines) {
        machines.push_back(
            {&measurement.machine(count, finest, Reduce::tree), &measurement.machine(count, finest, Reduce::ring)});
    }

    RankResult result;
    result.rounds = rounds;
    measurement.run(rounds, turn);
    std::vector<RankTimes> divided;
    std::ranges::transform(entries, std::back_inserter(divided),
                           [&](const Entry& entry) { return times_of(entry, parts, all); });
    if (all.rank() > 0) {
        return result;
    }
    result.times.push_back(times_of_whole(whole, whole_by_torch));
    for (std::size_t i = 0; i < entries.size(); ++i) {
        result.agree = result.agree && std::bit_cast<std::uint32_t>(entries[i].tree->loss()) ==
                                           std::bit_cast<std::uint32_t>(entries.front().tree->loss());
        divided[i].gain = whole.own_median() / divided[i].seconds.median;
        result.times.push_back(std::move(divided[i]));
    }
    for (std::size_t i = 0; i < machines.size(); ++i) {
        result.machines.push_back({.machines = kMachines[i],
                                   .parts = finest,
                                   .tree = {machines[i].tree->own_median(), machines[i].tree->messages()},
                                   .ring = {machines[i].ring->own_median(), machines[i].ring->messages()}});
    }
    return result;
}

}  // namespace byhand::bench

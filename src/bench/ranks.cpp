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

constexpr double kLongestPause = 0.005;  // seconds
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

    // Nothing on ranks that do not take part.
    void turn(std::size_t steps) {
        if (!training_) {
            return;
        }
        training_->go_on(1);
        group_.forget();
        const Clock::time_point start = Clock::now();
        training_->go_on(steps);
        seconds_.push_back(seconds_since(start) / static_cast<double>(steps));
        shares_.push_back(group_.seconds() / static_cast<double>(steps) / seconds_.back());
        messages_.assign(group_.messages().begin(),
                         group_.messages().begin() + static_cast<std::ptrdiff_t>(group_.messages().size() / steps));
    }

    const std::vector<double>& seconds() const { return seconds_; }
    double exchanging() const { return spread(shares_).median; }
    const std::vector<std::size_t>& messages() const { return messages_; }  // of a step
    float loss() const { return training_->loss; }
    double own_median() const { return seconds_.empty() ? 0 : spread(seconds_).median; }

private:
    CountingGroup group_;
    const Run& run_;
    std::unique_ptr<Model> model_;
    std::optional<Training> training_;
    std::vector<double> seconds_, shares_;
    std::vector<std::size_t> messages_;
};

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

    // In parts, by the ranks of the group; without a group each of them for itself.
    TimedTraining& in_parts(Group* group, std::size_t ranks, std::size_t parts, Reduce reduce, bool by_torch = false) {
        TimedTraining& made = add(group, all_.rank(), ranks, reduce);
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

    // Turns of all, each as often at every place of a round. Returns how many steps each has run.
    std::size_t run(std::size_t rounds, double turn) {
        const std::size_t steps = steps_of_a_turn(turn);
        for (std::size_t round = 0; round < rounds; ++round) {
            for (std::size_t i = 0; i < trainings_.size(); ++i) {
                gathered(all_);  // all begin at once
                trainings_[(round + i) % trainings_.size()].turn(steps);
            }
        }
        return rounds * (steps + 1);
    }

    bool has_torch() const { return torch_ != nullptr; }

private:
    const NetworkConfig& network() const { return run_.recipe.network; }
    std::size_t rows() const { return run_.recipe.batch; }
    bool is_first() const { return all_.rank() == 0; }

    TimedTraining& add(Group* group, std::size_t rank, std::size_t ranks, Reduce reduce) {
        return trainings_.emplace_back(run_, CountingGroup(group, rank, ranks, reduce));
    }

    // Of one rank with the whole batch, doubled until it lasts long enough; the same on all ranks.
    std::size_t steps_of_a_turn(double least) {
        std::size_t steps = 1;
        if (is_first()) {
            const auto model = make_hand_model(HandForm::fused, network(), rows());
            Training training(run_, *model);
            training.go_on(1);
            for (double seconds = 0; seconds < least; steps *= seconds < least ? 2 : 1) {
                const Clock::time_point start = Clock::now();
                training.go_on(steps);
                seconds = seconds_since(start);
            }
        }
        return static_cast<std::size_t>(std::lround(gathered(all_, static_cast<float>(steps)).front()));
    }

    const Run& run_;
    Group& all_;
    const torch_ref::Factory* torch_;
    std::deque<TimedTraining> trainings_;
};

// The mean seconds of a message of that many numbers, of ranks that have been busy for `pause` seconds: the threads
// that move it are asleep then, and some messages wait for the system.
double gather_seconds(Group& group, std::size_t numbers, double pause) {
    constexpr std::size_t kTimes = 200;
    std::vector<float> own(numbers, 1.0F), all(group.size() * numbers);
    double seconds = 0;
    for (std::size_t i = 0; i < kTimes; ++i) {
        for (const Clock::time_point busy = Clock::now(); seconds_since(busy) < pause;) {
        }
        const Clock::time_point start = Clock::now();
        group.gather(all, own);
        seconds += seconds_since(start);
    }
    return seconds / kTimes;
}

Link measured_link(Group& group, double pause) {
    constexpr std::size_t kShort = 16, kLong = std::size_t{1} << 16U;
    const double few = gather_seconds(group, kShort, pause), many = gather_seconds(group, kLong, pause);
    return link_of(group.size(), kShort * sizeof(float), few, kLong * sizeof(float), many);
}

// What is measured of N ranks.
struct Entry {
    const RankGroups* groups = nullptr;
    TimedTraining *tree = nullptr, *alone = nullptr, *ring = nullptr, *torch = nullptr;
};

Entry entry_of(const RankGroups& groups, std::size_t parts, Measurement& measurement) {
    const std::size_t N = groups.ranks;
    Entry entry{&groups, nullptr, nullptr, nullptr, nullptr};
    entry.tree = &measurement.in_parts(groups.tree.get(), N, parts, Reduce::tree);
    entry.alone = &measurement.in_parts(nullptr, N, parts, Reduce::tree);
    if (N > 1) {
        entry.ring = &measurement.in_parts(groups.ring.get(), N, parts, Reduce::ring);
        if (measurement.has_torch()) {
            entry.torch = &measurement.in_parts(groups.tree.get(), N, parts, Reduce::tree, true);
        }
    }
    return entry;
}

// The figures of N ranks. All ranks call it, for the seconds of the slowest; the result is that of the first.
RankTimes times_of(const Entry& entry, std::size_t parts, Group& all) {
    RankTimes times;
    times.ranks = entry.groups->ranks;
    times.parts = parts;
    const std::vector<float> alone = gathered(all, static_cast<float>(entry.alone->own_median()));
    times.cost = {static_cast<double>(std::ranges::max(alone)), entry.tree->messages()};
    if (entry.groups->tree != nullptr) {
        const auto messages = static_cast<double>(times.cost.messages.size());
        times.link = measured_link(*entry.groups->tree, std::min(times.cost.compute / messages, kLongestPause));
    }
    if (all.rank() > 0) {
        return times;
    }
    times.seconds = spread(entry.tree->seconds());
    if (times.ranks > 1) {
        times.exchanging = entry.tree->exchanging();
        times.predicted = step_seconds(times.cost, Reduce::tree, times.link, times.ranks);
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
    result.steps = measurement.run(rounds, turn);
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

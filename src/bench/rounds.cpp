#include "bench/rounds.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

#include "base/quantile.h"

namespace byhand::bench {
namespace {

constexpr double kTurn = 0.002;  // minimum duration of the faster implementation's turn, in seconds
// A core that slept during a pause needs milliseconds to reach its full speed.
constexpr double kTurnAfterPause = 0.02;
constexpr double kWarmUp = 0.05;  // minimum warm-up of each implementation, in seconds
// OpenBLAS's threads spin for 2^26 clock cycles, about 30 ms.
constexpr std::chrono::milliseconds kPause(40);

struct Turn {
    double seconds = 0, processor_seconds = 0;
};

Turn turn(const Steps& run, std::size_t steps) {
    using Clock = std::chrono::steady_clock;
    const std::clock_t processor_start = std::clock();
    const Clock::time_point start = Clock::now();
    run(steps);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return {seconds, static_cast<double>(std::clock() - processor_start) / CLOCKS_PER_SEC};
}

// A turn after the other implementation's threads and cache contents are gone.
Turn quiet_turn(const Steps& run, std::size_t steps, std::size_t threads) {
    if (threads > 1) {
        std::this_thread::sleep_for(kPause);
    }
    run(1);
    return turn(run, steps);
}

// The number of steps of one turn: doubled until it lasts long enough. Both run them all, so that they stay in the same
// state.
std::size_t steps_of_a_turn(const Steps& ours, const Steps& theirs, double least, std::size_t& total) {
    double faster = 0, warm = 0;
    std::size_t steps = 1;
    while (true) {
        const double our_seconds = turn(ours, steps).seconds;
        const double their_seconds = theirs ? turn(theirs, steps).seconds : our_seconds;
        total += steps;
        faster = std::min(our_seconds, their_seconds);
        warm += faster;
        if (faster >= least && warm >= kWarmUp) {
            return steps;
        }
        steps *= faster >= least ? 1 : 2;
    }
}

// Turns of one implementation, one after another.
class Tally {
public:
    void add(const Turn& turn, std::size_t steps) {
        seconds_ += turn.seconds;
        processor_seconds_ += turn.processor_seconds;
        times_.seconds.push_back(turn.seconds / static_cast<double>(steps));
        times_.cpus = processor_seconds_ / seconds_;
    }
    const Times& times() const { return times_; }

private:
    Times times_;
    double seconds_ = 0, processor_seconds_ = 0;
};

}  // namespace

Spread spread(const std::vector<double>& values) {
    constexpr double kLow = 0.1, kMiddle = 0.5, kHigh = 0.9;
    return {quantile(values, kMiddle), quantile(values, kLow), quantile(values, kHigh)};
}

Spread ratio(const std::vector<double>& theirs, const std::vector<double>& ours) {
    std::vector<double> ratios;
    ratios.reserve(ours.size());
    for (std::size_t round = 0; round < ours.size(); ++round) {
        ratios.push_back(theirs[round] / ours[round]);
    }
    return spread(ratios);
}

bool ours_first(std::size_t round) {
    return round % 2 == 0;
}

Rounds in_turn(const Steps& ours, const Steps& theirs, std::size_t rounds, std::size_t threads) {
    Rounds result;
    result.steps = steps_of_a_turn(ours, theirs, threads > 1 ? kTurnAfterPause : kTurn, result.total);
    Tally our_tally, their_tally;
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto our_turn = [&] { our_tally.add(quiet_turn(ours, result.steps, threads), result.steps); };
        const auto their_turn = [&] {
            if (theirs) {
                their_tally.add(quiet_turn(theirs, result.steps, threads), result.steps);
            }
        };
        if (ours_first(round)) {
            our_turn();
            their_turn();
        } else {
            their_turn();
            our_turn();
        }
        result.total += 1 + result.steps;
    }
    result.ours = our_tally.times();
    result.theirs = their_tally.times();
    return result;
}

}  // namespace byhand::bench

#include "bench/rounds.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <numeric>
#include <thread>

#include "base/quantile.h"

namespace byhand::bench {
namespace {

constexpr double kTurn = 0.002;  // minimum duration of the faster implementation's turn, in seconds
// A core that slept during a pause needs milliseconds to reach its full speed.
constexpr double kTurnAfterPause = 0.02;
// No step is so short that a turn needs more of them: for an implementation that does nothing.
constexpr std::size_t kMostSteps = 1U << 16U;
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

// The number of steps of one turn: doubled until the fastest one's lasts long enough. All run them all, so that they
// stay in the same state.
std::size_t steps_of_a_turn(const std::vector<Steps>& all, double least, std::size_t& total) {
    double warm = 0;
    std::size_t steps = 1;
    while (true) {
        double fastest = turn(all.front(), steps).seconds;
        for (const Steps& other : std::span(all).subspan(1)) {
            fastest = std::min(fastest, turn(other, steps).seconds);
        }
        total += steps;
        warm += fastest;
        if ((fastest >= least && warm >= kWarmUp) || steps >= kMostSteps) {
            return steps;
        }
        steps *= fastest >= least ? 1 : 2;
    }
}

// The strides with which a walk around `count` places visits all of them.
std::vector<std::size_t> strides_around(std::size_t count) {
    std::vector<std::size_t> strides = {1};
    for (std::size_t stride = 2; stride < count; ++stride) {
        if (std::gcd(stride, count) == 1) {
            strides.push_back(stride);
        }
    }
    return strides;
}

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

void add_times(std::vector<PeerResult>& peers, const Rounds& rounds) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
        peers[i].seconds = spread(rounds.peers[i].seconds);
        peers[i].ratio = ratio(rounds.peers[i].seconds, rounds.ours.seconds);
    }
}

Rounds in_turn(const Steps& ours, const Steps& theirs, std::size_t rounds, std::size_t threads,
               std::span<const Steps> peers) {
    std::vector<Steps> all = {ours};
    if (theirs) {
        all.push_back(theirs);
    }
    all.insert(all.end(), peers.begin(), peers.end());
    Rounds result;
    result.steps = steps_of_a_turn(all, threads > 1 ? kTurnAfterPause : kTurn, result.total);
    std::vector<Times> times(all.size());
    const std::vector<std::size_t> strides = strides_around(all.size());
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::size_t which = (round + i * strides[round % strides.size()]) % all.size();
            const Turn turn = quiet_turn(all[which], result.steps, threads);
            times[which].seconds.push_back(turn.seconds / static_cast<double>(result.steps));
            times[which].elapsed += turn.seconds;
            times[which].of_processors += turn.processor_seconds;
        }
        result.total += 1 + result.steps;
    }
    auto next = times.begin();
    result.ours = *next++;
    if (theirs) {
        result.theirs = *next++;
    }
    result.peers.assign(next, times.end());
    return result;
}

}  // namespace byhand::bench

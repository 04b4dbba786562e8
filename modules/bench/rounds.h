// Implementations timed alternately, in rounds so short that disturbances affect all.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace byhand::bench {

// Of a sample: the median, and the 10th and 90th percentiles.
struct Spread {
    double median = 0, p10 = 0, p90 = 0;
};
// Precondition: `values` is not empty.
Spread spread(const std::vector<double>& values);
// Of theirs/ours, pair by pair: the factor by which ours is faster. Precondition: equally many of both, at least one.
Spread ratio(const std::vector<double>& theirs, const std::vector<double>& ours);

// Another library beside ours: its time, and that over ours, round by round.
struct PeerResult {
    std::string name;
    double apart = 0;  // the difference of its results from ours
    Spread seconds = {}, ratio = {};
};

// One implementation: runs this many steps.
using Steps = std::function<void(std::size_t count)>;

// The times of one implementation.
struct Times {
    std::vector<double> seconds;            // per step, in each round
    double elapsed = 0, of_processors = 0;  // seconds of all turns, and those of the whole process's processors
    double cpus() const { return of_processors / elapsed; }
};

struct Rounds {
    std::size_t steps = 0;  // of a turn
    std::size_t total = 0;  // run by each implementation, including the warm-up
    Times ours, theirs;     // theirs is empty without a second implementation
    std::vector<Times> peers;
};

// Sets the times of the peers, which are in the order of `rounds.peers`.
void add_times(std::vector<PeerResult>& peers, const Rounds& rounds);

// Warms up the implementations, then times them in this many rounds. In a round each has a turn of equally many steps,
// at least two milliseconds for the fastest one, after one untimed step, which refills the caches with its own data;
// each round begins with another implementation and has another order, because what a turn leaves behind, in the caches
// and in the CPU's clock, can affect the next. `theirs` may be empty. Implementations with `threads` of their own leave
// them spinning for more work: each turn then starts with a pause, until they sleep, and lasts twenty milliseconds.
Rounds in_turn(const Steps& ours, const Steps& theirs, std::size_t rounds, std::size_t threads = 1,
               std::span<const Steps> peers = {});

}  // namespace byhand::bench

// Two sides timed in turn, in rounds short enough for what disturbs the one to disturb the other.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace byhand::bench {

// Of a sample: the middle, and the values below which a tenth and nine tenths of it lie.
struct Spread {
    double median = 0, p10 = 0, p90 = 0;
};
// Precondition: `values` is not empty.
Spread spread(const std::vector<double>& values);
// Of theirs/ours, pair by pair: how many times as fast ours is. Precondition: as many of both, and at least one.
Spread ratio(const std::vector<double>& theirs, const std::vector<double>& ours);

// One side: carries out so many steps, one after another.
using Steps = std::function<void(std::size_t count)>;

// What one side took.
struct Times {
    std::vector<double> seconds;  // a step, in each round
    double cpus = 0;              // processor time of the whole process over time, in this side's turns
};

struct Rounds {
    std::size_t steps = 0;  // of a turn
    std::size_t total = 0;  // that each side made, the warm-up's among them
    Times ours, theirs;     // theirs is empty where there is no other side
};

// Whether ours has the first turn: ours, theirs; theirs, ours; and so on, so that each goes first as often.
bool ours_first(std::size_t round);

// Both sides warmed up, then timed in so many rounds. In a round each has a turn of as many steps as the other, two
// milliseconds of the faster side at least, and before them one step that is not timed: it finds the caches full of the
// other side's numbers. `theirs` may be empty. Sides that have `threads` of their own leave them waiting busily for
// more work: then each turn begins with a pause, until they sleep, and lasts twenty milliseconds.
Rounds in_turn(const Steps& ours, const Steps& theirs, std::size_t rounds, std::size_t threads = 1);

}  // namespace byhand::bench

// Training by several processes.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/group.h"
#include "cli/options.h"
#include "ranks/launch.h"
#include "ranks/world.h"
#include "recipe/recipe.h"

namespace byhand::cli {

struct RankOptions {
    std::optional<std::size_t> ranks, parts;
    std::size_t timeout = distributed::kDefaultTimeout;  // seconds
    bool restart = false;                                // without the ranks that are lost
};

// `ranks_help` says what the command does by several processes.
void add_rank_options(const Command& command, RankOptions& options, const std::string& ranks_help);
// Only how the ranks share the work, and how long they wait.
void add_part_options(const Command& command, RankOptions& options);

inline constexpr std::size_t kMostRanks = 256;
inline constexpr std::size_t kDefaultParts = 8;

// The recipe with the parts of --parts; without it, if there are ranks and the recipe has one part, with kDefaultParts
// or as many as the batch has rows. Throws InputError if there are more parts than rows.
Recipe with_parts(Recipe recipe, const RankOptions& options, const distributed::World& world);

// Runs a command of which this process may be one rank: as the environment describes it, else the only one. Calls
// `start` if this process is none of the ranks, but has to start them; else `run`, during which a rank other than the
// first writes nothing on its standard streams. Returns what they return. Throws InputError if --ranks contradicts the
// environment.
int as_rank(const RankOptions& options, const std::function<int(const distributed::World&)>& run,
            const std::function<int(const distributed::World&)>& start);

// The words of this process's command line.
std::vector<std::string> command_line();

// The words with that option, in place of the one that is there, if any.
std::vector<std::string> with_option(std::vector<std::string> words, const std::string& name, const std::string& value);

using distributed::RanksEnded;
// Runs this program with these words once for each rank, connected on this machine. A signal to this process is passed
// on to all. If a rank ends with an error, the others are ended, and a line on stderr names it.
RanksEnded run_ranks(std::size_t ranks, const std::vector<std::string>& words);

// Whether a signal has arrived at any rank, decided together every few calls, so that all stop after the same step.
class StopTogether {
public:
    explicit StopTogether(Group& group) : group_(group) {}
    bool operator()();

private:
    Group& group_;
    std::size_t calls_ = 0;
};

}  // namespace byhand::cli

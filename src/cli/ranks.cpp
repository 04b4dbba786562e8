#include "cli/ranks.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "cli/files.h"
#include "cli/interrupt.h"
#include "cli/modules.h"
#include "cli/say.h"

namespace byhand::cli {
namespace {

// While it lives, this process writes nothing on its standard streams.
class Silence {
public:
    Silence() {
        std::fflush(stdout);
        const int nothing = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (nothing >= 0) {
            ::dup2(nothing, STDOUT_FILENO);
            ::dup2(nothing, STDERR_FILENO);
            ::close(nothing);
        }
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    ~Silence() {
        std::fflush(stdout);
        for (const auto& [kept, standard] : {std::pair(out_, STDOUT_FILENO), {err_, STDERR_FILENO}}) {
            if (kept >= 0) {
                ::dup2(kept, standard);
                ::close(kept);
            }
        }
    }

private:
    int out_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), err_ = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
};

}  // namespace

void add_rank_options(const Command& command, RankOptions& options, const std::string& ranks_help) {
    command.option("--ranks", options.ranks, ranks_help).whole_number(1, kMostRanks);
    add_part_options(command, options);
}

void add_part_options(const Command& command, RankOptions& options) {
    command
        .option("--parts", options.parts,
                "Sum over the rows of a batch in K parts, which ranks share [the recipe's, or 8 with --ranks]")
        .whole_number(1, kMostParts);
    command.option("--rank-timeout", options.timeout, "Seconds to wait for another rank before giving up")
        .whole_number(1, 86400)
        .shows_default();
}

Recipe with_parts(Recipe recipe, const RankOptions& options, const distributed::World& world) {
    const bool in_ranks = options.ranks || world.size > 1;
    if (options.parts || (in_ranks && recipe.parts == 1)) {
        recipe.parts = options.parts.value_or(std::clamp<std::size_t>(recipe.batch, 1, kDefaultParts));
    }
    if (recipe.parts > std::max<std::size_t>(recipe.batch, 1)) {
        throw InputError(fmt::format("a batch of {} rows can't have {} parts; --parts takes at most {}", recipe.batch,
                                     recipe.parts, recipe.batch));
    }
    return recipe;
}

int as_rank(const RankOptions& options, const std::function<int(const distributed::World&)>& run,
            const std::function<int(const distributed::World&)>& start) {
    std::optional<distributed::World> world;
    if constexpr (kHasRanks) {
        world = distributed::world_of_environment();
    }
    if (world && options.ranks && *options.ranks != world->size) {
        throw InputError(fmt::format("--ranks {} contradicts the environment, which describes {} ranks", *options.ranks,
                                     world->size));
    }
    if (!world) {
        return kHasRanks && options.ranks.value_or(1) > 1 ? start({}) : run({});
    }
    std::optional<Silence> silence;
    if (world->rank > 0) {
        silence.emplace();
    }
    return run(*world);
}

std::vector<std::string> command_line() {
    std::vector<std::string> words;
    std::istringstream text(read_text("/proc/self/cmdline", std::size_t{1} << 22));
    for (std::string word; std::getline(text, word, '\0');) {
        words.push_back(word);
    }
    return words;
}

std::vector<std::string> with_option(std::vector<std::string> words, const std::string& name,
                                     const std::string& value) {
    for (auto word = words.begin(); word != words.end();) {
        const bool is_alone = *word == name && word + 1 != words.end();
        word = is_alone ? words.erase(word, word + 2) : word->starts_with(name + "=") ? words.erase(word) : word + 1;
    }
    words.insert(words.end(), {name, value});
    return words;
}

RanksEnded run_ranks(std::size_t ranks, const std::vector<std::string>& words) {
    RanksEnded all;
    if constexpr (kHasRanks) {
        const TemporaryFolder folder("the ranks' meeting point");
        const std::vector<pid_t> processes = distributed::start_ranks(ranks, words, folder.path());
        const InterruptWatch watch;
        all = distributed::wait_for_ranks(
            processes,
            {.interrupted = interrupted, .failed = [ranks](std::size_t rank, int code, const std::string& how) {
                 if (code != kDisagrees) {  // of which the rank has told
                     say("byhand: rank {} of {} {}\n", rank, ranks, how);
                 }
             }});
        if (is_interrupted_exit_code(all.code) && interrupted()) {
            all.code = interrupted_exit_code();  // of the signal that was passed on as SIGTERM
        }
    }
    return all;
}

bool StopTogether::operator()() {
    if (group_.size() == 1) {
        return interrupted();
    }
    constexpr std::size_t kCalls = 16;
    if (calls_++ % kCalls != 0) {
        return false;
    }
    const std::vector<float> own = {interrupted() ? 1.0F : 0.0F};
    std::vector<float> all(group_.size());
    group_.gather(all, own);
    return std::ranges::count(all, 1.0F) > 0;
}

}  // namespace byhand::cli

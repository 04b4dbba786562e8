#include "cli/ranks.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/interrupt.h"
#include "cli/say.h"

namespace byhand::cli {
namespace {

constexpr auto kPause = std::chrono::milliseconds(10);
// After one rank has failed, the others notice by themselves; after this time they are ended.
constexpr auto kGrace = std::chrono::seconds(10);

struct Child {
    pid_t process = 0;
    bool is_running = true;
};

// In its own process group, so that a terminal's Ctrl-C reaches it once, from this process; it ends with this process.
pid_t start(std::vector<std::string> words, const std::vector<std::pair<std::string, std::string>>& environment) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child < 0) {
        throw InputError("no further process can be started: " + reason());
    }
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        ::setpgid(0, 0);
        for (const auto& [name, value] : environment) {
            ::setenv(name.c_str(), value.c_str(), 1);
        }
        ::execv("/proc/self/exe", arguments.data());
        std::_Exit(kBadInput);
    }
    return child;
}

std::string in_words(const Ended& how) {
    return how.signal ? fmt::format("was ended by signal {} ({})", *how.signal, ::strsignal(*how.signal))
                      : fmt::format("ended with exit code {}", how.exit_code);
}

void signal_all(const std::vector<Child>& children, int signal) {
    for (const Child& child : children) {
        if (child.is_running) {
            ::kill(child.process, signal);
        }
    }
}

// The place of a child that has ended, and how it ended; nothing if none has since the last call.
std::optional<std::pair<std::size_t, Ended>> next_ended(std::vector<Child>& children) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) {
        throw InputError("the system does not report how a process ended: " + reason());
    }
    const auto child = std::ranges::find(children, ended, &Child::process);
    if (ended <= 0 || child == children.end()) {
        return std::nullopt;
    }
    child->is_running = false;
    return std::pair(static_cast<std::size_t>(child - children.begin()), ended_with(status));
}

RanksEnded wait_for_all(std::vector<Child>& children) {
    const InterruptWatch watch;
    auto deadline = std::chrono::steady_clock::time_point::max();
    bool is_passed_on = false, is_ended_here = false;
    RanksEnded all{kFine, 0};
    for (std::size_t running = children.size(); running > 0;) {
        if (const auto next = next_ended(children)) {
            const auto& [rank, how] = *next;
            --running;
            // One that was ended here may have waited for the first that was lost.
            all.lost += how.signal && (!is_ended_here || all.lost == 0) ? 1 : 0;
            if (all.code == kFine && how.exit_code != kFine) {
                all.code = how.exit_code;
                if (!is_passed_on && all.code != kDisagrees) {  // of which the rank has told
                    say("byhand: rank {} of {} {}\n", rank, children.size(), in_words(how));
                }
                deadline = std::chrono::steady_clock::now() + kGrace;
            }
            continue;
        }
        if (interrupted() && !is_passed_on) {
            signal_all(children, SIGTERM);
            is_passed_on = true;
        }
        if (!is_passed_on && std::chrono::steady_clock::now() > deadline) {
            signal_all(children, SIGKILL);
            is_ended_here = true;
        }
        std::this_thread::sleep_for(kPause);
    }
    return all;
}

// c10d aborts if it can't write to the file where ranks meet.
void check_room_in(const std::filesystem::path& folder) {
    constexpr std::size_t kRoom = std::size_t{1} << 16;  // bytes; the file takes fewer
    const std::string file = folder / "room", zeros(kRoom, '\0');
    const Descriptor room(::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    if (room.number() < 0 || !write_all(room.number(), zeros.data(), zeros.size())) {
        throw InputError(
            fmt::format("the ranks can't meet at {}: {}; set TMPDIR to a folder with room", folder.string(), reason()));
    }
    std::filesystem::remove(file);
}

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

distributed::World world_of(const RankOptions& options) {
    const std::optional<distributed::World> world = distributed::world_of_environment();
    if (world && options.ranks && *options.ranks != world->size) {
        throw InputError(fmt::format("--ranks {} contradicts the environment, which describes {} ranks", *options.ranks,
                                     world->size));
    }
    return world.value_or(distributed::World{});
}

bool starts_ranks(const RankOptions& options) {
    return options.ranks.value_or(1) > 1 && !distributed::world_of_environment();
}

std::vector<std::string> command_line() {
    std::vector<std::string> words;
    const std::string text = read_text("/proc/self/cmdline", std::size_t{1} << 22);
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = text.find('\0', from);
        words.push_back(text.substr(from, end - from));
        from = end == std::string::npos ? text.size() : end + 1;
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
    const TemporaryFolder folder("the ranks' meeting point");
    check_room_in(folder.path());
    std::vector<Child> children;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        const std::string number = std::to_string(rank), size = std::to_string(ranks);
        children.push_back({start(words, {{"RANK", number},
                                          {"WORLD_SIZE", size},
                                          {"LOCAL_RANK", number},
                                          {"LOCAL_WORLD_SIZE", size},
                                          {"BYHAND_RANKS_FILE", folder.path() / "ranks"}})});
    }
    RanksEnded all = wait_for_all(children);
    if (is_interrupted_exit_code(all.code) && interrupted()) {
        all.code = interrupted_exit_code();  // of the signal that was passed on as SIGTERM
    }
    return all;
}

std::vector<Fact> facts_of(const Tensors<float>& state) {
    std::vector<Fact> facts;
    for (const TensorSpec& spec : state.table()) {
        facts.push_back({spec.name, hash_of_bytes(std::as_bytes(state[spec.name]))});
    }
    return facts;
}

namespace {

// The first rank whose fact of the same place differs from that of rank 0, and that place. All give equally many.
std::optional<std::pair<std::size_t, std::size_t>> disagreement(Group& group, const std::vector<std::uint64_t>& facts) {
    // A float holds 16 bits exactly.
    constexpr std::size_t kPieces = 4;
    std::vector<float> own(facts.size() * kPieces), all(group.size() * own.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
        own[i] = static_cast<float>(facts[i / kPieces] >> (16 * (i % kPieces)) & 0xffff);
    }
    group.gather(all, own);
    for (std::size_t rank = 1; rank < group.size(); ++rank) {
        for (std::size_t i = 0; i < own.size(); ++i) {
            if (all[i] != all[rank * own.size() + i]) {
                return std::pair(rank, i / kPieces);
            }
        }
    }
    return std::nullopt;
}

}  // namespace

void check_agreement(Group& group, const std::vector<Fact>& facts, const std::string& before,
                     const std::string& after) {
    std::string names;
    std::vector<std::uint64_t> hashes;
    for (const Fact& fact : facts) {
        names += fact.name + '\n';
        hashes.push_back(fact.hash);
    }
    if (const auto other = disagreement(group, {hash_of(names)})) {
        throw InputError(
            fmt::format("{}rank {} has another command or network than rank 0{}", before, other->first, after));
    }
    if (const auto other = disagreement(group, hashes)) {
        throw InputError(fmt::format("{}rank {} has another {} than rank 0{}", before, other->first,
                                     facts[other->second].name, after));
    }
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

Silence::Silence()
    : out_(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)), err_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
    std::fflush(stdout);
    const int nothing = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nothing >= 0) {
        ::dup2(nothing, STDOUT_FILENO);
        ::dup2(nothing, STDERR_FILENO);
        ::close(nothing);
    }
}

Silence::~Silence() {
    std::fflush(stdout);
    for (const auto& [kept, standard] : {std::pair(out_, STDOUT_FILENO), {err_, STDERR_FILENO}}) {
        if (kept >= 0) {
            ::dup2(kept, standard);
            ::close(kept);
        }
    }
}

}  // namespace byhand::cli

// train --ranks: the same bytes for any number of processes; a rank that fails ends the others.

#include <netdb.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/parsed_json.h"
#include "cli/program.h"

namespace cli_test {
namespace {

const Arguments kTrain = "train --recipe makemore-bn --batch 33 --hidden 17,5";
const Arguments kShort = kTrain + "--steps 23";

// Where two processes of a test meet.
Environment rank_of_two(const std::string& rank, const std::string& port) {
    return {{"RANK", rank}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", port}};
}

// The processes that a program has started, in order.
std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        if (!std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) {
            continue;
        }
        std::string text;
        std::getline(std::ifstream(entry.path() / "stat"), text);
        const std::size_t end = text.rfind(')');  // of the program's name; then the state, and the parent
        if (end != std::string::npos && std::stol(text.substr(end + 4)) == parent) {
            all.push_back(static_cast<pid_t>(std::stol(name)));
        }
    }
    std::ranges::sort(all);
    return all;
}

std::size_t sockets_of(pid_t process) {
    std::size_t count = 0;
    std::error_code gone;
    for (const auto& file : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd", gone)) {
        count += std::filesystem::read_symlink(file, gone).string().starts_with("socket:") ? 1 : 0;
    }
    return count;
}

// What is running as `process`, after its start: two ranks that train for long.
struct TwoRanks {
    Folder place;
    Process process;
    std::vector<pid_t> ranks;

    explicit TwoRanks(const Arguments& more)
        : process(place, byhand_program(), kTrain + "--steps 1000000 --log-every 1 --ranks 2" + more, {}) {
        REQUIRE(process.says("mean loss"));
        ranks = children_of(process.id());
        REQUIRE(ranks.size() == 2);
    }
};

}  // namespace

TEST_CASE("train --ranks: the saved model has the same bytes for any number of ranks, by every model") {
    need_torch();
    const std::string model = GENERATE("fused", "stepwise", "collapsed", "torch");
    const Folder place;
    const auto train = [&](const std::string& ranks) {
        succeeds(place, kShort + "--ranks" + ranks + "--model" + model + "--save" + ranks);
        return place.read(ranks);
    };
    const std::string single = train("1");
    for (const std::string ranks : {"2", "3"}) {
        INFO(model << ", ranks " << ranks);
        CHECK(train(ranks) == single);
    }
    std::vector<Arguments> parts = {""};
    if (model == "fused") {
        parts.insert(parts.end(), {"--threads 3", "--threads 2 --ranks 2"});
    }
    for (const Arguments& more : parts) {
        succeeds(place, kShort + "--parts 8 --save parts --model" + model + more);
        CHECK(place.read("parts") == single);
    }
}

TEST_CASE("train, compare: ranks that a launcher starts meet at MASTER_ADDR, and the first alone prints and saves") {
    need_torch();
    const Folder place;
    succeeds(place, kShort + "--ranks 1 --save single");
    Process second(place, byhand_program(), kShort + "--save b", rank_of_two("1", "29611"));
    const Outcome first = byhand(place, kShort + "--save a", rank_of_two("0", "29611"));
    const Outcome other = second.wait();
    INFO(first.err << other.err);
    CHECK(first.code == 0);
    CHECK(other.code == 0);
    CHECK(contains(first.out, "23 steps by fused"));
    CHECK(other.out.empty());
    CHECK(other.err.empty());
    CHECK(place.read("a") == place.read("single"));
    CHECK_FALSE(std::filesystem::exists(place.path() / "b"));
    const Arguments quick = "compare --quick";
    Process second_compares(place, byhand_program(), quick, rank_of_two("1", "29617"));
    const Outcome compared = succeeds(place, quick, rank_of_two("0", "29617"));
    CHECK(contains(compared.out, "2 ranks, 8 parts"));
    CHECK(second_compares.wait().out.empty());
}

TEST_CASE("train --ranks: a killed rank is named, the others end, and the command that continues is printed") {
    need_torch();
    const std::string model = GENERATE("fused", "torch");
    TwoRanks two({"--model", model, "--save-every", "5"});
    REQUIRE(waits_until([&] { return two.place.has("byhand.safetensors"); }));
    REQUIRE(::kill(two.ranks[1], SIGKILL) == 0);
    const Outcome outcome = two.process.wait(std::chrono::seconds(30));
    INFO(outcome.err);
    CHECK(outcome.code == 128 + SIGKILL);
    CHECK(contains(outcome.err, "rank 1 of 2 was ended by signal 9"));
    CHECK(contains(outcome.err, "rank 0 of 2: rank 1 has ended or does not respond"));
    CHECK(contains(outcome.err, "to continue: byhand train --resume byhand.safetensors --save-every 5"));
    succeeds(two.place, "eval");
}

TEST_CASE("train --restart: the ranks that are left continue from the checkpoint, to the same bytes") {
    need_torch();
    const Folder place;
    const Arguments quick = kTrain + "--steps 500";
    succeeds(place, quick + "--ranks 1 --save whole");
    const Arguments killed = "--ranks 3 --save killed --save-every 10 --restart --verify-replicas 10";
    Process process(place, byhand_program(), quick + killed, {});
    REQUIRE(waits_until([&] { return place.has("killed"); }));
    const std::vector<pid_t> ranks = children_of(process.id());
    REQUIRE(ranks.size() == 3);
    REQUIRE(::kill(ranks[2], SIGKILL) == 0);
    const Outcome outcome = process.wait(std::chrono::seconds(120));
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(contains(outcome.err, "rank 2 of 3 was ended by signal 9"));
    CHECK(contains(outcome.err, "steps with 2 ranks"));
    CHECK(place.read("killed") == place.read("whole"));
}

TEST_CASE("ranks: a file that is no meeting point is refused, and stays as it is") {
    need_torch();
    const Folder place;
    place.write("mine.txt", "some text of the user\n");
    for (const char* file : {"mine.txt", "."}) {
        const std::map<std::string, std::string> rank = {
            {"RANK", "0"}, {"WORLD_SIZE", "2"}, {"BYHAND_RANKS_FILE", file}};
        check_refused(byhand(place, kTrain, rank), std::string("BYHAND_RANKS_FILE: ") + file + " is no file where");
    }
    CHECK(place.read("mine.txt") == "some text of the user\n");
}

TEST_CASE("train --ranks: the threads that the environment sets for LibTorch do not change the result") {
    need_torch();
    const Folder place;
    const Arguments wide = "train --recipe wide --model torch --steps 2";
    const Environment two = {{"OPENBLAS_NUM_THREADS", "2"}, {"OMP_NUM_THREADS", "2"}};
    succeeds(place, wide + "--parts 8 --save one");
    succeeds(place, wide + "--ranks 2 --save two", two);
    CHECK((place.read("one") == place.read("two")));  // too long to be printed
}

TEST_CASE("compare --ranks: a killed rank is named") {
    need_torch();
    const Folder place;
    Process compare(place, byhand_program(), "compare --ranks 2 --quick --steps 100000 --every 100000", {});
    std::vector<pid_t> ranks;
    // A connected rank has a socket that listens, and one to the other rank.
    waits_until([&] {
        ranks = children_of(compare.id());
        return ranks.size() == 2 && sockets_of(ranks[0]) >= 2 && sockets_of(ranks[1]) >= 2;
    });
    REQUIRE(ranks.size() == 2);
    REQUIRE(::kill(ranks[1], SIGKILL) == 0);
    const Outcome outcome = compare.wait(std::chrono::seconds(60));
    INFO(outcome.err);
    CHECK(outcome.code == 128 + SIGKILL);
    CHECK(contains(outcome.err, "rank 0 of 2: rank 1 has ended or does not respond"));
}

TEST_CASE("train --ranks: a rank that hangs ends the others after --rank-timeout") {
    need_torch();
    TwoRanks two("--rank-timeout 5 --no-save");  // on a busy machine one may start seconds after the other
    REQUIRE(::kill(two.ranks[1], SIGSTOP) == 0);
    const Outcome outcome = two.process.wait(std::chrono::seconds(60));
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.err, "rank 0 of 2: rank 1 has ended or does not respond"));
}

TEST_CASE("train --ranks: a signal stops all ranks after the same step, and the model is saved") {
    need_torch();
    for (const int signal : {SIGTERM, SIGINT}) {
        TwoRanks two({});
        two.process.signal(signal);
        const Outcome outcome = two.process.wait(std::chrono::seconds(60));
        INFO(outcome.err);
        CHECK(outcome.code == 128 + signal);
        CHECK(contains(outcome.err, "steps are done; to continue: byhand train --resume"));
        succeeds(two.place, "eval");
    }
}

TEST_CASE("train: a rank that does not come is named, and so is one with another recipe") {
    need_torch();
    const Folder place;
    const Arguments quick = kShort + "--rank-timeout 2";
    const Outcome alone = byhand(place, quick, rank_of_two("0", "29612"));
    check_refused(alone, "rank 1 did not come within 2 s");
    const Outcome no_first = byhand(place, quick, rank_of_two("1", "29613"));
    check_refused(no_first, "rank 1 of 2: can't meet the other ranks at 127.0.0.1:29613");

    Process other(place, byhand_program(), kShort + "--rate 0.7", rank_of_two("1", "29614"));
    const Outcome first = byhand(place, kShort, rank_of_two("0", "29614"));
    CHECK(contains(first.err, "rank 1 has another recipe than rank 0"));
    CHECK(first.code == 2);
    CHECK(other.wait().code == 2);
}

TEST_CASE("train: half a message from a stranger to the store ends in an error, not in a wait without end") {
    need_torch();
    const Folder place;
    Process first(place, byhand_program(), kShort + "--rank-timeout 2", rank_of_two("0", "29616"));
    const int stranger = ::socket(AF_INET, SOCK_STREAM, 0);
    addrinfo* there = nullptr;
    REQUIRE(::getaddrinfo("127.0.0.1", "29616", nullptr, &there) == 0);
    while (::connect(stranger, there->ai_addr, there->ai_addrlen) != 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ::freeaddrinfo(there);
    REQUIRE(::write(stranger, "", 1) == 1);
    const Outcome outcome = first.wait(std::chrono::seconds(40));
    ::close(stranger);
    CHECK(outcome.code == 2);
    CHECK(contains(outcome.err, "byhand: rank 0 of 2: "));
}

TEST_CASE("compare --ranks: every value is that of one process, to the bit") {
    need_torch();
    const Folder place;
    const Outcome three = succeeds(place, "compare --ranks 3 --quick --batch 33 --steps 2");
    CHECK_FALSE(contains(three.err, "rank"));
    CHECK(contains(three.out, "3 ranks, 8 parts, 5 messages a step: all 64 values have the same bits as on one"));
    const Outcome one = succeeds(place, "compare --parts 5 --quick --drift --steps 2");
    CHECK(contains(one.out, "1 rank, 5 parts, 5 messages a step: all 64 values"));
    const Json report = json_of(byhand(place,
                                       "compare --ranks 3 --quick --recipe makemore-deep --hidden 17,5 --batch 33 "
                                       "--parts 4 --model stepwise,fused,collapsed --format json"));
    REQUIRE(report["ranks"]["models"].size() == 3);
    for (const Json& model : report["ranks"]["models"]) {
        CHECK(model["ranks"] == 3);
        CHECK(model["different"].empty());
    }
    CHECK(byhand(place, "compare --ranks 3 --quick --plant statistics-not-synchronised").code == 1);
}

TEST_CASE("compare --ranks, train --ranks: options and environments that contradict each other are refused once") {
    const Folder place;
    check_refused(
        place,
        {{"train --ranks 2 --parts 40 --batch 33", "a batch of 33 rows can't have 40 parts; --parts takes at most 33"},
         {"train --ranks 2 --model exercise", "--model exercise trains on the whole batch by one process"}});
    const auto refused = [&](const Environment& environment, const std::string& what) {
        check_refused(byhand(place, kTrain + "--context 128", environment), what);
    };
    check_refused(byhand(place, "train --ranks 3", rank_of_two("0", "29615")),
                  "--ranks 3 contradicts the environment, which describes 2 ranks");
    refused({{"RANK", "2"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "x"}},
            "RANK is \"2\", but must be a whole number from 0 to 1");
    refused({{"RANK", "0"}, {"WORLD_SIZE", "two"}, {"MASTER_ADDR", "x"}},
            "WORLD_SIZE is \"two\", but must be a whole number");
    // Each of a launcher's processes has its share of the memory.
    refused({{"LOCAL_WORLD_SIZE", "500"}}, " for 500 processes; lower --context, or give fewer names");
    if (!with_torch()) {
        check_refused(byhand(place, "train --ranks 2"), "the module that connects ranks is not at");
        return;
    }
    check_refused(byhand_under(place, "ulimit -f 8", "train --ranks 2 --no-save"), "set TMPDIR to a folder with room");
    check_refused(place, {{"compare --ranks 2 --plant dvar-path-forgotten",
                           "the mistake dvar-path-forgotten is none of several ranks"},
                          {"compare --ranks 2 --plant same-mask-on-all-ranks",
                           "the mistake same-mask-on-all-ranks does not apply to the recipe notes in 8 parts on 2"},
                          {"compare --plant mean-of-means", "add --ranks 3"}});
}

}  // namespace cli_test

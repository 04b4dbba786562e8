// A training that was broken off goes on as if it had not been: the same bytes, of the checkpoint and of the metrics.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {
namespace {

struct Place : NamesFolder {
    Place() {
        // Two rates, so that a checkpoint can lie before, at and after the change, and figures of the training set.
        with_rates(R"({"from": 0, "rate": 0.1}, {"from": 40, "rate": 0.03})");
    }

    // The recipe makemore-deep with these rates, as "r.json".
    void with_rates(const std::string& rates) const {
        std::string text = byhand(*this, "recipes makemore-deep").out;
        const std::size_t begin = text.find("\"rates\"");
        write("r.json", text.replace(begin, text.find(']', begin) - begin + 1, "\"rates\": [" + rates + "]"));
    }

    Outcome train(const Arguments& more) const { return byhand(*this, "train" + more); }
    // From the beginning, by the recipe made small.
    static Arguments beginning(const std::string& model, const Arguments& more) {
        return "train --data n --recipe r.json --hidden 17,9 --batch 13 --log-every 7 --model " + model + more;
    }
    void begin(const std::string& model, const Arguments& more) const { succeeds(*this, beginning(model, more)); }
};

void check_same(const Folder& folder, const std::string& a, const std::string& b) {
    CAPTURE(a, b);
    CHECK(folder.read(a) == folder.read(b));  // of bytes nobody reads what is unlike
}

// The command after "to continue: ", as a shell would split it: none of its words needs quotes here.
Arguments command_in(const std::string& err) {
    const std::string mark = "to continue: byhand ";
    const std::size_t at = err.find(mark);
    REQUIRE(at != std::string::npos);
    return err.substr(at + mark.size(), err.find('\n', at) - at - mark.size());
}

}  // namespace

TEST_CASE("N and M steps make the same bytes as N + M, for every model, in any phase of the schedule") {
    for (const std::string& model : models()) {
        const Place place;
        place.begin(model, "--steps 73 --save whole --metrics whole.m");
        for (const std::string n : {"20", "40"}) {
            CAPTURE(model, n);
            place.begin(model, "--save part --metrics part.m --steps " + n);
            succeeds(place, "train --resume part --steps 73 --log-every 7 --metrics part.m --save all");
            check_same(place, "all", "whole");
            check_same(place, "part.m", "whole.m");
        }
    }
}

TEST_CASE("the number of threads may change, and the checkpoints between change nothing") {
    const Place place;
    place.begin("fused", "--steps 73 --save whole --threads 1");
    place.begin("fused", "--steps 30 --save part --threads 3 --save-every 4");
    REQUIRE(place.train("--resume part --steps 73 --threads 2 --save-every 9").code == 0);
    check_same(place, "part", "whole");
    place.begin("fused", "--steps 73 --save auto --threads auto");
    check_same(place, "auto", "whole");
}

TEST_CASE("Ctrl-C says how to go on, and that ends as if it had not been pressed") {
    const Place place;
    const Arguments flags = "train --data n --hidden 9 --steps 60000 --log-every 500 --save-every 7000 --threads 1";
    Process process(place, byhand_program(), flags + "--save part --metrics part.m", {});
    REQUIRE(process.says("steps/s"));
    process.signal(SIGINT);
    const Outcome outcome = process.wait();
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 130);
    succeeds(place, command_in(outcome.err));
    succeeds(place, flags + "--save whole --metrics whole.m");
    check_same(place, "part", "whole");
    check_same(place, "part.m", "whole.m");
}

TEST_CASE("killed at any moment, a whole checkpoint is there, and from it the same bytes come") {
    const Place place;
    const Arguments flags = "--steps 600 --save-every 1";
    place.begin("fused", flags + "--save whole --metrics whole.m");
    std::mt19937 random(3);
    for (int kill = 0; kill < 20; ++kill) {
        CAPTURE(kill);
        Process process(place, byhand_program(), Place::beginning("fused", flags + "--save part --metrics part.m"), {});
        REQUIRE(process.says("steps/s"));
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 60000));
        process.signal(SIGKILL);
        process.wait();
        if (!place.has("part")) {
            continue;  // before the first
        }
        if (read_stored(place.file("part")).metadata.at("steps") != "600") {
            succeeds(place, "train --resume part --save-every 50 --log-every 7 --metrics part.m");
        }
        check_same(place, "part", "whole");
        check_same(place, "part.m", "whole.m");
        std::filesystem::remove(place.file("part"));
    }
}

TEST_CASE("resume: a changed training is rejected with the changes, unless a flag allows it") {
    const Place place;
    place.begin("fused", "--steps 9 --save part");
    const std::string before = place.read("part");
    std::vector<std::string> names = plain_names();
    names.emplace_back("anna");
    place.write("others", file_of(names));
    names.emplace_back("xyz");
    place.write("more", file_of(names));
    const Arguments on = "--resume part --steps 20";
    const std::vector<Refusal> refusals = {
        {on + "--data others", "the data"},
        {on + "--data more", "the vocabulary"},
        {on + "--model stepwise", "the model (fused saved, stepwise now)"},
        {on + "--batch 12", "the recipe's batches.size (13 there, 12 here)"},
        {on + "--optimizer adamw", "optimizer.name (\"nothing\" there, \"adamw\" here)"},
        {on + "--recipe notes", "the recipe's network.embedding (10 there, 2 here)"},
        {"--resume part", "has 9 of 9 steps already; --steps is the total"},
        {"--resume n --steps 20", "not a safetensors file"},
        {"--resume none --steps 20", "No such file"},
        {"--resume-changed", "--resume"}};
    for (const auto& [arguments, what] : refusals) {
        check_refused(place.train(arguments), what);
    }
    place.write("other", exchanged(before, R"("model":"fused")", R"("model":"other")"));
    check_refused(place.train("--resume other --steps 20"), R"(trained by the unknown model "other"; give --model)");
    CHECK(place.read("part") == before);

    const Arguments all_the_same = on + "--resume-changed --save other";
    CHECK(place.train(all_the_same + "--data others --model stepwise --batch 12").code == 0);
    check_refused(place.train(all_the_same + "--hidden 16,9"), "its tensors do not fit the requested network");
}

TEST_CASE("metrics that do not belong to the checkpoint are refused and left alone, others go on") {
    const Place place;
    place.begin("fused", "--steps 30 --save part --metrics m");
    const std::string whole = place.read("m");
    const Arguments on = "--resume part --steps 40 --save new --metrics m --log-every";
    check_refused(place.train(on + "5"), "m: line 2 has step 7");
    CHECK(place.read("m") == whole);
    CHECK_FALSE(place.has("new"));
    place.write("m", whole + "{\"step\":35,\"lo");  // broken off in the middle of a later line
    REQUIRE(place.train(on + "7").code == 0);
    place.begin("fused", "--steps 40 --save straight --metrics straight.m");
    check_same(place, "m", "straight.m");
    check_same(place, "new", "straight");
}

TEST_CASE("two runs on the same file: a reader sees a whole file at any time, and the last one written stays") {
    const Place place;
    const auto command = [](const std::string& seed, const std::string& save) {
        return "train --data n --hidden 9 --steps 700 --save-every 1 --seed" + Arguments{seed, "--save", save};
    };
    for (const std::string seed : {"1", "2"}) {
        succeeds(place, command(seed, "of " + seed));
    }
    Process one(place, byhand_program(), command("1", "same"), {});
    Process two(place, byhand_program(), command("2", "same"), {});
    std::size_t looks = 0;
    while (!one.ended() || !two.ended()) {
        if (place.has("same")) {
            CHECK(read_stored(place.file("same")).metadata.at("format") == "byhand");
            ++looks;
        }
    }
    CHECK(one.wait().code == 0);
    CHECK(two.wait().code == 0);
    CHECK(looks > 20);
    const std::string last = place.read("same");
    CHECK((last == place.read("of 1") || last == place.read("of 2")));
    CHECK(place.files() == std::vector<std::string>{"n", "of 1", "of 2", "r.json", "same"});
}

TEST_CASE("training that becomes non-finite names the first such number, and the last finite model stays") {
    const Place place;
    place.with_rates(R"({"from": 0, "rate": 0.1}, {"from": 50, "rate": 1e30})");
    const Outcome outcome = byhand(place, Place::beginning("fused", "--steps 90 --save m --save-every 15"));
    CAPTURE(outcome.err);
    CHECK(outcome.code == 1);
    CHECK(outcome.out.empty());
    CHECK(contains(outcome.err, "[0, 0] of step 51 is not a number; m still contains the model after 45 steps"));
    CHECK(read_stored(place.file("m")).metadata.at("steps") == "45");
    succeeds(place, "sample m -n 1");
}

}  // namespace cli_test

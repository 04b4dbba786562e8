#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/program.h"

namespace cli_test {
namespace {

using Names = std::vector<std::string>;

Json report(const Folder& folder, const Arguments& more) {
    return json_of(byhand(folder, "compare --format json" + more));
}

std::vector<std::size_t> steps_of(const Json& report) {
    std::vector<std::size_t> steps;
    for (const Json& step : report["steps"]) {
        steps.push_back(step["step"].get<std::size_t>());
    }
    return steps;
}

}  // namespace

TEST_CASE("compare: all forms agree with both of LibTorch's networks, end to end and in isolation") {
    need_torch();
    const Folder folder;
    const Arguments models = "--model stepwise,collapsed,fused";
    const Json j = report(folder, models);
    CHECK(j["verdict"] == "agree");
    REQUIRE(j["steps"].size() == 1);
    const std::string table = succeeds(folder, "compare --verbose" + models).out;
    CHECK(contains(table, "\nnext: plant a mistake, or train:\n"));  // --verbose, which lists more, is given
    std::set<std::string> sections;
    for (const Json& t : j["steps"][0]["tensors"]) {
        sections.insert(t["model"].get<std::string>() + "/" + t["witness"].get<std::string>());
        CHECK(contains(table, "\n  " + t["name"].get<std::string>() + " "));
    }
    CHECK(sections == std::set<std::string>{"collapsed/module", "collapsed/stepwise", "fused/module", "fused/stepwise",
                                            "stepwise/module", "stepwise/stepwise"});
    CHECK(j["steps"][0]["alone"].size() > 3 * 40);
    CHECK(folder.files().empty());
}

TEST_CASE("compare --steps, --every, --from and --drift: each K-th step, and the last, with the same figures") {
    need_torch();
    const Folder folder;
    using Steps = std::vector<std::size_t>;
    CHECK(steps_of(report(folder, "--steps 9 --every 4")) == Steps{0, 4, 8});
    const Json all = report(folder, "--steps 4"), last = report(folder, "--steps 4 --from 3");
    REQUIRE(steps_of(last) == Steps{3});
    CHECK(last["steps"][0] == all["steps"][3]);
    CHECK(report(folder, "--steps 4 --drift")["steps"][3].contains("drift"));
}

TEST_CASE("compare --tensor shows the values that match and judges all") {
    need_torch();
    const Folder folder;
    const Json some = report(folder, "--tensor d*");
    CHECK(some["steps"][0]["tensors"].size() == 26 + 13);  // a module keeps half of them
    for (const Json& t : some["steps"][0]["tensors"]) {
        CHECK(t["name"].get<std::string>().starts_with("d"));
    }
    const Outcome table = byhand(folder, "compare --tensor dW?"), whole = byhand(folder, "compare");
    CHECK(contains(table.out, "\n  dW1 "));
    CHECK_FALSE(contains(table.out, "\n  W1 "));
    CHECK(contains(whole.out, table.out.substr(table.out.find("\nthey agree: "), 60)));
    check_refused(folder, {{"compare --tensor dbnvr",
                            "--tensor: no tensor matches dbnvr; the nearest is dbnvar (byhand explain lists them)"},
                           {"compare --tensor X", "--tensor: no tensor matches X"}});
    succeeds(folder, "compare --quick --tensor bnmean_running");
}

TEST_CASE("compare --output writes what standard output would have had") {
    need_torch();
    const Folder folder;
    for (const std::string format : {"table", "json", "csv", "junit", "html"}) {
        const Arguments command = "compare --steps 3 --format " + format;
        const Outcome shown = byhand(folder, command);
        const Outcome written = succeeds(folder, command + "--output report");
        CHECK(written.out.empty());
        CHECK(written.err.starts_with("they agree: "));
        CHECK(lines_of(written.err).size() == 1);
        CHECK(folder.read("report") == shown.out);
        CHECK(folder.files() == Names{"report"});
    }
}

TEST_CASE("compare --allow: a vacuous result is no agreement, unless it is allowed") {
    need_torch();
    const Folder folder;
    // One row by the biased variance: every difference from the mean is zero.
    const Arguments command = "compare --batch 1 --bn-variance biased --hidden 3";
    const Outcome refused = byhand(folder, command);
    CHECK(refused.code == 1);
    CHECK(contains(refused.out, "\nvacuous, which shows nothing: "));
    CHECK(contains(refused.out,
                   "\nnext: repeat only this comparison (--verbose lists every value):\n  byhand "
                   "compare --recipe notes --hidden 3 --batch 1 --seed "
                   "2147483647 --bn-variance biased --steps 1 --tensor bndiff\n"));
    CHECK(byhand(folder, command + "--allow out-of-range").code == 1);
    succeeds(folder, command + "--allow vacuous,out-of-range");
    CHECK(byhand(folder, command + "--allow poem").code == 2);
    CHECK_FALSE(contains(byhand(folder, "compare").out, "repeat only this comparison"));
}

TEST_CASE("compare --output writes through a link, into a pipe and to a device") {
    need_torch();
    const Folder folder;
    namespace fs = std::filesystem;
    folder.write("report", "old");
    fs::create_symlink("report", folder.file("link"));
    succeeds(folder, "compare --output link");
    CHECK(fs::is_symlink(folder.file("link")));
    CHECK(folder.read("report").starts_with("stepwise against LibTorch "));
    fs::create_symlink("/dev/null", folder.file("nowhere"));
    byhand(folder, "compare --output nowhere");
    CHECK(fs::is_symlink(folder.file("nowhere")));
    REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
    const int reader = ::open(folder.file("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    succeeds(folder, "compare --output pipe");
    std::string read(65536, '\0');
    read.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(reader, read.data(), read.size()))));
    CHECK(read == folder.read("report"));
    CHECK(fs::is_fifo(folder.file("pipe")));
    ::close(reader);
}

TEST_CASE(
    "compare gives the same bytes again, and models may be named in a list, one by one, or twice, which is once") {
    need_torch();
    const Folder folder;
    const Arguments command = "compare --format json --steps 5 --dump d.safetensors --model stepwise --model collapsed";
    const std::string first = succeeds(folder, command).out, first_dump = folder.read("d.safetensors");
    CHECK(byhand(folder, "compare --format json --steps 5 --dump d.safetensors --model stepwise,collapsed,collapsed")
              .out == first);
    CHECK(folder.read("d.safetensors") == first_dump);
    CHECK(first_dump.size() > 100'000);
}

TEST_CASE("colour on a terminal, unless it is not wanted") {
    need_torch();
    const Folder folder;
    const std::string green = "\x1b[32m";
    const Outcome plain = byhand_on_terminal(folder, "compare");
    CHECK(plain.code == 0);
    CHECK(contains(plain.out, green));
    CHECK(byhand_on_terminal(folder, "compare", {{"NO_COLOR", "1"}}).out.find('\x1b') == std::string::npos);
    CHECK(contains(byhand_on_terminal(folder, "compare", {{"NO_COLOR", ""}}).out, green));
    CHECK(byhand_on_terminal(folder, "compare", {{"TERM", "dumb"}}).out.find('\x1b') == std::string::npos);
    CHECK(byhand_on_terminal(folder, "compare --format json").out.find('\x1b') == std::string::npos);
    byhand_on_terminal(folder, "compare --output report");
    CHECK(folder.read("report").find('\x1b') == std::string::npos);
}

TEST_CASE("compare says what to do next, for the network, the file and the result") {
    need_torch();
    const Folder folder;
    const Arguments small = "compare --hidden 3 --batch 5";
    const std::string agree = succeeds(folder, small + "--dump d.safetensors").out;
    CHECK(contains(agree, "\n  byhand compare --hidden 3 --batch 5 --plant dvar-path-forgotten\n"));
    CHECK(contains(agree, "\n  byhand train --hidden 3 --batch 5\n"));
    const Outcome wrong = byhand(folder, small + "--plant dvar-path-forgotten");
    CHECK(wrong.out.find("culprit: dbndiff\n") < wrong.out.find("\nnext: repeat only this comparison"));
    CHECK(lines_of(wrong.out).size() <= 26);  // a screen; two lines are of the sentence for learners
    // A network without batch norm.
    const Outcome other = byhand(folder, small + "--norm none");
    CHECK(contains(other.out, " --norm none --plant "));
    CHECK_FALSE(contains(other.out, "dvar-path-forgotten"));
}

}  // namespace cli_test

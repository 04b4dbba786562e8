#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/parsed_json.h"
#include "cli/program.h"

namespace cli_test {
namespace {

using Names = std::vector<std::string>;

// In the order in which they come.
const Names kForward = {"emb",        "embcat",         "hprebn",      "bnmeani",     "bndiff",
                        "bndiff2",    "bnvar",          "bnvar_inv",   "bnraw",       "hpreact",
                        "h",          "logits",         "logit_maxes", "norm_logits", "counts",
                        "counts_sum", "counts_sum_inv", "probs",       "logprobs",    "loss"};
const Names kGradients = {"dlogprobs",    "dprobs",   "dcounts_sum_inv",
                          "dcounts_sum",  "dcounts",  "dnorm_logits",
                          "dlogit_maxes", "dlogits",  "dh",
                          "dW2",          "db2",      "dhpreact",
                          "dbngain",      "dbnbias",  "dbnraw",
                          "dbnvar_inv",   "dbnvar",   "dbndiff2",
                          "dbndiff",      "dbnmeani", "dhprebn",
                          "dembcat",      "dW1",      "db1",
                          "demb",         "dC"};
const Names kState = {"C", "W1", "b1", "bngain", "bnbias", "W2", "b2", "bnmean_running", "bnvar_running"};

// The names of one section in their order, of those in `wanted` only.
Names section(const Json& step, const std::string& model, const std::string& reference, const Names& wanted) {
    Names names;
    for (const Json& t : step["tensors"]) {
        if (t["model"] == model && t["witness"] == reference &&
            std::find(wanted.begin(), wanted.end(), t["name"].get<std::string>()) != wanted.end()) {
            names.push_back(t["name"].get<std::string>());
        }
    }
    return names;
}

Json report(const Folder& folder, const Arguments& more) {
    return json_of(byhand(folder, Arguments{"compare", "--format", "json"} + more));
}

std::vector<std::size_t> steps_of(const Json& report) {
    std::vector<std::size_t> steps;
    for (const Json& step : report["steps"]) {
        steps.push_back(step["step"].get<std::size_t>());
    }
    return steps;
}

}  // namespace

TEST_CASE("compare: by every optimizer all models agree, from step to step, and its state is compared and dumped") {
    need_torch();
    const Folder folder;
    for (const std::string optimizer : {"sgd", "momentum", "nesterov", "adamw"}) {
        const Outcome outcome = byhand(
            folder, {"compare", "--verbose", "--optimizer", optimizer, "--weight-decay", "0.02", "--model", "stepwise",
                     "--model", "collapsed", "--model", "fused", "--steps", "3", "--dump", "d.safetensors"});
        CAPTURE(optimizer, outcome.err);
        CHECK(outcome.code == 0);
        CHECK(outcome.out.find("\nthey agree: ") != std::string::npos);
        const std::string kept = optimizer == "adamw" ? "exp_avg_sq_W2" : "momentum_W2";
        const bool keeps = optimizer != "sgd";
        CHECK((outcome.out.find("new_" + kept + " ") != std::string::npos) == keeps);
        CHECK((folder.read("d.safetensors").find("\"oracle/" + kept + "\"") != std::string::npos) == keeps);
    }
}

TEST_CASE("compare: what an optimizer makes of a gradient that is zero is no sign of an empty check") {
    need_torch();
    const Folder folder;
    for (const std::string optimizer : {"momentum", "nesterov", "adamw"}) {
        const Outcome outcome =
            byhand(folder, {"compare", "--quick", "--batch", "2", "--hidden", "1", "--optimizer", optimizer});
        CAPTURE(optimizer, outcome.out);
        CHECK(outcome.code == 0);
    }
}

TEST_CASE("compare --verbose: one step of the stepwise network agrees, and every value is listed") {
    need_torch();
    const Folder folder;
    const Outcome outcome = byhand(folder, {"compare", "--verbose"});
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    CHECK(outcome.out.find("\n\nstep 0: loss 3.2") != std::string::npos);
    CHECK(outcome.out.find("\nthey agree: ") != std::string::npos);
    CHECK(outcome.out.find("disagree") == std::string::npos);
    std::set<std::string> shown;
    for (const std::string& line : lines_of(outcome.out)) {
        if (line.starts_with("  ")) {
            shown.insert(line.substr(2, line.find(' ', 2) - 2));
        }
    }
    for (const Names& names : {kForward, kGradients, kState}) {
        for (const std::string& name : names) {
            CAPTURE(name);
            CHECK(shown.contains(name));
        }
    }
    for (const std::string& name : kState) {
        CHECK(shown.contains("new_" + name));
    }
    CHECK(folder.files().empty());
}

TEST_CASE("compare as JSON: every name of the stepwise network, the 26 gradients in their order") {
    need_torch();
    const Folder folder;
    const Json j = report(folder, {});
    CHECK(j["verdict"] == "agree");
    CHECK(j["first_divergence"].is_null());
    CHECK(j["culprits"].is_array());
    CHECK(j["victims"].is_array());
    REQUIRE(j["steps"].size() == 1);
    const Json step = j["steps"][0];
    CHECK(step["step"] == 0);
    CHECK(std::abs(step["loss"]["manual"].get<double>() - step["loss"]["torch"].get<double>()) < 1e-6);
    CHECK(section(step, "stepwise", "stepwise", kForward) == kForward);
    REQUIRE(kGradients.size() == 26);
    CHECK(section(step, "stepwise", "stepwise", kGradients) == kGradients);
    Names updated;
    for (const std::string& name : kState) {
        updated.push_back("new_" + name);
    }
    CHECK(section(step, "stepwise", "stepwise", kState) == kState);
    CHECK(section(step, "stepwise", "stepwise", updated) == updated);
    const Names kept = {"emb",     "embcat",  "hprebn",   "hpreact", "h",       "logits", "demb",
                        "dembcat", "dhprebn", "dhpreact", "dh",      "dlogits", "dC",     "dW1",
                        "db1",     "dbngain", "dbnbias",  "dW2",     "db2"};
    CHECK(section(step, "stepwise", "module", kept).size() == kept.size());
    CHECK(section(step, "stepwise", "module", {"counts", "bnraw"}).empty());
}

TEST_CASE("compare as JSON: each tensor has every field of the contract") {
    need_torch();
    const Folder folder;
    const Json j = report(folder, {"--model", "stepwise,collapsed,fused"});
    std::set<std::string> sections;
    for (const Json& t : j["steps"][0]["tensors"]) {
        CAPTURE(t);
        sections.insert(t["model"].get<std::string>() + "/" + t["witness"].get<std::string>());
        std::size_t count = 1;
        for (const Json& extent : t["shape"]) {
            count *= extent.get<std::size_t>();
        }
        CHECK(t["count"] == count);
        CHECK(t["bit_equal"].is_boolean());
        CHECK(t["max_abs_diff"].is_number());
        CHECK(std::holds_alternative<std::uint64_t>(t["max_ulp"].value()));
        CHECK(t["error_manual"].is_number());
        CHECK(t["error_torch"].is_number());
        CHECK(t["limit"].is_number());
        CHECK(t["used"].get<double>() <= 1);
        CHECK(t["scale"].is_number());
        CHECK(t["torch_further_off"] == false);
        // A gradient that is zero in exact arithmetic is only rounding: the comparison end to end can't decide on it.
        const std::string verdict = t["verdict"].get<std::string>(), name = t["name"].get<std::string>();
        const bool only_rounding = name == "db1" || name == "dlogit_maxes" || name == "new_b1";
        CHECK((verdict == (t["bit_equal"].get<bool>() ? "exact" : "within") ||
               (verdict == "undecided" && only_rounding)));
        CHECK(t["worst"]["index"].size() == t["shape"].size());
        for (std::size_t axis = 0; axis < t["shape"].size(); ++axis) {
            CHECK(t["worst"]["index"][axis].get<int>() < t["shape"][axis].get<int>());
        }
        CHECK(t["worst"]["where"].get<std::string>().starts_with(name));
        for (const std::string implementation : {"manual", "torch", "oracle"}) {
            CHECK(t["worst"][implementation].is_number());
        }
        const double apart = std::abs(t["worst"]["manual"].get<double>() - t["worst"]["torch"].get<double>());
        CHECK(apart <= t["max_abs_diff"].get<double>());
        const double error = std::abs(t["worst"]["manual"].get<double>() - t["worst"]["oracle"].get<double>());
        CHECK(error <= t["error_manual"].get<double>());
        CHECK(error <= t["limit"].get<double>());
    }
    CHECK(sections == std::set<std::string>{"collapsed/module", "collapsed/stepwise", "fused/module", "fused/stepwise",
                                            "stepwise/module", "stepwise/stepwise"});
}

TEST_CASE("compare --steps and --every: each K-th, and the last") {
    need_torch();
    const Folder folder;
    using Steps = std::vector<std::size_t>;
    CHECK(steps_of(report(folder, {"--steps", "9", "--every", "4"})) == Steps{0, 4, 8});
    CHECK(steps_of(report(folder, {"--steps", "10", "--every", "4"})) == Steps{0, 4, 8, 9});
    CHECK(steps_of(report(folder, {"--steps", "3"})) == Steps{0, 1, 2});
    CHECK(steps_of(report(folder, {"--steps", "3", "--every", "100"})) == Steps{0, 2});
}

TEST_CASE("compare: all implementations begin a step alike, unless they drift") {
    need_torch();
    const Folder folder;
    for (const bool drift : {false, true}) {
        const Json j = report(folder, Arguments{"--steps", "40", "--every", "39", "--model", "stepwise,fused"} +
                                          (drift ? Arguments{"--drift"} : Arguments{}));
        CHECK(j["verdict"] == "agree");
        for (const std::string model : {"stepwise", "fused"}) {
            bool all_equal = true;
            for (const Json& t : j["steps"][1]["tensors"]) {
                if (t["model"] == model && (t["name"] == "C" || t["name"] == "W1" || t["name"] == "bngain")) {
                    all_equal = all_equal && t["bit_equal"].get<bool>();
                }
            }
            CHECK(all_equal == !drift);
        }
    }
}

TEST_CASE("compare --tensor shows what fits and judges all") {
    need_torch();
    const Folder folder;
    const Json all = report(folder, {}), some = report(folder, {"--tensor", "d*"});
    std::size_t expected = 0;
    for (const Json& t : all["steps"][0]["tensors"]) {
        expected += t["name"].get<std::string>().starts_with("d") ? 1 : 0;
    }
    CHECK(some["steps"][0]["tensors"].size() == expected);
    CHECK(expected == 26 + 13);  // a module keeps half of them
    for (const Json& t : some["steps"][0]["tensors"]) {
        CHECK(t["name"].get<std::string>().starts_with("d"));
    }
    const Outcome table = byhand(folder, {"compare", "--tensor", "dW?"}), whole = byhand(folder, {"compare"});
    CHECK(table.out.find("\n  dW1 ") != std::string::npos);
    CHECK(table.out.find("\n  dW2 ") != std::string::npos);
    CHECK(table.out.find("\n  db1 ") == std::string::npos);
    CHECK(table.out.find("\n  W1 ") == std::string::npos);
    const auto verdict = [](const std::string& text) {
        const std::size_t begin = text.find("\nthey agree: ");
        return text.substr(begin, text.find("\n\n", begin + 1) - begin);
    };
    CHECK(verdict(table.out).size() > 60);
    CHECK(verdict(table.out).substr(0, 60) == verdict(whole.out).substr(0, 60));
    check_refused(byhand(folder, {"compare", "--tensor", "dbnvr"}),
                  "--tensor: no tensor matches dbnvr; the nearest is dbnvar (byhand explain lists them)");
    check_refused(byhand(folder, {"compare", "--tensor", "X"}), "--tensor: no tensor matches X");
    CHECK(byhand(folder, {"compare", "--quick", "--tensor", "bnmean_running"}).code == 0);
    CHECK(byhand(folder, {"compare", "--quick", "--tensor", "W1"}).code == 0);
}

TEST_CASE("compare --output writes what standard output would have had") {
    need_torch();
    const Folder folder;
    for (const std::string format : {"table", "json", "csv", "junit"}) {
        const Arguments command = {"compare", "--format", format, "--steps", "3"};
        const Outcome shown = byhand(folder, command);
        const Outcome written = byhand(folder, command + Arguments{"--output", "report"});
        CHECK(written.code == 0);
        CHECK(written.out.empty());
        CHECK(written.err.starts_with("they agree: "));
        CHECK(lines_of(written.err).size() == 1);
        CHECK(folder.read("report") == shown.out);
        CHECK(folder.files() == Names{"report"});
    }
}

TEST_CASE("compare as JSON: every step isolated, none of them wrong") {
    need_torch();
    const Folder folder;
    const Json j = report(folder, {"--model", "stepwise,collapsed,fused"});
    std::set<std::string> alone;
    for (const Json& step : j["steps"][0]["alone"]) {
        CAPTURE(step);
        CHECK((step["verdict"] == "exact" || step["verdict"] == "within"));
        CHECK(step["wrong"] == false);
        CHECK(step["real"]["used"].get<double>() <= 1);
        CHECK(step["probe"]["used"].get<double>() <= 1);
        if (step["model"] == "stepwise") {
            alone.insert(step["name"].get<std::string>());
        }
    }
    for (const Names& names : {kForward, kGradients}) {
        for (const std::string& name : names) {
            CAPTURE(name);
            CHECK(alone.contains(name));
        }
    }
    CHECK(j["blame"] == Json::array());
    CHECK(j["inherited"] == Json::object());
}

TEST_CASE("compare as CSV and as JUnit: a row and a test case a tensor") {
    need_torch();
    const Folder folder;
    const std::size_t tensors = report(folder, {"--tensor", "d*"})["steps"][0]["tensors"].size();
    const std::size_t alone = report(folder, {"--tensor", "d*"})["steps"][0]["alone"].size();
    const Outcome csv = byhand(folder, {"compare", "--format", "csv", "--tensor", "d*"});
    CHECK(csv.code == 0);
    CHECK(lines_of(csv.out).size() == tensors + 1);
    CHECK(csv.out.starts_with("step,model,witness,name,shape,"));
    const Outcome junit = byhand(folder, {"compare", "--format", "junit", "--tensor", "d*"});
    CHECK(junit.code == 0);
    CHECK(junit.out.find(" tests=\"" + std::to_string(tensors + alone) + "\" failures=\"0\"") != std::string::npos);
    CHECK(byhand(folder, {"compare", "--format", "junit", "--tensor", "d*"}).out == junit.out);
}

TEST_CASE("compare --allow: what shows nothing is no agreement, unless it is allowed") {
    need_torch();
    const Folder folder;
    // One row by the biased variance: every difference from the mean is zero.
    const Arguments command = {"compare", "--batch", "1", "--bn-variance", "biased", "--hidden", "3"};
    const Outcome refused = byhand(folder, command);
    CHECK(refused.code == 1);
    CHECK(refused.out.find("\nvacuous, which shows nothing: ") != std::string::npos);
    CHECK(refused.out.find("\nnext: repeat only this comparison (--verbose lists every value):\n  byhand "
                           "compare --recipe notes --hidden 3 --batch 1 --seed "
                           "2147483647 --bn-variance biased --steps 1 --tensor bndiff\n") != std::string::npos);
    CHECK(byhand(folder, command + Arguments{"--allow", "out-of-range"}).code == 1);
    CHECK(byhand(folder, command + Arguments{"--allow", "vacuous,out-of-range"}).code == 0);
    CHECK(byhand(folder, command + Arguments{"--allow", "poem"}).code == 2);
    CHECK(byhand(folder, {"compare"}).out.find("repeat only this comparison") == std::string::npos);
}

TEST_CASE("compare --from shows one step again, with the same figures") {
    need_torch();
    const Folder folder;
    const Json all = report(folder, {"--steps", "4"}), last = report(folder, {"--steps", "4", "--from", "3"});
    REQUIRE(last["steps"].size() == 1);
    CHECK(last["steps"][0] == all["steps"][3]);
}

TEST_CASE("compare --drift reports how far each has drifted, and the fresh error separately") {
    need_torch();
    const Folder folder;
    const Outcome outcome =
        byhand(folder, {"compare", "--steps", "21", "--every", "5", "--drift", "--model", "stepwise,fused"});
    CHECK(outcome.code == 0);
    for (const std::string model : {"stepwise", "fused"}) {
        CHECK(outcome.out.find("\ndrift of " + model + " from LibTorch: ") != std::string::npos);
    }
    std::string in_a_line = outcome.out;
    std::ranges::replace(in_a_line, '\n', ' ');
    CHECK(in_a_line.find(" leads) at the start of step 20") != std::string::npos);
    CHECK(in_a_line.find("; fresh error of a step: ") != std::string::npos);
    CHECK(outcome.out.find("LibTorch is further off") == std::string::npos);
}

TEST_CASE("compare --output goes through a link, and leaves what is no file as it is") {
    need_torch();
    const Folder folder;
    namespace fs = std::filesystem;
    folder.write("report", "old");
    fs::create_symlink("report", folder.file("link"));
    CHECK(byhand(folder, {"compare", "--output", "link"}).code == 0);
    CHECK(fs::is_symlink(folder.file("link")));
    CHECK(folder.read("report").starts_with("stepwise against LibTorch "));
    fs::create_symlink("/dev/null", folder.file("nowhere"));
    byhand(folder, {"compare", "--output", "nowhere"});
    CHECK(fs::is_symlink(folder.file("nowhere")));
    REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
    const int reader = ::open(folder.file("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CHECK(byhand(folder, {"compare", "--output", "pipe"}).code == 0);
    std::string read(65536, '\0');
    read.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(reader, read.data(), read.size()))));
    CHECK(read == folder.read("report"));
    CHECK(fs::is_fifo(folder.file("pipe")));
    ::close(reader);
}

TEST_CASE("compare gives the same bytes again") {
    need_torch();
    const Folder folder;
    const Arguments command = {"compare", "--format",     "json", "--steps", "5", "--model", "stepwise,collapsed,fused",
                               "--dump",  "d.safetensors"};
    const std::string first = byhand(folder, command).out, first_dump = folder.read("d.safetensors");
    CHECK(byhand(folder, command).out == first);
    CHECK(folder.read("d.safetensors") == first_dump);
    CHECK(first_dump.size() > 100'000);
}

TEST_CASE("compare: models may be named in a list or one by one, and twice is once") {
    need_torch();
    const Folder folder;
    const std::string list = byhand(folder, {"compare", "--format", "json", "--model", "collapsed,fused"}).out;
    CHECK(byhand(folder, {"compare", "--format", "json", "--model", "collapsed", "--model", "fused"}).out == list);
    const Outcome twice = byhand(folder, {"compare", "--model", "fused,fused", "--dump", "d.safetensors"});
    CAPTURE(twice.err);
    CHECK((twice.code == 0 || twice.code == 2));
    CHECK(twice.err.find("internal error") == std::string::npos);
}

TEST_CASE("colour on a terminal, unless it is not wanted") {
    need_torch();
    const Folder folder;
    const std::string green = "\x1b[32m";
    const Outcome plain = byhand_on_terminal(folder, {"compare"});
    CHECK(plain.code == 0);
    CHECK(plain.out.find(green) != std::string::npos);
    CHECK(byhand_on_terminal(folder, {"compare"}, {{"NO_COLOR", "1"}}).out.find('\x1b') == std::string::npos);
    CHECK(byhand_on_terminal(folder, {"compare"}, {{"NO_COLOR", ""}}).out.find(green) != std::string::npos);
    CHECK(byhand_on_terminal(folder, {"compare"}, {{"TERM", "dumb"}}).out.find('\x1b') == std::string::npos);
    CHECK(byhand_on_terminal(folder, {"compare", "--format", "json"}).out.find('\x1b') == std::string::npos);
    byhand_on_terminal(folder, {"compare", "--output", "report"});
    CHECK(folder.read("report").find('\x1b') == std::string::npos);
}

TEST_CASE("compare says what to do next, for the network, the file and the result") {
    need_torch();
    const Folder folder;
    const Arguments small = {"compare", "--hidden", "3", "--batch", "5"};
    const auto proposes = [](const Outcome& outcome, const std::string& command) {
        const std::size_t next = outcome.out.find("\nnext: ");
        return next != std::string::npos && outcome.out.find("\n  byhand " + command + "\n", next) != std::string::npos;
    };
    const Outcome agree = byhand(folder, small + Arguments{"--dump", "d.safetensors"});
    CHECK(agree.code == 0);
    CHECK(proposes(agree, "compare --hidden 3 --batch 5 --plant dvar-path-forgotten"));
    CHECK(proposes(agree, "train --hidden 3 --batch 5"));
    const Outcome wrong = byhand(folder, small + Arguments{"--plant", "dvar-path-forgotten"});
    CHECK(wrong.out.find("\nthey disagree: ") < wrong.out.find("culprit: dbndiff\n"));
    CHECK(wrong.out.find("culprit: dbndiff\n") < wrong.out.find("\nnext: repeat only this comparison"));
    CHECK(lines_of(wrong.out).size() <= 24);
    // A network without batch norm.
    const Outcome other = byhand(folder, small + Arguments{"--norm", "none"});
    CHECK(other.out.find(" --norm none --plant ") != std::string::npos);
    CHECK(other.out.find("dvar-path-forgotten") == std::string::npos);
}

}  // namespace cli_test

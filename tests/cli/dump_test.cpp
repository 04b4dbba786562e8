#include <algorithm>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

// The checker, checked: the dump is read and compared by code of the test's own, and must give the report's figures.

namespace cli_test {
namespace {

// How many floats lie from a to b, counted over the bits as sign and magnitude.
std::uint64_t floats_between(float a, float b) {
    const auto place = [](float x) {
        const auto bits = std::bit_cast<std::uint32_t>(x);
        const auto magnitude = static_cast<std::int64_t>(bits & 0x7fffffffU);
        return (bits >> 31) != 0 ? -magnitude : magnitude;
    };
    return static_cast<std::uint64_t>(std::abs(place(a) - place(b)));
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::abs(a[i] - b[i]));
    }
    return largest;
}

struct Compared : Folder {
    Json report;
    StoredFile dump;

    explicit Compared(const Arguments& flags) {
        write("n", file_of(world_names()));
        report = json_of(byhand(
            *this, Arguments{"compare", "--format", "json", "--data", "n", "--dump", "dump.safetensors"} + flags));
        dump = read_stored(file("dump.safetensors"));
    }

    // Every tensor of the last step, held against the dump.
    void check_figures(bool drifting = false) const {
        std::size_t checked = 0;
        for (const Json& t : report["steps"].back()["tensors"]) {
            const std::string name = t["name"].get<std::string>(), model = t["model"].get<std::string>(),
                              reference = t["witness"].get<std::string>();
            CAPTURE(name, model, reference);
            const StoredTensor& ours = dump.tensors.at((model == "stepwise" ? "manual" : model) + "/" + name);
            const StoredTensor& theirs = dump.tensors.at((reference == "stepwise" ? "torch" : reference) + "/" + name);
            const StoredTensor& oracle = dump.tensors.at("oracle/" + name);
            CHECK(ours.dtype == "F32");
            CHECK(theirs.dtype == "F32");
            CHECK(oracle.dtype == "F64");
            CHECK(Json(ours.shape) == t["shape"]);
            CHECK(ours.shape == theirs.shape);
            CHECK(ours.shape == oracle.shape);
            CHECK(t["bit_equal"] == (ours.bytes == theirs.bytes));
            CHECK(t["max_abs_diff"].get<double>() == largest_difference(ours.doubles(), theirs.doubles()));
            CHECK(t["error_manual"].get<double>() == largest_difference(ours.doubles(), oracle.doubles()));
            if (!drifting) {  // then LibTorch's error is against an oracle of its own
                CHECK(t["error_torch"].get<double>() == largest_difference(theirs.doubles(), oracle.doubles()));
            }
            std::uint64_t ulp = 0;
            const std::vector<float> a = ours.floats(), b = theirs.floats();
            for (std::size_t i = 0; i < a.size(); ++i) {
                ulp = std::max(ulp, floats_between(a[i], b[i]));
            }
            CHECK(t["max_ulp"].get<std::uint64_t>() == ulp);
            std::size_t position = 0;
            for (std::size_t axis = 0; axis < ours.shape.size(); ++axis) {
                position = position * ours.shape[axis] + t["worst"]["index"][axis].get<std::size_t>();
            }
            CHECK(t["worst"]["manual"].get<double>() == ours.doubles()[position]);
            CHECK(t["worst"]["torch"].get<double>() == theirs.doubles()[position]);
            CHECK(t["worst"]["oracle"].get<double>() == oracle.doubles()[position]);
            ++checked;
        }
        CHECK(checked > 100);
    }
};

}  // namespace

TEST_CASE("dump: the report's figures, compared anew") {
    need_torch();
    Compared({"--model", "stepwise,collapsed,fused", "--steps", "3"}).check_figures();
    Compared({"--model", "stepwise,fused", "--hidden", "21,19", "--norm", "after", "--steps", "2"}).check_figures();
    Compared({"--model", "collapsed,stepwise", "--hidden", "23", "--norm", "none", "--batch", "5"}).check_figures();
    // With drift the oracle begins where the last model does that is named.
    Compared({"--recipe", "makemore-deep", "--hidden", "11,13", "--model", "collapsed", "--drift", "--steps", "4"})
        .check_figures(true);
}

TEST_CASE("dump: every implementation under its own name, the batch, and the recipe") {
    need_torch();
    const Compared compared({"--model", "stepwise,collapsed,fused", "--steps", "4", "--batch", "7", "--context", "5",
                             "--seed", "3", "--hidden", "20"});
    const StoredFile& dump = compared.dump;
    std::set<std::string> prefixes;
    for (const auto& [name, tensor] : dump.tensors) {
        prefixes.insert(name.substr(0, name.find('/')));
    }
    CHECK(prefixes == std::set<std::string>{"X", "Y", "collapsed", "fused", "manual", "module", "oracle", "torch"});
    for (const std::string implementation : {"manual", "collapsed", "fused", "torch", "module", "oracle"}) {
        for (const std::string name :
             {"C", "W1", "b1", "bngain", "bnbias", "W2", "b2", "bnmean_running", "logits", "loss", "dC", "dW1", "db1",
              "dW2", "db2", "new_C", "new_W2", "new_bnvar_running"}) {
            CAPTURE(implementation, name);
            CHECK(dump.tensors.contains(implementation + "/" + name));
        }
    }
    CHECK(dump.tensors.at("X").dtype == "I64");
    CHECK(dump.tensors.at("Y").dtype == "I64");
    CHECK(dump.tensors.at("X").shape == std::vector<std::size_t>{7, 5});
    CHECK(dump.tensors.at("Y").shape == std::vector<std::size_t>{7});
    const Json recipe = parsed_json(dump.metadata.at("recipe"));
    CHECK(recipe["network"]["hidden"] == Json({20}));
    CHECK(recipe["network"]["context"] == 5);
    CHECK(recipe["batches"]["size"] == 7);
    CHECK(recipe["initial"]["seed"] == 3);
    CHECK(dump.metadata.at("step") == "3");

    // The recipe in it makes the same comparison.
    compared.write("r.json", dump.metadata.at("recipe"));
    CHECK(byhand(compared, {"compare", "--recipe", "r.json", "--data", "n", "--model", "stepwise,collapsed,fused",
                            "--steps", "4", "--dump", "again.safetensors"})
              .code == 0);
    CHECK(read_stored(compared.file("again.safetensors")).tensors.at("manual/dW1").bytes ==
          dump.tensors.at("manual/dW1").bytes);
}

TEST_CASE("dump: the batch is the one that the values were made from") {
    need_torch();
    const Compared compared({"--steps", "5", "--batch", "9", "--embedding", "3"});
    const auto X = compared.dump.tensors.at("X").integers(), Y = compared.dump.tensors.at("Y").integers();
    for (const std::string implementation : {"manual", "torch"}) {
        const auto value = [&](const std::string& name) {
            return compared.dump.tensors.at(implementation + "/" + name).floats();
        };
        const std::vector<float> C = value("C"), emb = value("emb"), logprobs = value("logprobs");
        const std::size_t V = C.size() / 3;
        REQUIRE(emb.size() == X.size() * 3);
        for (std::size_t i = 0; i < X.size(); ++i) {
            for (std::size_t e = 0; e < 3; ++e) {
                CHECK(emb[i * 3 + e] == C[static_cast<std::size_t>(X[i]) * 3 + e]);
            }
        }
        double loss = 0;
        for (std::size_t i = 0; i < Y.size(); ++i) {
            loss -= static_cast<double>(logprobs[i * V + static_cast<std::size_t>(Y[i])]) / 9;
        }
        CHECK(std::abs(loss - value("loss")[0]) < 1e-6);
        // An update: new_p = p − rate·dp, the first rate of the recipe being 0.1.
        const std::vector<float> W1 = value("W1"), dW1 = value("dW1"), new_W1 = value("new_W1");
        for (std::size_t i = 0; i < W1.size(); ++i) {
            CHECK(std::abs(new_W1[i] - (W1[i] - 0.1 * dW1[i])) < 1e-6);
        }
    }
}

}  // namespace cli_test

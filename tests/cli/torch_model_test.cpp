// Models go from byhand to PyTorch's Python and back: scripts/torch_model, which compares the logits of both.
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "cli/external.h"
#include "cli/names.h"
#include "cli/program.h"

namespace cli_test {
namespace {

Outcome torch_model(const Folder& folder, const Arguments& arguments) {
    return run(folder, kPython, Arguments{source_path("scripts/torch_model")} + arguments);
}

void need_python_torch(const Folder& folder) {
    if (!folder.has(kPython) || run(folder, kPython, {"-c", "import torch"}).code != 0) {
        SKIP("no python3-torch");
    }
}

// Conventions by flags, each with a place for ε of its own: the recipes' are inside, none, and inside with an output's
// norm.
struct Case {
    std::string recipe;
    Arguments flags;
};
const Case kCases[] = {{"notes", ""},
                       {"notes", "--hidden 9,5,17 --norm after"},
                       {"notes", "--hidden 33 --norm none --context 5"},
                       {"makemore-bn", "--hidden 21"},
                       {"makemore-deep", "--hidden 7,11"},
                       {"makemore-ninja", "--hidden 3 --embedding 1"},
                       {"mlp-relu-layernorm", "--hidden 9,5"},
                       {"makemore-wavenet", "--hidden 9,5 --context 4"},
                       {"makemore-deep", "--hidden 7,11 --norm-kind rms --activation gelu_tanh"}};

}  // namespace

TEST_CASE("a saved model is an nn.Sequential, by load_state_dict") {
    const Folder folder;
    need_python_torch(folder);
    folder.write("n", file_of(world_names()));
    for (const auto& [recipe, flags] : kCases) {
        INFO(recipe);
        const Arguments train = "train --data n --recipe " + recipe + flags;
        succeeds(folder, train + "--steps 50 --save m");
        succeeds(folder, "eval m --data n --logits l");
        const Outcome outcome = torch_model(folder, "load m l");
        CAPTURE(outcome.out, outcome.err);
        CHECK(outcome.code == 0);
        CHECK(contains(outcome.out, "rows of logits"));
        succeeds(folder, train + "--steps 51 --save other");
        CHECK(torch_model(folder, {"load", "other", "l"}).code == 1);  // or nothing would be compared
    }
}

TEST_CASE("an nn.Sequential written with our keys is evaluated and sampled here") {
    const Folder folder;
    need_python_torch(folder);
    const std::string names = file_of(plain_names());
    folder.write("n", names);
    // The end of a line stands for '.', the end of a name.
    const std::string characters = std::to_string(std::set<char>(names.begin(), names.end()).size());
    // makemore-ninja evaluates by figures that an nn.Sequential has not.
    for (const std::string recipe :
         {"notes", "makemore-bn", "makemore-deep", "mlp-relu-layernorm", "resnet-mlp", "makemore-wavenet"}) {
        INFO(recipe);
        folder.write("r.json", byhand(folder, {"recipes", recipe}).out);
        REQUIRE(torch_model(folder, {"make", "r.json", characters, "m"}).code == 0);
        succeeds(folder, "eval m --recipe r.json --data n --logits l");
        const Outcome outcome = torch_model(folder, {"make", "r.json", characters, "m", "l"});
        CAPTURE(outcome.out, outcome.err);
        CHECK(outcome.code == 0);
        succeeds(folder, "sample m --recipe r.json --data n -n 2");
    }
}

TEST_CASE("a model of others wants a recipe that fits it, and our own wants none") {
    const NamesFolder folder;
    REQUIRE(folder.train("--steps 3 --hidden 9 --save m").code == 0);
    succeeds(folder, "eval m --data n --logits l");
    check_refused(folder, {{"eval m --data n --recipe notes", "leave out --recipe"},
                           {"sample m --recipe notes", "leave out --recipe"},
                           {"eval l --data n", "has no \"recipe\""},
                           {"eval l --data n --recipe notes", "tensor C is missing"},
                           {"eval l --data n --recipe none", "there is no recipe or file"},
                           {"sample m --data n", "--recipe"}});
}

}  // namespace cli_test

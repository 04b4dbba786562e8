#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/parsed_json.h"
#include "cli/dropout_recipe.h"
#include "cli/program.h"

// All three handwritten networks agree with LibTorch, whatever the shape and the norm's conventions.

namespace cli_test {
namespace {

// The first tensor that does not agree, with all its figures; empty where there is none.
std::string first_disagreement(const Json& report) {
    for (const Json& step : report["steps"]) {
        for (const Json& t : step["tensors"]) {
            if (t["verdict"] != "exact" && t["verdict"] != "within") {
                return "step " + byhand::printed_json(step["step"], 0) + ": " + byhand::printed_json(t, 0);
            }
        }
    }
    return "";
}

struct Matrix : Folder {
    Matrix() {
        need_torch();
        Json recipe = json_of(byhand(*this, {"recipes", "notes"}));
        recipe["network"]["norm"]["affine"] = false;
        write("no-gain.json", byhand::printed_json(recipe, 0));
        write("dropout.json", dropout_recipe(*this));
    }

    void agree(const Arguments& network, std::size_t steps = 50) const {
        constexpr std::size_t kEvery = 7;
        const Outcome outcome =
            byhand(*this, Arguments{"compare", "--model", "stepwise,collapsed,fused", "--steps", std::to_string(steps),
                                    "--every", std::to_string(kEvery), "--format", "json"} +
                              network);
        CAPTURE(network, outcome.err);
        CHECK(outcome.code == 0);
        REQUIRE((outcome.code == 0 || outcome.code == 1));
        const Json report = parsed_json(outcome.out);
        CHECK(report["steps"].size() == (steps - 1 + kEvery - 1) / kEvery + 1);  // and the first
        INFO(first_disagreement(report));
        CHECK(report["verdict"] == "agree");
    }

    // Both divisors, both places, with γ and β and without, and no norm at all.
    void agree_in_every_norm(const std::string& hidden) const {
        for (const std::string recipe : {"notes", "no-gain.json"}) {
            for (const std::string place : {"before", "after"}) {
                for (const std::string variance : {"unbiased", "biased"}) {
                    agree({"--recipe", recipe, "--hidden", hidden, "--norm", place, "--bn-variance", variance});
                }
            }
        }
        agree({"--hidden", hidden, "--norm", "none"});
    }
};

}  // namespace

TEST_CASE("matrix: a sample") {
    const Matrix matrix;
    matrix.agree({"--recipe", "makemore-bn", "--norm", "after"});
    matrix.agree({"--recipe", "no-gain.json", "--hidden", "31,17,23", "--bn-variance", "biased"});
    matrix.agree({"--hidden", "1", "--embedding", "1", "--context", "1", "--norm", "none"});
    matrix.agree({"--recipe", "mlp-relu-layernorm"});
    matrix.agree({"--recipe", "makemore-wavenet", "--context", "4", "--hidden", "11,7"});
    matrix.agree({"--recipe", "no-gain.json", "--hidden", "31,17", "--norm-kind", "rms"});
    matrix.agree({"--recipe", "resnet-mlp", "--hidden", "13,13,7,7,13", "--tied", "--embedding", "13"});
    matrix.agree({"--recipe", "resnet-mlp", "--hidden", "7,7", "--optimizer", "nesterov", "--weight-decay", "0.1"});
    matrix.agree({"--recipe", "dropout.json", "--batch", "13"});
}

TEST_CASE("matrix: each activation in one place") {
    const Matrix matrix;
    const std::string places[] = {"before", "after", "none"};
    for (std::size_t i = 0; i < byhand::op::kActivations.size(); ++i) {
        matrix.agree({"--hidden", "23,11", "--activation", byhand::op::kActivations[i], "--norm", places[i % 3]}, 2);
    }
}

TEST_CASE("matrix: every activation", "[long]") {
    const Matrix matrix;
    for (const std::string activation : byhand::op::kActivations) {
        for (const std::string place : {"before", "after", "none"}) {
            matrix.agree({"--hidden", "31,17,23", "--activation", activation, "--norm", place});
        }
    }
}

TEST_CASE("matrix: every kind of norm", "[long]") {
    const Matrix matrix;
    for (const std::string kind : {"batch", "layer", "rms"}) {
        for (const std::string recipe : {"makemore-deep", "mlp-relu-layernorm", "no-gain.json"}) {
            matrix.agree({"--recipe", recipe, "--hidden", "31,17,23", "--norm-kind", kind, "--norm", "after"});
            // A layer norm of one unit makes zeros, which show nothing.
            matrix.agree({"--recipe", recipe, "--hidden", kind == "layer" ? "3,7" : "1,7", "--norm-kind", kind});
        }
    }
    matrix.agree({"--recipe", "mlp-relu-layernorm", "--norm-kind", "none"});
}

TEST_CASE("matrix: residual connections and tied weights", "[long]") {
    const Matrix matrix;
    for (const std::string norm : {"before", "after", "none"}) {
        for (const std::string recipe : {"makemore-deep", "mlp-relu-layernorm", "no-gain.json"}) {
            matrix.agree({"--recipe", recipe, "--hidden", "17,17,17", "--residual", "--norm", norm});
            matrix.agree({"--recipe", recipe, "--hidden", "23,9", "--tied", "--embedding", "9", "--norm", norm});
        }
    }
}

TEST_CASE("matrix: the recipes that are shipped", "[long]") {
    const Matrix matrix;
    for (const std::string recipe : {"notes", "makemore-bn", "makemore-deep", "makemore-ninja"}) {
        matrix.agree({"--recipe", recipe});
    }
    matrix.agree({"--recipe", "makemore-ninja", "--hidden", "64"});
    for (const std::string place : {"after", "none"}) {
        matrix.agree({"--recipe", "makemore-bn", "--norm", place});
        matrix.agree({"--recipe", "makemore-deep", "--norm", place});
    }
    matrix.agree({"--recipe", "makemore-bn", "--bn-variance", "biased"});
    matrix.agree({"--recipe", "makemore-deep", "--bn-variance", "biased"});
}

TEST_CASE("matrix: one hidden layer, every norm", "[long]") {
    Matrix().agree_in_every_norm("53");
}

TEST_CASE("matrix: three hidden layers, every norm", "[long]") {
    Matrix().agree_in_every_norm("31,17,23");
}

TEST_CASE("matrix: seven hidden layers, every norm", "[long]") {
    Matrix().agree_in_every_norm("13,11,7,9,5,17,3");
}

TEST_CASE("matrix: layers narrower than the vocabulary, and of width 1", "[long]") {
    const Matrix matrix;
    for (const std::string hidden : {"1", "2", "5", "11", "16", "17", "1,1,1"}) {
        matrix.agree({"--hidden", hidden});
        matrix.agree({"--hidden", hidden, "--norm", "none"});
    }
    matrix.agree({"--hidden", "7", "--norm", "after", "--recipe", "no-gain.json"});
    matrix.agree({"--hidden", "1", "--embedding", "1", "--context", "1", "--norm", "none"});
}

TEST_CASE("matrix: other seeds, batches, contexts and epsilons", "[long]") {
    const Matrix matrix;
    matrix.agree({"--seed", "1"});
    matrix.agree({"--seed", "2", "--split-seed", "3"});
    matrix.agree({"--batch", "5", "--hidden", "40"});
    matrix.agree({"--batch", "129"});
    matrix.agree({"--context", "8", "--embedding", "7", "--hidden", "33", "--batch", "61"});
    matrix.agree({"--bn-eps", "0"});
    matrix.agree({"--bn-eps", "1"});
    matrix.agree({"--drift"});
    matrix.agree({"--recipe", "makemore-deep", "--drift"});
}

}  // namespace cli_test

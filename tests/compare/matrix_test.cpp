// All three handwritten networks agree with LibTorch, for every shape and convention of the norm.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "base/network.h"
#include "base/source_file.h"
#include "compare/compare.h"
#include "fast/models.h"
#include "manual/operation.h"
#include "torch_ref/load.h"
#include "train/run_with.h"

using namespace byhand;
using test::Arguments;

namespace {

const std::string kNoGain = text::test_recipe("no-gain");

void agree(const Arguments& options, std::size_t steps = 50, bool drift = false) {
    CAPTURE(options, drift);
    Run run = test::run_with(options);
    const auto candidates = [](Reference& reference) {
        return hand_candidates({"stepwise", "collapsed", "fused"}, reference, fused_candidate);
    };
    const Comparison all = compare(run, torch_ref::load(), candidates,
                                   {.schedule = {.steps = steps, .every = 7, .drift = drift},
                                    .allowed = {},
                                    .keeps_every_step = false,
                                    .begins = {},
                                    .compared = {}});
    CAPTURE(all.summary.first_divergence.value_or("none"), all.summary.first_divergence_step.value_or(0));
    CHECK(all.summary.agree);
    CHECK(all.summary.steps == (steps - 1 + 6) / 7 + 1);  // and the first
}

// Both divisors, both places, with γ and β and without, and no norm at all.
void agree_in_every_norm(const std::string& hidden) {
    for (const std::string& recipe : {std::string("notes"), kNoGain}) {
        for (const std::string place : {"before", "after"}) {
            for (const std::string variance : {"unbiased", "biased"}) {
                agree({"--recipe", recipe, "--hidden", hidden, "--norm", place, "--bn-variance", variance});
            }
        }
    }
    agree({"--hidden", hidden, "--norm", "none"});
}

}  // namespace

TEST_CASE("matrix: a sample") {
    agree({"--recipe", "makemore-bn", "--norm", "after"});
    agree({"--recipe", kNoGain, "--hidden", "31,17,23", "--bn-variance", "biased"});
    agree({"--hidden", "1", "--embedding", "1", "--context", "1", "--norm", "none"});
    agree({"--recipe", "mlp-relu-layernorm"});
    agree({"--recipe", "makemore-wavenet", "--context", "4", "--hidden", "11,7"});
    agree({"--recipe", kNoGain, "--hidden", "31,17", "--norm-kind", "rms"});
    agree({"--recipe", "resnet-mlp", "--hidden", "13,13,7,7,13", "--tied", "--embedding", "13"});
    for (const std::string optimizer : {"momentum", "nesterov", "adamw"}) {
        agree({"--recipe", "resnet-mlp", "--hidden", "7,7", "--optimizer", optimizer, "--weight-decay", "0.1"}, 8);
        // The update of a gradient that is zero is no vacuous result.
        agree({"--batch", "2", "--hidden", "1", "--optimizer", optimizer}, 1);
    }
    agree({"--recipe", text::test_recipe("dropout"), "--batch", "13"});
}

TEST_CASE("matrix: each activation in one place") {
    const std::string places[] = {"before", "after", "none"};
    const std::vector<std::string> all = activations();
    for (std::size_t i = 0; i < all.size(); ++i) {
        agree({"--hidden", "23,11", "--activation", all[i], "--norm", places[i % 3]}, 2);
    }
}

TEST_CASE("matrix: every activation", "[long]") {
    for (const std::string& activation : activations()) {
        for (const std::string place : {"before", "after", "none"}) {
            agree({"--hidden", "31,17,23", "--activation", activation, "--norm", place});
        }
    }
}

TEST_CASE("matrix: every kind of norm", "[long]") {
    for (const std::string kind : {"batch", "layer", "rms"}) {
        for (const std::string& recipe : {std::string("makemore-deep"), std::string("mlp-relu-layernorm"), kNoGain}) {
            agree({"--recipe", recipe, "--hidden", "31,17,23", "--norm-kind", kind, "--norm", "after"});
            // A layer norm of one unit makes zeros, which show nothing.
            agree({"--recipe", recipe, "--hidden", kind == "layer" ? "3,7" : "1,7", "--norm-kind", kind});
        }
    }
    agree({"--recipe", "mlp-relu-layernorm", "--norm-kind", "none"});
}

TEST_CASE("matrix: residual connections and tied weights", "[long]") {
    for (const std::string norm : {"before", "after", "none"}) {
        for (const std::string& recipe : {std::string("makemore-deep"), std::string("mlp-relu-layernorm"), kNoGain}) {
            agree({"--recipe", recipe, "--hidden", "17,17,17", "--residual", "--norm", norm});
            agree({"--recipe", recipe, "--hidden", "23,9", "--tied", "--embedding", "9", "--norm", norm});
        }
    }
}

TEST_CASE("matrix: the recipes that are shipped", "[long]") {
    for (const std::string recipe : {"notes", "makemore-bn", "makemore-deep", "makemore-ninja"}) {
        agree({"--recipe", recipe});
    }
    agree({"--recipe", "makemore-ninja", "--hidden", "64"});
    for (const std::string place : {"after", "none"}) {
        agree({"--recipe", "makemore-bn", "--norm", place});
        agree({"--recipe", "makemore-deep", "--norm", place});
    }
    agree({"--recipe", "makemore-bn", "--bn-variance", "biased"});
    agree({"--recipe", "makemore-deep", "--bn-variance", "biased"});
}

TEST_CASE("matrix: one hidden layer, every norm", "[long]") {
    agree_in_every_norm("53");
}

TEST_CASE("matrix: three hidden layers, every norm", "[long]") {
    agree_in_every_norm("31,17,23");
}

TEST_CASE("matrix: seven hidden layers, every norm", "[long]") {
    agree_in_every_norm("13,11,7,9,5,17,3");
}

TEST_CASE("matrix: layers narrower than the vocabulary, and of width 1", "[long]") {
    for (const std::string hidden : {"1", "2", "5", "11", "16", "17", "1,1,1"}) {
        agree({"--hidden", hidden});
        agree({"--hidden", hidden, "--norm", "none"});
    }
    agree({"--hidden", "7", "--norm", "after", "--recipe", kNoGain});
    agree({"--hidden", "1", "--embedding", "1", "--context", "1", "--norm", "none"});
}

TEST_CASE("matrix: other seeds, batches, contexts and epsilons", "[long]") {
    agree({"--seed", "1"});
    agree({"--seed", "2", "--split-seed", "3"});
    agree({"--batch", "5", "--hidden", "40"});
    agree({"--batch", "129"});
    agree({"--context", "8", "--embedding", "7", "--hidden", "33", "--batch", "61"});
    agree({"--bn-eps", "0"});
    agree({"--bn-eps", "1"});
    agree({}, 50, true);
    agree({"--recipe", "makemore-deep"}, 50, true);
}

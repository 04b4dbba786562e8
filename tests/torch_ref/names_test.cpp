// Every name and shape that an implementation exposes, in order, written out.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "torch_ref/example.h"
#include "torch_ref/module.h"
#include "torch_ref/stepwise.h"

using namespace byhand;

namespace {

using Lines = std::vector<std::string>;

// "bnmeani (7)" …
Lines shown(Model& implementation, const example::Example& example) {
    implementation.load(example.state);
    implementation.run(example.batch(), 0.1F);
    Lines lines;
    for (const View& view : implementation.views()) {
        lines.push_back(view.name + " " + to_string(view.shape));
    }
    return lines;
}

}  // namespace

TEST_CASE("stepwise: exposes every name of one normed layer in order") {
    const example::Example example = example::make(example::small_network({7}), 9);
    const Lines expected = {"C (5, 2)", "W1 (6, 7)", "b1 (7)", "bngain (7)", "bnbias (7)", "W2 (7, 5)", "b2 (5)",
                            "bnmean_running (7)", "bnvar_running (7)",
                            // forward
                            "emb (9, 3, 2)", "embcat (9, 6)", "hprebn (9, 7)", "bnmeani (7)", "bndiff (9, 7)",
                            "bndiff2 (9, 7)", "bnvar (7)", "bnvar_inv (7)", "bnraw (9, 7)", "hpreact (9, 7)",
                            "h (9, 7)", "logits (9, 5)", "logit_maxes (9)", "norm_logits (9, 5)", "counts (9, 5)",
                            "counts_sum (9)", "counts_sum_inv (9)", "probs (9, 5)", "logprobs (9, 5)", "loss ()",
                            // the 26 gradients
                            "dlogprobs (9, 5)", "dprobs (9, 5)", "dcounts_sum_inv (9)", "dcounts_sum (9)",
                            "dcounts (9, 5)", "dnorm_logits (9, 5)", "dlogit_maxes (9)", "dlogits (9, 5)", "dh (9, 7)",
                            "dW2 (7, 5)", "db2 (5)", "dhpreact (9, 7)", "dbngain (7)", "dbnbias (7)", "dbnraw (9, 7)",
                            "dbnvar_inv (7)", "dbnvar (7)", "dbndiff2 (9, 7)", "dbndiff (9, 7)", "dbnmeani (7)",
                            "dhprebn (9, 7)", "dembcat (9, 6)", "dW1 (6, 7)", "db1 (7)", "demb (9, 3, 2)", "dC (5, 2)",
                            // update
                            "new_C (5, 2)", "new_W1 (6, 7)", "new_b1 (7)", "new_bngain (7)", "new_bnbias (7)",
                            "new_W2 (7, 5)", "new_b2 (5)", "new_bnmean_running (7)", "new_bnvar_running (7)",
                            // evaluation
                            "eval_hprebn (9, 7)", "eval_hpreact (9, 7)", "eval_h (9, 7)", "eval_logits (9, 5)"};
    CHECK(shown(*torch_ref::stepwise(example.config, 9, DType::float32), example) == expected);
    CHECK(shown(*torch_ref::stepwise(example.config, 9, DType::float64), example) == expected);
}

TEST_CASE("module: exposes its values for one normed layer in order") {
    const example::Example example = example::make(example::small_network({7}), 9);
    const Lines expected = {
        "C (5, 2)", "W1 (6, 7)", "b1 (7)", "bngain (7)", "bnbias (7)", "W2 (7, 5)", "b2 (5)", "bnmean_running (7)",
        "bnvar_running (7)",
        // forward
        "emb (9, 3, 2)", "embcat (9, 6)", "hprebn (9, 7)", "hpreact (9, 7)", "h (9, 7)", "logits (9, 5)", "loss ()",
        // gradients
        "dlogits (9, 5)", "dh (9, 7)", "dW2 (7, 5)", "db2 (5)", "dhpreact (9, 7)", "dbngain (7)", "dbnbias (7)",
        "dhprebn (9, 7)", "dembcat (9, 6)", "dW1 (6, 7)", "db1 (7)", "demb (9, 3, 2)", "dC (5, 2)",
        // update
        "new_C (5, 2)", "new_W1 (6, 7)", "new_b1 (7)", "new_bngain (7)", "new_bnbias (7)", "new_W2 (7, 5)",
        "new_b2 (5)", "new_bnmean_running (7)", "new_bnvar_running (7)"};
    CHECK(shown(*torch_ref::module_model(example.config, 9, Keep::all), example) == expected);
}

TEST_CASE("stepwise: names of two layers with the norm after, without gain, bias or b, and a norm on the output") {
    NetworkConfig config = example::small_network({7, 3});
    test::set(config, &ShortForm::norm_place, "after");
    test::set(config, &ShortForm::output_norm, true);
    config.norm.affine = false;
    test::set(config, &ShortForm::hidden_bias, false);
    const example::Example example = example::make(config, 9);
    const Lines expected = {
        "C (5, 2)", "W1 (6, 7)", "W2 (7, 3)", "W3 (3, 5)", "b3 (5)", "bnmean_running.1 (7)", "bnvar_running.1 (7)",
        "bnmean_running.2 (3)", "bnvar_running.2 (3)", "bnmean_running.3 (5)", "bnvar_running.3 (5)",
        // forward
        "emb (9, 3, 2)", "embcat (9, 6)", "hpreact.1 (9, 7)", "hprebn.1 (9, 7)", "bnmeani.1 (7)", "bndiff.1 (9, 7)",
        "bndiff2.1 (9, 7)", "bnvar.1 (7)", "bnvar_inv.1 (7)", "h.1 (9, 7)", "hpreact.2 (9, 3)", "hprebn.2 (9, 3)",
        "bnmeani.2 (3)", "bndiff.2 (9, 3)", "bndiff2.2 (9, 3)", "bnvar.2 (3)", "bnvar_inv.2 (3)", "h.2 (9, 3)",
        "hprebn.3 (9, 5)", "bnmeani.3 (5)", "bndiff.3 (9, 5)", "bndiff2.3 (9, 5)", "bnvar.3 (5)", "bnvar_inv.3 (5)",
        "logits (9, 5)", "logit_maxes (9)", "norm_logits (9, 5)", "counts (9, 5)", "counts_sum (9)",
        "counts_sum_inv (9)", "probs (9, 5)", "logprobs (9, 5)", "loss ()",
        // gradients
        "dlogprobs (9, 5)", "dprobs (9, 5)", "dcounts_sum_inv (9)", "dcounts_sum (9)", "dcounts (9, 5)",
        "dnorm_logits (9, 5)", "dlogit_maxes (9)", "dlogits (9, 5)", "dbnvar_inv.3 (5)", "dbnvar.3 (5)",
        "dbndiff2.3 (9, 5)", "dbndiff.3 (9, 5)", "dbnmeani.3 (5)", "dhprebn.3 (9, 5)", "dh.2 (9, 3)", "dW3 (3, 5)",
        "db3 (5)", "dbnvar_inv.2 (3)", "dbnvar.2 (3)", "dbndiff2.2 (9, 3)", "dbndiff.2 (9, 3)", "dbnmeani.2 (3)",
        "dhprebn.2 (9, 3)", "dhpreact.2 (9, 3)", "dh.1 (9, 7)", "dW2 (7, 3)", "dbnvar_inv.1 (7)", "dbnvar.1 (7)",
        "dbndiff2.1 (9, 7)", "dbndiff.1 (9, 7)", "dbnmeani.1 (7)", "dhprebn.1 (9, 7)", "dhpreact.1 (9, 7)",
        "dembcat (9, 6)", "dW1 (6, 7)", "demb (9, 3, 2)", "dC (5, 2)",
        // update
        "new_C (5, 2)", "new_W1 (6, 7)", "new_W2 (7, 3)", "new_W3 (3, 5)", "new_b3 (5)", "new_bnmean_running.1 (7)",
        "new_bnvar_running.1 (7)", "new_bnmean_running.2 (3)", "new_bnvar_running.2 (3)", "new_bnmean_running.3 (5)",
        "new_bnvar_running.3 (5)",
        // evaluation
        "eval_hpreact.1 (9, 7)", "eval_hprebn.1 (9, 7)", "eval_h.1 (9, 7)", "eval_hpreact.2 (9, 3)",
        "eval_hprebn.2 (9, 3)", "eval_h.2 (9, 3)", "eval_hprebn.3 (9, 5)", "eval_logits (9, 5)"};
    CHECK(shown(*torch_ref::stepwise(config, 9, DType::float32), example) == expected);
}

TEST_CASE("module: names of a network without a norm") {
    NetworkConfig config = example::small_network({3, 1});
    test::set(config, &ShortForm::norm_place, "none");
    const example::Example example = example::make(config, 1);
    const Lines expected = {"C (5, 2)",       "W1 (6, 3)",        "b1 (3)",        "W2 (3, 1)",
                            "b2 (1)",         "W3 (1, 5)",        "b3 (5)",        "emb (1, 3, 2)",
                            "embcat (1, 6)",  "hpreact.1 (1, 3)", "h.1 (1, 3)",    "hpreact.2 (1, 1)",
                            "h.2 (1, 1)",     "logits (1, 5)",    "loss ()",       "dlogits (1, 5)",
                            "dh.2 (1, 1)",    "dW3 (1, 5)",       "db3 (5)",       "dhpreact.2 (1, 1)",
                            "dh.1 (1, 3)",    "dW2 (3, 1)",       "db2 (1)",       "dhpreact.1 (1, 3)",
                            "dembcat (1, 6)", "dW1 (6, 3)",       "db1 (3)",       "demb (1, 3, 2)",
                            "dC (5, 2)",      "new_C (5, 2)",     "new_W1 (6, 3)", "new_b1 (3)",
                            "new_W2 (3, 1)",  "new_b2 (1)",       "new_W3 (1, 5)", "new_b3 (5)"};
    CHECK(shown(*torch_ref::module_model(config, 1, Keep::all), example) == expected);
}

TEST_CASE("implementations: expose nothing before the first run") {
    const NetworkConfig config = example::small_network({7});
    CHECK(torch_ref::stepwise(config, 9, DType::float32)->views().empty());
    CHECK(torch_ref::module_model(config, 9, Keep::all)->views().empty());
}

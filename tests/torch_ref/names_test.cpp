// Every name and shape that an implementation exposes, in order.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "torch_ref/example.h"
#include "torch_ref/module.h"
#include "torch_ref/stepwise.h"

using namespace byhand;

namespace {

using Lines = std::vector<std::string>;

// "bnmeani (7)" …
Lines shown(Model& implementation, const example::Example& example) {
    Lines lines;
    for (const View& view : example::views_after(implementation, example)) {
        lines.push_back(view.name + " " + to_string(view.shape));
    }
    return lines;
}

}  // namespace

// tests/manual/names_test.cpp has these written out.
TEST_CASE("stepwise: exposes the names and shapes of the handwritten network in order, for every convention") {
    for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{7}, {7, 3}}) {
        for (const NetworkConfig& config : example::all_conventions(hidden)) {
            INFO(networks::describe(config, 9));
            const example::Example example = example::make(config, 9);
            const auto by_hand = make_step_model(stepwise_graph(config, 9), Keep::all);
            const Lines expected = shown(*by_hand, example);
            CHECK(shown(*torch_ref::stepwise(config, 9, DType::float32), example) == expected);
            CHECK(shown(*torch_ref::stepwise(config, 9, DType::float64), example) == expected);
        }
    }
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

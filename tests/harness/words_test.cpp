#include "harness/words.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "manual/operation.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

// T 3, E 7, hidden 43 and 13, V 5: '.', 'e', 'm', 'q', 'ж'.
Wording wording(std::vector<std::size_t> hidden = {43, 13}) {
    Wording w;
    w.network.vocabulary = 5;
    w.network.context = 3;
    w.network.embedding = 7;
    test::set(w.network, &ShortForm::hidden, std::move(hidden));
    w.glossary = glossary_of(w.network);
    w.characters = {".", "e", "m", "q", "ж"};
    w.X = {0, 0, 0, 0, 0, 1, 1, 2, 4};
    w.Y = {1, 2, 0};
    return w;
}

}  // namespace

TEST_CASE("words: the embedding's rows are characters") {
    CHECK(in_words("dC", {3, 6}, wording()) == "dC row 'q', dimension 6");
    CHECK(in_words("C", {4, 0}, wording()) == "C row 'ж', dimension 0");
    CHECK(in_words("new_C", {0, 1}, wording()) == "new_C row '.', dimension 1");
}

TEST_CASE("words: the first layer reads positions and dimensions, the next ones units, the last gives characters") {
    CHECK(in_words("dW1", {12, 41}, wording()) == "dW1 from position 2, dimension 5 to unit 41");
    CHECK(in_words("W1", {0, 0}, wording()) == "W1 from position 1, dimension 0 to unit 0");
    CHECK(in_words("new_W1", {20, 42}, wording()) == "new_W1 from position 3, dimension 6 to unit 42");
    CHECK(in_words("dW2", {7, 12}, wording()) == "dW2 from unit 7 to unit 12");
    CHECK(in_words("dW3", {7, 3}, wording()) == "dW3 from unit 7 to 'q'");
    CHECK(in_words("dW2", {7, 3}, wording({43})) == "dW2 from unit 7 to 'q'");
}

TEST_CASE("words: biases, gains and figures of the norm are a unit's") {
    for (const char* name : {"db1", "b1", "new_b1", "bngain.1", "dbnbias.1", "bnmeani.1", "dbnvar_inv.2", "bnvar.2",
                             "new_bnmean_running.1", "bnvar_running.2"}) {
        CHECK(in_words(name, {11}, wording()) == std::string(name) + " unit 11");
    }
    CHECK(in_words("db3", {3}, wording()) == "db3 'q'");
    CHECK(in_words("dbngain", {41}, wording({43})) == "dbngain unit 41");
    Wording with_norm = wording();
    test::set(with_norm.network, &ShortForm::output_norm, true);
    CHECK(in_words("dbngain.3", {3}, with_norm) == "dbngain.3 'q'");
    CHECK(in_words("dhprebn.3", {1, 3}, with_norm) == "dhprebn.3 row 1 (`..e → m`), 'q'");
}

TEST_CASE("words: a row is shown with its context and the character to predict") {
    const Wording w = wording(), one = wording({43});
    CHECK(in_words("dh.1", {1, 41}, w) == "dh.1 row 1 (`..e → m`), unit 41");
    CHECK(in_words("eval_hpreact.2", {1, 12}, w) == "eval_hpreact.2 row 1 (`..e → m`), unit 12");
    CHECK(in_words("h", {2, 12}, one) == "h row 2 (`emж → .`), unit 12");
    CHECK(in_words("dlogits", {0, 3}, w) == "dlogits row 0 (`... → e`), 'q'");
    CHECK(in_words("eval_logits", {0, 3}, w) == "eval_logits row 0 (`... → e`), 'q'");
    CHECK(in_words("demb", {1, 1, 5}, w) == "demb row 1 (`..e → m`), position 2, dimension 5");
    CHECK(in_words("embcat", {1, 12}, w) == "embcat row 1 (`..e → m`), position 2, dimension 5");
    CHECK(in_words("dcounts_sum_inv", {1}, w) == "dcounts_sum_inv row 1 (`..e → m`)");
    CHECK(in_words("logit_maxes", {1}, w) == "logit_maxes row 1 (`..e → m`)");
    CHECK(in_words("loss", {}, w) == "loss");
}

TEST_CASE("words: where positions are joined by parts, a row is one of the batch and a position") {
    Wording w = wording({5, 3});
    w.network.context = 4;
    test::set(w.network, &ShortForm::flatten, 2);
    test::set(w.network, &ShortForm::norm, op::kLayernorm);
    w.glossary = glossary_of(w.network);
    w.X = {0, 0, 0, 0, 0, 0, 1, 2};
    w.Y = {1, 4};
    CHECK(in_words("dhpreact.1", {3, 4}, w) == "dhpreact.1 row 1 (`..em → ж`), position 2, unit 4");
    CHECK(in_words("lnmean.1", {2}, w) == "lnmean.1 row 1 (`..em → ж`), position 1");
    CHECK(in_words("h.1", {1, 7}, w) == "h.1 row 1 (`..em → ж`), unit 7");
    CHECK(in_words("dlnvar.2", {1}, w) == "dlnvar.2 row 1 (`..em → ж`)");
    // The second pair begins at position 3.
    CHECK(in_words("dembcat", {3, 8}, w) == "dembcat row 1 (`..em → ж`), position 4, dimension 1");
    CHECK(axes_in_words("hpreact.1", 2, w) == std::vector<std::string>{"batch row and position", "unit"});
    CHECK(axes_in_words("hpreact.2", 2, w) == std::vector<std::string>{"batch row", "unit"});
}

TEST_CASE("words: of a long context the end is shown") {
    Wording w = wording();
    w.network.context = 19;
    w.X.assign(19, 0);
    w.X[18] = 3;
    w.X[2] = 2;  // the first three are left out
    w.Y = {4};
    CHECK(in_words("logit_maxes", {0}, w) == "logit_maxes row 0 (`…...............q → ж`)");
}

TEST_CASE("words: what is not known is done without") {
    Wording w = wording();
    w.X.clear();
    w.Y.clear();
    CHECK(in_words("dh.1", {1, 41}, w) == "dh.1 row 1, unit 41");
    CHECK(in_words("dlogits", {7, 3}, wording()) == "dlogits row 7, 'q'");  // no such row in this batch
    w.characters.clear();
    CHECK(in_words("db3", {3}, w) == "db3 unit 3");
    CHECK(in_words("dC", {3, 1}, w) == "dC row 3, dimension 1");
    CHECK(in_words("his_own", {3, 1}, w) == "his_own [3, 1]");
    CHECK(in_words("dW1", {3}, w) == "dW1 [3]");  // another shape than the network's
    CHECK(in_words("d", {}, w) == "d []");
    CHECK(in_words("", {}, w) == " []");
    CHECK(in_words("dbngain.7", {3}, w) == "dbngain.7 [3]");
    CHECK(in_words("dbngain", {3}, w) == "dbngain [3]");  // it has two layers: the name carries its number
}

TEST_CASE("words: the axes of every value, of every operation, have the extents of its shape") {
    constexpr std::size_t kRows = 11;
    Wording w = wording({17, 17, 17, 17, 17, 17, 17});
    NetworkConfig& network = w.network;
    network.layers = {{.op = "linear", .outputs = 17}, {.op = "batchnorm"}, {.op = "tanh"}, {.op = "dropout"}};
    for (const std::string& activation : activations()) {
        network.layers.push_back({.op = "linear", .outputs = 17});
        network.layers.push_back({.op = network.layers.size() % 2 == 0 ? "layernorm" : "rmsnorm"});
        network.layers.push_back({.op = "residual", .from = 0});
        network.layers.push_back({.op = activation});
    }
    network.layers.push_back({.op = "linear"});
    network.optimizer.kind = OptimizerKind::adamw;
    w.glossary = glossary_of(network);
    std::size_t values = 0;
    const Graph graph = stepwise_graph(network, kRows);
    for (const Step* step : all_steps(graph)) {
        const auto axes = axes_of(step->makes, step->shape.size(), w);
        CAPTURE(step->makes, step->shape);
        REQUIRE((axes || step->shape.empty()));
        for (std::size_t i = 0; i < step->shape.size(); ++i) {
            const std::size_t extent = step->shape[i], inputs = step->makes.ends_with("W1") ? 21 : 17;
            const bool is_embcat = step->makes.ends_with("embcat");
            switch ((*axes)[i]) {
                case Axis::row:
                    CHECK(extent == kRows);
                    break;
                case Axis::position:
                    CHECK(extent == 3);
                    break;
                case Axis::dimension:
                    CHECK(extent == 7);
                    break;
                case Axis::input:
                    CHECK(extent == (is_embcat ? 21 : inputs));
                    break;
                case Axis::unit:
                    CHECK(extent == 17);
                    break;
                default:
                    CHECK(extent == 5);
            }
            ++values;
        }
    }
    CHECK(values > 300);
}

TEST_CASE("words: what each axis counts") {
    using Words = std::vector<std::string>;
    const Wording w = wording();
    CHECK(axes_in_words("dh.1", 2, w) == Words{"batch row", "unit"});
    CHECK(axes_in_words("demb", 3, w) == Words{"batch row", "position", "dimension"});
    CHECK(axes_in_words("embcat", 2, w) == Words{"batch row", "position and dimension"});
    CHECK(axes_in_words("new_W1", 2, w) == Words{"position and dimension", "unit"});
    CHECK(axes_in_words("dW3", 2, w) == Words{"unit", "character"});
    CHECK(axes_in_words("db3", 1, w) == Words{"character"});
    CHECK(axes_in_words("new_exp_avg_W1", 2, w) == axes_in_words("W1", 2, w));
    CHECK(axes_in_words("momentum_b3", 1, w) == Words{"character"});
    CHECK(axes_in_words("C", 2, w) == Words{"character", "dimension"});
    CHECK(axes_in_words("dprobs", 2, w) == Words{"batch row", "character"});
    CHECK(axes_in_words("counts_sum", 1, w) == Words{"batch row"});
    CHECK(axes_in_words("loss", 0, w).empty());
    CHECK(axes_in_words("his_own", 2, w) == Words{"index 1", "index 2"});
    CHECK(axes_in_words("dW1", 1, w) == Words{"index 1"});
    CHECK(counts_characters(axes_in_words("dlogits", 2, w)[1]));
    CHECK_FALSE(counts_characters(axes_in_words("dh.2", 2, w)[1]));
    CHECK(axes_of("W1", 2, w) == std::vector{Axis::input, Axis::unit});
    CHECK(axes_of("W2", 2, w) == std::vector{Axis::unit, Axis::unit});
    CHECK(axes_of("W3", 2, w) == std::vector{Axis::unit, Axis::character});
    CHECK_FALSE(axes_of("W4", 2, w).has_value());
}

TEST_CASE("words: of another operation's values, by the rows that it brings") {
    static const std::vector<GlossaryRow> kRows = {
        {.value = "gate", .axes = {Axis::row, Axis::unit}, .meaning = "how much of the unit goes through"},
        {.value = "best", .axes = {Axis::row}, .meaning = "the largest of the row"}};
    Wording w = wording();
    CHECK(in_words("dgate.2", {1, 12}, w) == "dgate.2 [1, 12]");
    w.glossary.push_back({0, kRows});
    CHECK(in_words("dgate.2", {1, 12}, w) == "dgate.2 row 1 (`..e → m`), unit 12");
    CHECK(in_words("gate.3", {1, 3}, w) == "gate.3 row 1 (`..e → m`), 'q'");
    CHECK(in_words("dgate", {1, 12}, w) == "dgate [1, 12]");
    CHECK(in_words("best", {1}, w) == "best row 1 (`..e → m`)");
    CHECK(in_words("best.2", {1}, w) == "best.2 [1]");
}

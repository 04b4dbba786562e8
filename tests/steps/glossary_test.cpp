// Every value of a network has a row that describes it.
#include "steps/glossary.h"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/change_network.h"
#include "manual/networks.h"
#include "manual/operation.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

std::string meaning(const std::string& name) {
    return meaning(glossary_of(NetworkConfig{}), name);
}
std::string rule(const std::string& name, bool in_one = false) {
    return rule(glossary_of(NetworkConfig{}), name, in_one);
}
std::string symbol(const std::string& name) {
    return symbol(glossary_of(NetworkConfig{}), name);
}

}  // namespace

TEST_CASE("glossary: each value of an operation has one row, with a meaning and as many axes as it has") {
    for (const HandOperation& operation : hand_operations()) {
        std::set<std::string_view> values;
        for (const GlossaryRow& row : operation.glossary) {
            INFO(row.value);
            CHECK(values.insert(row.value).second);
            CHECK_FALSE(row.meaning.empty());
        }
    }
    NetworkConfig deep = networks::small({5, 3});
    test::set(deep, &ShortForm::output_norm, true);
    for (const Graph& network : {stepwise_graph(NetworkConfig{}, 3), stepwise_graph(deep, 3), collapsed_graph(deep, 3),
                                 fused_graph(deep, 3), evaluation_graph(deep, 3)}) {
        for (const auto& [name, shape] : shapes_of(network)) {
            INFO(name);
            const GlossaryRow* row = find_row(network.glossary, name);
            REQUIRE(row != nullptr);
            if (name != "X" && name != "Y") {
                CHECK(row->axes.size() == shape.size());
            }
        }
    }
}

TEST_CASE("glossary: gradients, updates, evaluation and numbered layers have a meaning, other names have none") {
    const std::string variance = "the variance of each unit over the batch";
    CHECK(meaning("bnvar") == variance);
    CHECK(meaning("bnvar.3") == variance);
    CHECK(meaning("dbnvar") == "how the loss changes with bnvar: " + variance);
    CHECK(meaning("dbnvar.12") == "how the loss changes with bnvar.12: " + variance);
    CHECK(meaning("new_W2") == "W2 after this step's update: " + meaning("W2"));
    CHECK(meaning("eval_h.2") == "h.2 in evaluation: " + meaning("h"));
    CHECK(meaning("W1") == meaning("W17"));
    CHECK(meaning("W1") != meaning("b1"));
    for (const std::string name :
         {"", "d", "W0x", "h2", "poem", "dpoem", "new_", "eval_", "new_poem", "bnvar.", "dd", "X1"}) {
        INFO(name);
        CHECK(meaning(name).empty());
    }
}

TEST_CASE("glossary: rules for every gradient of a network, deep or not, and for both collapsed formulas") {
    NetworkConfig deep = networks::small({5, 3});
    test::set(deep, &ShortForm::output_norm, true);
    for (const NetworkConfig& config : {NetworkConfig{}, deep}) {
        const Graph network = stepwise_graph(config, 3);
        for (const Step& step : network.backward) {
            INFO(step.makes);
            CHECK_FALSE(rule(step.makes).empty());
        }
        for (const Step& step : network.forward) {
            CHECK(rule(step.makes).empty());
        }
    }
    CHECK(rule("dW3") == rule("dW1"));
    CHECK(rule("dbnvar.2") == rule("dbnvar"));
    CHECK(rule("dhprebn", true) != rule("dhprebn"));
    CHECK(rule("dlogits", true) != rule("dlogits"));
    CHECK_FALSE(rule("dlogits", true).empty());
    CHECK(rule("dh", true).empty());
    CHECK(rule("dbndiff2") != rule("dbndiff"));  // the 2 is not a layer number
    CHECK(rule("new_W1").empty());
    CHECK(rule("").empty());
}

TEST_CASE("glossary: symbols are those of note 1") {
    for (const auto& [name, of] : {std::pair<std::string, std::string>{"embcat", "E"},
                                   {"hprebn", "H0"},
                                   {"bnmeani", "μ"},
                                   {"bnvar", "σ²"},
                                   {"bnvar_inv", "1/√(σ²+ε)"},
                                   {"bnraw", "HN"},
                                   {"hpreact", "HZ"},
                                   {"bngain", "γ"},
                                   {"bnbias", "β"},
                                   {"h", "Ha"},
                                   {"probs", "Ŷ"},
                                   {"W2", "W2"},
                                   {"b12", "b12"}}) {
        CAPTURE(name);
        CHECK(symbol(name) == of);
        CHECK(symbol("d" + name) == (name == "bnvar_inv" ? "dL/d(1/√(σ²+ε))" : "dL/d" + of));
    }
    CHECK(symbol("hprebn.3") == "H0");
    CHECK(symbol("dbndiff2.11") == "dL/d((H0 − μ)²)");
    for (const char* none : {"counts", "dcounts_sum", "logit_maxes", "bnmean_running", "new_W1", "eval_h", "d", ""}) {
        CHECK(symbol(none).empty());
    }
}

TEST_CASE("glossary: values of an external operation use its rows") {
    static const std::vector<GlossaryRow> kRows = {{.value = "gate",
                                                    .axes = {Axis::row, Axis::unit},
                                                    .meaning = "how much of the unit goes through",
                                                    .symbol = "G",
                                                    .rule = "It was multiplied."}};
    Glossary glossary = glossary_of(NetworkConfig{});
    CHECK(find_row(glossary, "gate") == nullptr);
    glossary.push_back({2, kRows});
    CHECK(find_row(glossary, "dgate.2") == kRows.data());
    CHECK(meaning(glossary, "new_gate.2") == "gate.2 after this step's update: how much of the unit goes through");
    CHECK(rule(glossary, "dgate") == "It was multiplied.");
    CHECK(rule(glossary, "dgate", true).empty());
    CHECK(symbol(glossary, "dgate.7") == "dL/dG");
    CHECK(find_row(glossary, "gate_open.2") == nullptr);  // a value without a row; gate is not a role
    CHECK(find_row(glossary, "gate_W2") == nullptr);
    CHECK(find_row({}, "gate") == nullptr);
    CHECK(meaning({}, "gate").empty());
}

TEST_CASE("glossary: a value that several operations describe uses the row of its layer's operation") {
    const auto row = [](std::string_view meaning) {
        return std::vector<GlossaryRow>{{.value = "hpreact", .axes = {Axis::row, Axis::unit}, .meaning = meaning}};
    };
    const std::vector<GlossaryRow> first = row("for a tanh"), second = row("for a softplus");
    const Glossary glossary = {{1, first}, {2, second}, {3, first}};
    CHECK(meaning(glossary, "hpreact.2") == "for a softplus");
    CHECK(meaning(glossary, "hpreact.3") == "for a tanh");
    CHECK(meaning(glossary, "hpreact") == "for a tanh");
}

TEST_CASE("glossary: an optimizer's tensor of a parameter uses the row of its role") {
    NetworkConfig config = networks::small({5, 3});
    for (const OptimizerConfig& optimizer : {OptimizerConfig{.weight_decay = 0.1, .momentum = 0.9, .nesterov = true},
                                             OptimizerConfig{.kind = OptimizerKind::adamw}}) {
        config.optimizer = optimizer;
        const Graph network = stepwise_graph(config, 3);
        for (const Step& step : network.update) {
            INFO(step.makes);
            CHECK_FALSE(meaning(network.glossary, step.makes).empty());
        }
        for (const TensorSpec& spec : optimizer_state(config)) {
            INFO(spec.name);
            CHECK_FALSE(meaning(network.glossary, spec.name).empty());
        }
    }
    const Glossary glossary = glossary_of(config);
    CHECK(find_row(glossary, "new_exp_avg_W2") == find_row(glossary, "exp_avg_bngain.1"));
    CHECK(find_row(glossary, "exp_avg_W2") != find_row(glossary, "exp_avg_sq_W2"));
    CHECK(find_row(glossary, "norm_logits")->value == "norm_logits");  // an underscore does not make it a role
    CHECK(find_row(glossary, "poem_W2") == nullptr);
}

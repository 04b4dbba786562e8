// The names of every network's values, and their order (see src/base/network.h).
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "base/change_network.h"
#include "manual/networks.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

using namespace byhand;

namespace {

using Names = std::vector<std::string>;

Names made(const StepList& list) {
    Names names;
    for (const Step& step : list) {
        names.push_back(step.makes);
    }
    return names;
}

const Step& step(const StepList& list, const std::string& makes) {
    const auto found = std::ranges::find(list, makes, &Step::makes);
    REQUIRE(found != list.end());
    return *found;
}

NetworkConfig with_norm(std::vector<std::size_t> hidden, const std::string& place) {
    NetworkConfig config = networks::small(std::move(hidden));
    test::set(config, &ShortForm::norm_place, place);
    return config;
}

const Names kSoftmax = {"logit_maxes",    "norm_logits", "counts",   "counts_sum",
                        "counts_sum_inv", "probs",       "logprobs", "loss"};
const Names kSoftmaxBackward = {"dlogprobs", "dprobs",       "dcounts_sum_inv", "dcounts_sum",
                                "dcounts",   "dnorm_logits", "dlogit_maxes",    "dlogits"};

Names operator+(Names a, const Names& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace

TEST_CASE("names: the network of note 1, forward, its 26 gradients, and its update") {
    const Graph net = stepwise_graph(NetworkConfig(), 32);
    CHECK(made(net.forward) == Names{"emb",        "embcat",         "hprebn",      "bnmeani",     "bndiff",
                                     "bndiff2",    "bnvar",          "bnvar_inv",   "bnraw",       "hpreact",
                                     "h",          "logits",         "logit_maxes", "norm_logits", "counts",
                                     "counts_sum", "counts_sum_inv", "probs",       "logprobs",    "loss"});
    const Names gradients = {"dlogprobs",    "dprobs",   "dcounts_sum_inv",
                             "dcounts_sum",  "dcounts",  "dnorm_logits",
                             "dlogit_maxes", "dlogits",  "dh",
                             "dW2",          "db2",      "dhpreact",
                             "dbngain",      "dbnbias",  "dbnraw",
                             "dbnvar_inv",   "dbnvar",   "dbndiff2",
                             "dbndiff",      "dbnmeani", "dhprebn",
                             "dembcat",      "dW1",      "db1",
                             "demb",         "dC"};
    CHECK(gradients.size() == 26);
    CHECK(made(net.backward) == gradients);
    CHECK(made(net.update) == Names{"new_C", "new_W1", "new_b1", "new_bngain", "new_bnbias", "new_W2", "new_b2",
                                    "new_bnmean_running", "new_bnvar_running"});
}

TEST_CASE("names: shapes of the network of note 1") {
    const Graph net = stepwise_graph(NetworkConfig(), 32);
    CHECK(step(net.forward, "emb").shape == Shape{32, 3, 2});
    CHECK(step(net.forward, "embcat").shape == Shape{32, 6});
    CHECK(step(net.forward, "hprebn").shape == Shape{32, 100});
    CHECK(step(net.forward, "bnmeani").shape == Shape{100});
    CHECK(step(net.forward, "bnvar_inv").shape == Shape{100});
    CHECK(step(net.forward, "logits").shape == Shape{32, 27});
    CHECK(step(net.forward, "logit_maxes").shape == Shape{32});
    CHECK(step(net.forward, "loss").shape.empty());
    CHECK(step(net.backward, "dW1").shape == Shape{6, 100});
    CHECK(step(net.backward, "dW2").shape == Shape{100, 27});
    CHECK(step(net.backward, "demb").shape == Shape{32, 3, 2});
    CHECK(step(net.backward, "dC").shape == Shape{27, 2});
    CHECK(step(net.update, "new_bnvar_running").shape == Shape{100});
}

TEST_CASE("names: the inputs of the steps, in the order of the notes") {
    const Graph net = stepwise_graph(NetworkConfig(), 32);
    CHECK(step(net.forward, "hprebn").reads == Names{"embcat", "W1", "b1"});
    CHECK(step(net.forward, "hprebn").in_float.name == "linear_forward");
    CHECK(step(net.forward, "bnmeani").reads == Names{"hprebn"});
    CHECK(step(net.forward, "bnmeani").in_float.name == "batchnorm_mean");
    CHECK(step(net.backward, "dbnmeani").reads == Names{"dbndiff"});
    CHECK(step(net.backward, "dbnmeani").in_float.name == "batchnorm_mean_backward");
    CHECK(step(net.backward, "dhprebn").reads == Names{"dbndiff", "dbnmeani"});
    CHECK(step(net.backward, "dhprebn").in_float.name == "batchnorm_input_backward");
}

TEST_CASE("names: norm after the non-linearity") {
    const Graph net = stepwise_graph(with_norm({5}, "after"), 4);
    CHECK(made(net.forward) == Names{"emb", "embcat", "hpreact", "hprebn", "bnmeani", "bndiff", "bndiff2", "bnvar",
                                     "bnvar_inv", "bnraw", "h", "logits"} +
                                   kSoftmax);
    CHECK(made(net.backward) == kSoftmaxBackward + Names{"dh", "dW2", "db2", "dbngain", "dbnbias", "dbnraw",
                                                         "dbnvar_inv", "dbnvar", "dbndiff2", "dbndiff", "dbnmeani",
                                                         "dhprebn", "dhpreact", "dembcat", "dW1", "db1", "demb", "dC"});
}

TEST_CASE("names: no norm") {
    const Graph net = stepwise_graph(with_norm({5}, "none"), 4);
    CHECK(made(net.forward) == Names{"emb", "embcat", "hpreact", "h", "logits"} + kSoftmax);
    CHECK(made(net.backward) ==
          kSoftmaxBackward + Names{"dh", "dW2", "db2", "dhpreact", "dembcat", "dW1", "db1", "demb", "dC"});
    CHECK(made(net.update) == Names{"new_C", "new_W1", "new_b1", "new_W2", "new_b2"});
}

TEST_CASE("names: without γ and β the normalised value is the norm's result; without a bias there is no b") {
    NetworkConfig config = with_norm({5}, "before");
    config.norm.affine = false;
    test::set(config, &ShortForm::hidden_bias, false);
    test::set(config, &ShortForm::output_bias, false);
    const Graph net = stepwise_graph(config, 4);
    CHECK(made(net.forward) == Names{"emb", "embcat", "hprebn", "bnmeani", "bndiff", "bndiff2", "bnvar", "bnvar_inv",
                                     "hpreact", "h", "logits"} +
                                   kSoftmax);
    CHECK(made(net.backward) == kSoftmaxBackward + Names{"dh", "dW2", "dhpreact", "dbnvar_inv", "dbnvar", "dbndiff2",
                                                         "dbndiff", "dbnmeani", "dhprebn", "dembcat", "dW1", "demb",
                                                         "dC"});
    CHECK(made(net.update) == Names{"new_C", "new_W1", "new_W2", "new_bnmean_running", "new_bnvar_running"});
}

TEST_CASE("names: two hidden layers carry their numbers, the output last") {
    const Graph net = stepwise_graph(with_norm({5, 3}, "before"), 4);
    CHECK(made(net.forward) == Names{"emb",       "embcat",      "hprebn.1",  "bnmeani.1", "bndiff.1",    "bndiff2.1",
                                     "bnvar.1",   "bnvar_inv.1", "bnraw.1",   "hpreact.1", "h.1",         "hprebn.2",
                                     "bnmeani.2", "bndiff.2",    "bndiff2.2", "bnvar.2",   "bnvar_inv.2", "bnraw.2",
                                     "hpreact.2", "h.2",         "logits"} +
                                   kSoftmax);
    CHECK(made(net.backward) ==
          kSoftmaxBackward +
              Names{"dh.2",         "dW3",        "db3",        "dhpreact.2", "dbngain.2",  "dbnbias.2", "dbnraw.2",
                    "dbnvar_inv.2", "dbnvar.2",   "dbndiff2.2", "dbndiff.2",  "dbnmeani.2", "dhprebn.2", "dh.1",
                    "dW2",          "db2",        "dhpreact.1", "dbngain.1",  "dbnbias.1",  "dbnraw.1",  "dbnvar_inv.1",
                    "dbnvar.1",     "dbndiff2.1", "dbndiff.1",  "dbnmeani.1", "dhprebn.1",  "dembcat",   "dW1",
                    "db1",          "demb",       "dC"});
    CHECK(made(net.update) == Names{"new_C", "new_W1", "new_b1", "new_bngain.1", "new_bnbias.1", "new_W2", "new_b2",
                                    "new_bngain.2", "new_bnbias.2", "new_W3", "new_b3", "new_bnmean_running.1",
                                    "new_bnvar_running.1", "new_bnmean_running.2", "new_bnvar_running.2"});
}

TEST_CASE("names: one hidden layer and a norm on the output carry numbers too, and its result is the logits") {
    NetworkConfig config = with_norm({5}, "after");
    test::set(config, &ShortForm::output_norm, true);
    const Graph net = stepwise_graph(config, 4);
    CHECK(made(net.forward) == Names{"emb", "embcat", "hpreact.1", "hprebn.1", "bnmeani.1", "bndiff.1", "bndiff2.1",
                                     "bnvar.1", "bnvar_inv.1", "bnraw.1", "h.1", "hprebn.2", "bnmeani.2", "bndiff.2",
                                     "bndiff2.2", "bnvar.2", "bnvar_inv.2", "bnraw.2", "logits"} +
                                   kSoftmax);
    CHECK(made(net.backward) ==
          kSoftmaxBackward + Names{"dbngain.2", "dbnbias.2",  "dbnraw.2",  "dbnvar_inv.2", "dbnvar.2", "dbndiff2.2",
                                   "dbndiff.2", "dbnmeani.2", "dhprebn.2", "dh.1",         "dW2",      "db2",
                                   "dbngain.1", "dbnbias.1",  "dbnraw.1",  "dbnvar_inv.1", "dbnvar.1", "dbndiff2.1",
                                   "dbndiff.1", "dbnmeani.1", "dhprebn.1", "dhpreact.1",   "dembcat",  "dW1",
                                   "db1",       "demb",       "dC"});
}

TEST_CASE("names: the collapsed network lacks only the small steps of two formulas") {
    const Graph net = collapsed_graph(NetworkConfig(), 32);
    CHECK(made(net.forward) == Names{"emb", "embcat", "hprebn", "bnmeani", "bndiff", "bndiff2", "bnvar", "bnvar_inv",
                                     "bnraw", "hpreact", "h", "logits", "loss"});
    CHECK(made(net.backward) == Names{"dlogits", "dh", "dW2", "db2", "dhpreact", "dbngain", "dbnbias", "dbnraw",
                                      "dhprebn", "dembcat", "dW1", "db1", "demb", "dC"});
    CHECK(made(net.update) == made(stepwise_graph(NetworkConfig(), 32).update));
}

TEST_CASE("names: evaluation goes from the characters to the logits") {
    const Graph net = evaluation_graph(NetworkConfig(), 32);
    CHECK(made(net.forward) == Names{"emb", "embcat", "hprebn", "hpreact", "h", "logits"});
    CHECK(net.backward.empty());
    CHECK(net.update.empty());
    const Graph after = evaluation_graph(with_norm({5, 3}, "after"), 4);
    CHECK(made(after.forward) ==
          Names{"emb", "embcat", "hpreact.1", "hprebn.1", "h.1", "hpreact.2", "hprebn.2", "h.2", "logits"});
}

// A gradient has the shape of its value, and an update that of its parameter.
TEST_CASE("names: for every convention every name is made once, read after it is made, and shaped like its value") {
    for (const networks::PlacedNorm& norm : networks::norms()) {
        for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{5}, {3, 1, 7}}) {
            NetworkConfig config = networks::small(hidden);
            networks::put(config, norm);
            INFO(networks::describe(config, 4));
            for (const Graph& net :
                 {stepwise_graph(config, 4), collapsed_graph(config, 4), evaluation_graph(config, 4)}) {
                const Runner<float> runner(net);  // throws if a name is made twice or read too early
                std::set<std::string> read;
                const std::vector<TensorSpec>& table = runner.tensors().table();
                const auto shape = [&](const std::string& name) {
                    const auto spec = std::ranges::find(table, name, &TensorSpec::name);
                    INFO(name);
                    REQUIRE(spec != table.end());
                    return spec->shape;
                };
                for (const StepList* list : {&net.forward, &net.backward, &net.update}) {
                    for (const Step& s : *list) {
                        INFO(s.makes);
                        CHECK(!s.in_float.name.empty());
                        CHECK(count(s.shape) > 0);
                        if (list != &net.forward) {
                            CHECK(s.shape == shape(s.makes.substr(list == &net.backward ? 1 : 4)));
                        }
                        read.insert(s.reads.begin(), s.reads.end());
                    }
                }
                if (net.backward.empty()) {
                    continue;
                }
                // Every forward value but the loss is read again.
                for (const Step& s : net.forward) {
                    INFO(s.makes);
                    CHECK((s.makes == "loss" || read.contains(s.makes)));
                }
            }
        }
    }
}

// Networks: layers, names and shapes of tensors, size, and invalid configurations.
#include "base/network.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "base/change_network.h"
#include "base/error.h"
#include "base/message_of.h"

using namespace byhand;

namespace {

std::vector<std::string> names(const std::vector<TensorSpec>& specs) {
    std::vector<std::string> all;
    all.reserve(specs.size());
    for (const TensorSpec& spec : specs) {
        all.push_back(spec.name);
    }
    return all;
}

using Names = std::vector<std::string>;

// Whether it is refused with one line that contains `what`.
bool refuses(const NetworkConfig& config, std::size_t rows, const std::string& what) {
    const std::string line = test::message_of([&] { check_network(config, rows); });
    return line.find('\n') == std::string::npos && line.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("network: tanh and leaky_relu are activations, other operations that code refers to are none") {
    for (const char* none : {op::kEmbedding, op::kFlatten, op::kLinear, op::kBatchnorm, op::kLayernorm, op::kRmsnorm,
                             op::kResidual, op::kDropout, op::kCrossEntropy}) {
        INFO(none);
        CHECK_FALSE(is_activation(none));
    }
    CHECK(is_activation(op::kTanh));
    CHECK(is_activation(op::kLeakyRelu));
}

TEST_CASE("network: the default is that of note 1, with its parameters in order") {
    const NetworkConfig config;
    CHECK(names(parameters(config)) == Names{"C", "W1", "b1", "bngain", "bnbias", "W2", "b2"});
    CHECK(names(running_figures(config)) == Names{"bnmean_running", "bnvar_running"});
    CHECK(names(state(config)) ==
          Names{"C", "W1", "b1", "bngain", "bnbias", "W2", "b2", "bnmean_running", "bnvar_running"});
    CHECK(parameters(config)[0].shape == Shape{27, 2});
    CHECK(parameters(config)[1].shape == Shape{6, 100});
    CHECK(parameters(config)[2].shape == Shape{100});
    CHECK(parameters(config)[5].shape == Shape{100, 27});
    CHECK(parameters(config)[6].shape == Shape{27});
    CHECK(parameter_count(config) == 54 + 600 + 100 + 100 + 100 + 2700 + 27);
    check_network(config, 32);
}

TEST_CASE("network: values carry layer numbers if there is more than one hidden layer or norm") {
    NetworkConfig config;
    test::set(config, &ShortForm::hidden, {5});
    CHECK(layers(config)[0].value("h") == "h");
    CHECK(layers(config)[1].W() == "W2");
    CHECK(layers(config)[1].b() == "b2");

    test::set(config, &ShortForm::hidden, {5, 3});
    REQUIRE(layers(config).size() == 3);
    CHECK(layers(config)[0].value("h") == "h.1");
    CHECK(layers(config)[1].value("bngain") == "bngain.2");
    CHECK(names(running_figures(config)) ==
          Names{"bnmean_running.1", "bnvar_running.1", "bnmean_running.2", "bnvar_running.2"});

    test::set(config, &ShortForm::hidden, {5});
    test::set(config, &ShortForm::output_norm, true);
    CHECK(layers(config)[0].value("h") == "h.1");
    CHECK(names(parameters(config)) ==
          Names{"C", "W1", "b1", "bngain.1", "bnbias.1", "W2", "b2", "bngain.2", "bnbias.2"});

    test::set(config, &ShortForm::norm_place, "none");  // a norm on the output is then absent too
    CHECK(layers(config)[0].value("h") == "h");
    CHECK(names(state(config)) == Names{"C", "W1", "b1", "W2", "b2"});
}

TEST_CASE("network: layers have their extents, biases and norms") {
    NetworkConfig config;
    config.vocabulary = 11;
    config.context = 5;
    config.embedding = 3;
    test::set(config, &ShortForm::hidden, {7, 2});
    test::set(config, &ShortForm::hidden_bias, false);
    test::set(config, &ShortForm::norm_place, "after");
    for (const bool output : {false, true}) {
        test::set(config, &ShortForm::output_norm, output);
        const std::vector<Layer> all = layers(config);
        CHECK(all[0].inputs == 15);
        CHECK(all[0].outputs == 7);
        CHECK(all[1].inputs == 7);
        CHECK(all[2].inputs == 2);
        CHECK(all[2].outputs == 11);
        CHECK(!all[0].has_bias);
        CHECK(all[2].has_bias);
        CHECK(!all[1].is_output);
        CHECK(all[2].is_output);
        CHECK(all[1].has_batchnorm);
        CHECK_FALSE(all[1].has_batchnorm_first);
        CHECK(all[2].has_batchnorm == output);
        CHECK(all[2].has_batchnorm_first == output);
    }
    config.norm.affine = false;
    test::set(config, &ShortForm::output_norm, false);
    CHECK(names(parameters(config)) == Names{"C", "W1", "W2", "W3", "b3"});
}

TEST_CASE("network: flatten joins positions, and a layer has a row for each remaining one") {
    NetworkConfig config;
    config.vocabulary = 11;
    config.context = 9;
    config.embedding = 5;
    test::set(config, &ShortForm::hidden, {7, 2});
    test::set(config, &ShortForm::flatten, 3);
    check_network(config, 2);
    const std::vector<Layer> all = layers(config);
    CHECK(all[0].inputs == 15);
    CHECK(all[0].positions == 3);
    CHECK(all[1].inputs == 21);
    CHECK(all[1].positions == 1);
    CHECK(all[2].inputs == 2);
    CHECK(all[2].positions == 1);
    const std::vector<Operation> list = operations(config);
    const auto flatten = std::ranges::find(list.rbegin(), list.rend(), "flatten", &Operation::op);
    CHECK(flatten->input == "hpos.1");
    CHECK(flatten->output == "h.1");
    CHECK(flatten->joined == 3);
    CHECK(flatten->width == 7);
    CHECK(flatten->positions == 1);

    const auto refusal = [](const NetworkConfig& wrong) { return test::message_of([&] { check_network(wrong, 3); }); };
    config.context = 6;
    CHECK(
        refusal(config) ==
        "flatten before layer 2: 2 positions can't be joined by 3s: change its positions, or the context (--context)");
    config.context = 27;
    CHECK(refusal(config) ==
          "flatten: 3 positions are left over at the logits: add a flatten, or give a shorter context");
}

TEST_CASE("network: a residual adds an earlier value of the same shape") {
    NetworkConfig config;
    test::set(config, &ShortForm::norm_place, "none");
    test::set(config, &ShortForm::hidden, {7, 5, 5, 5, 3});
    test::set(config, &ShortForm::residual, true);
    check_network(config, 2);
    std::vector<std::string> added;
    for (const Operation& one : operations(config)) {
        if (one.op == "residual") {
            added.push_back(one.input + " + " + one.added + " = " + one.output);
        }
    }
    CHECK(added == std::vector<std::string>{"hpreres.3 + h.2 = h.3", "hpreres.4 + h.3 = h.4"});
    CHECK(first_as_wide(config) == std::vector<std::size_t>{0, 1, 1, 1, 4});

    NetworkConfig other = config;
    std::size_t number = 0;
    for (const std::size_t width : {4, 4, 1, 2, 9}) {
        hidden_linears(other)[number++]->outputs = width;
    }
    share_widths(other);
    CHECK(test::widths(other) == std::vector<std::size_t>{4, 4, 4, 4, 9});
    CHECK(operations(other).size() == operations(config).size());
    check_network(other, 2);

    const auto refusal = [](std::size_t from) -> std::string {
        OperationConfig residual{op::kResidual}, pair{op::kFlatten};
        residual.from = from;
        pair.positions = 2;
        return test::message_of([&] {
            with_layers({}, {pair,
                             {"linear", 4},
                             {"tanh"},
                             pair,
                             {"linear", 4},
                             {"linear", 5},
                             {"linear", 4},
                             {"relu"},
                             residual,
                             {"linear"}});
        });
    };
    CHECK(refusal(4).empty());
    CHECK(refusal(6).empty());
    CHECK(refusal(0) == "layers[8]: from: layers[0] is a flatten; what fits: layers[4], layers[6]");
    CHECK(refusal(1) == "layers[8]: from: layers[1] has other positions; what fits: layers[4], layers[6]");
    CHECK(refusal(5) ==
          "layers[8]: from: layers[5] makes 5 units, the residual has 4; what fits: layers[4], layers[6]");
    CHECK(refusal(7) == "layers[8]: from: layers[7] is already the residual's input; what fits: layers[4], layers[6]");
    CHECK(refusal(8) ==
          "layers[8]: from: layers[8] does not come before the residual; what fits: layers[4], layers[6]");
    CHECK(refusal(99) ==
          "layers[8]: from: layers[99] does not come before the residual; what fits: layers[4], layers[6]");
    CHECK_THROWS_WITH(with_layers({}, {{"linear", 4}, {"tanh"}, {"linear"}, {"residual"}}),
                      "layers[3]: a residual in the output layer: put it before the last linear");
}

TEST_CASE("network: a tied output has no weights of its own, and the last hidden width is the embedding's") {
    NetworkConfig config;
    test::set(config, &ShortForm::norm_place, "none");
    config.embedding = 5;
    test::set(config, &ShortForm::hidden, {7, 5});
    test::set(config, &ShortForm::tied, true);
    check_network(config, 2);
    CHECK(names(parameters(config)) == Names{"C", "W1", "b1", "W2", "b2", "b3"});
    CHECK(layers(config).back().is_tied);
    NetworkConfig other = config;
    other.embedding = 3;
    share_widths(other);
    CHECK(test::widths(other) == std::vector<std::size_t>{7, 3});
    test::set(config, &ShortForm::hidden, {7, 6});
    CHECK_THROWS_WITH(check_network(config, 2),
                      "tied: the last linear reads 6 units, the embedding has 5: give --embedding and the last of "
                      "--hidden the same width");
    OperationConfig tied{op::kLinear, 4};
    tied.tied = true;
    CHECK_THROWS_WITH(with_layers({}, {tied, {"linear"}}), "layers[0]: only the last linear can be tied: leave it out");
}

TEST_CASE("network: a dropout has a key, which is no parameter, and evaluates differently from training") {
    const NetworkConfig config = with_layers({}, {{"linear", 7}, {"dropout"}, {"tanh"}, {"linear"}});
    CHECK(names(parameters(config)) == Names{"C", "W1", "b1", "W2", "b2"});
    CHECK(running_figures(config).empty());
    CHECK(names(keys(config)) == Names{"maskkey"});
    CHECK(names(state(config)) == Names{"C", "W1", "b1", "W2", "b2", "maskkey"});
    const std::vector<Operation> evaluated = evaluated_operations(config);
    REQUIRE(evaluated.size() == 4);
    CHECK(evaluated[1].input == "eval_hpredrop");
    CHECK(evaluated[1].output == "eval_hpreact");
}

TEST_CASE("check_network: each extent of 0 is refused with its own message") {
    NetworkConfig config;
    config.vocabulary = 0;
    CHECK(refuses(config, 32, "vocabulary"));
    config = NetworkConfig();
    config.context = 0;
    CHECK(refuses(config, 32, "--context"));
    config = NetworkConfig();
    config.embedding = 0;
    CHECK(refuses(config, 32, "--embedding"));
    config = NetworkConfig();
    config.layers.front().outputs = 0;
    CHECK(refuses(config, 32, "layers[0]: a linear that is not the last one is missing its \"outputs\""));
    config.layers.clear();
    CHECK(refuses(config, 32, "layers: a network without operations"));
    CHECK(refuses(NetworkConfig(), 0, "--batch"));
}

TEST_CASE("check_network: the smallest extents are accepted, and not more layers or operations than a recipe lists") {
    NetworkConfig config;
    config.vocabulary = 1;
    config.context = 1;
    config.embedding = 1;
    test::set(config, &ShortForm::hidden, {1});
    test::set(config, &ShortForm::norm_place, "none");
    CHECK_NOTHROW(check_network(config, 1));
    test::set(config, &ShortForm::hidden, std::vector<std::size_t>(kMostHiddenLayers, 1));
    CHECK_NOTHROW(check_network(config, 1));
    test::set(config, &ShortForm::hidden, std::vector<std::size_t>(kMostHiddenLayers + 1, 1));
    CHECK(refuses(config, 1, "--hidden"));
}

TEST_CASE("check_network: one row is refused if any divisor is n − 1") {
    NetworkConfig config;
    CHECK(refuses(config, 1, "--batch"));
    CHECK_NOTHROW(check_network(config, 2));
    config.norm.batch_divisor = Divisor::n;  // the running statistic still divides by n − 1
    CHECK(refuses(config, 1, "--bn-variance"));
    config.norm.running_divisor = Divisor::n;
    CHECK_NOTHROW(check_network(config, 1));
    config.norm.batch_divisor = Divisor::n_minus_1;
    CHECK(refuses(config, 1, "--batch 2 or more"));
    test::set(config, &ShortForm::norm_place, "none");
    CHECK_NOTHROW(check_network(config, 1));
}

TEST_CASE("check_network: momentum from 0 to 1, ε from 0, both finite") {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(),
                     kInfinity = std::numeric_limits<double>::infinity();
    NetworkConfig config;
    for (const double momentum : {0.0, 1.0, 0.001}) {
        config.norm.momentum = momentum;
        CHECK_NOTHROW(check_network(config, 32));
    }
    for (const double momentum : {-1e-9, 1.0000001, kNaN, kInfinity, -kInfinity}) {
        config.norm.momentum = momentum;
        CHECK(refuses(config, 32, "momentum"));
    }
    config = NetworkConfig();
    for (const double epsilon : {0.0, 1e-300, 1e30}) {
        config.norm.epsilon = epsilon;
        CHECK_NOTHROW(check_network(config, 32));
    }
    for (const double epsilon : {-1e-9, kNaN, kInfinity, -kInfinity}) {
        config.norm.epsilon = epsilon;
        CHECK(refuses(config, 32, "epsilon"));
    }
    test::set(config, &ShortForm::norm_place, "none");  // unused fields are not checked
    CHECK_NOTHROW(check_network(config, 32));
}

TEST_CASE("check_network: impossible sizes are refused before they overflow") {
    constexpr std::size_t kHuge = std::size_t{1} << 40, kMost = std::numeric_limits<std::size_t>::max();
    const NetworkConfig fine;
    for (const std::size_t size : {kHuge, kMost, kMost / 2 + 1, std::size_t{1} << 32}) {
        NetworkConfig config = NetworkConfig();
        test::set(config, &ShortForm::hidden, {size, size});
        CHECK(refuses(config, 32, "too large"));
        test::set(config, &ShortForm::hidden, {size});
        CHECK(refuses(config, 32, "too large"));
        config = NetworkConfig();
        config.embedding = size;
        config.context = kMostContext;
        CHECK(refuses(config, 32, "too large"));
        config.context = size;
        CHECK(refuses(config, 32, "--context"));
        config = NetworkConfig();
        config.vocabulary = size;
        config.embedding = size;
        CHECK(refuses(config, 32, "too large"));
        CHECK(refuses(fine, size, "too large"));
    }
    NetworkConfig config = NetworkConfig();
    test::set(config, &ShortForm::hidden, {20000, 20000});  // large and possible
    config.context = kMostContext;
    CHECK_NOTHROW(check_network(config, 4096));
}

// ---- networks that list their operations ----

namespace {

using List = std::vector<OperationConfig>;

// "X embedding emb flatten embcat linear …".
std::string chain(const std::vector<Operation>& operations) {
    std::string all = operations.empty() ? "" : operations.front().input;
    std::string last = all;
    for (const Operation& one : operations) {
        CHECK(one.input == last);
        last = one.output;
        all += " " + one.op + " " + one.output;
    }
    return all;
}

std::string refusal(const List& list) {
    return test::message_of([&] { with_layers({}, list); });
}

}  // namespace

TEST_CASE("network: a value between two operations is named after the one that reads it") {
    NetworkConfig config;
    test::set(config, &ShortForm::hidden, {7});
    CHECK(chain(operations(config)) ==
          "X embedding emb flatten embcat linear hprebn batchnorm hpreact tanh h linear logits cross_entropy loss");
    CHECK(chain(evaluated_operations(config)) ==
          "embcat linear eval_hprebn batchnorm eval_hpreact tanh eval_h linear eval_logits");

    // A norm only in the second layer, a linear without a non-linearity, tanh on the output.
    config = with_layers({}, {{"linear", 7}, {"tanh"}, {"linear", 5, false}, {"batchnorm"}, {"linear"}, {"tanh"}});
    CHECK(
        chain(operations(config)) ==
        "X embedding emb flatten embcat linear hpreact.1 tanh h.1 linear hprebn.2 batchnorm h.2 linear hpreact.3 tanh "
        "logits cross_entropy loss");
    CHECK(names(parameters(config)) == Names{"C", "W1", "b1", "W2", "bngain.2", "bnbias.2", "W3", "b3"});
    CHECK(names(running_figures(config)) == Names{"bnmean_running.2", "bnvar_running.2"});
    CHECK(parameters(config)[3].shape == Shape{7, 5});
    check_network(config, 3);

    // A name that would be ambiguous carries its layer's number, even with one hidden layer.
    config = with_layers({}, {{"linear", 7}, {"tanh"}, {"linear"}, {"tanh"}});
    CHECK(chain(operations(config)) ==
          "X embedding emb flatten embcat linear hpreact.1 tanh h.1 linear hpreact.2 tanh logits cross_entropy loss");

    // A single linear.
    config = with_layers({}, {{"linear"}});
    CHECK(chain(operations(config)) == "X embedding emb flatten embcat linear logits cross_entropy loss");
    check_network(config, 3);
}

TEST_CASE("network: a list of operations that is no network is refused, with its position") {
    CHECK(refusal({}).starts_with("layers: "));
    CHECK(refusal({{"tanh"}, {"linear"}}).starts_with("layers[0]: \"tanh\" comes before the first linear"));
    CHECK(refusal({{"linear", 3}, {"tanh"}}).starts_with("layers[0]: the last linear"));
    CHECK(refusal({{"linear", 3}, {"linear"}, {"tanh"}, {"linear"}})
              .starts_with("layers[1]: a linear that is not the last one is missing its \"outputs\""));
    CHECK(refusal({{"linear", 3}, {"tanh"}, {"batchnorm"}, {"tanh"}, {"linear"}})
              .starts_with("layers[3]: layer 1 has two operations that read hpreact"));
    CHECK(refusal({{"linear", 3}, {"linear"}, {"batchnorm"}, {"batchnorm"}})
              .starts_with("layers[3]: layer 2 has two operations that read hprebn"));
    CHECK(refusal({{"linear", 3}, {"tanh"}, {"linear"}}).empty());
}

// What a network is: its layers, its tensors' names and shapes, its size, and what cannot be.
#include "base/network.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "base/error.h"

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

// Refused with one line that has `what` in it.
bool refuses(const NetworkConfig& config, std::size_t rows, const std::string& what) {
    try {
        check_network(config, rows);
    } catch (const InputError& error) {
        const std::string line = error.what();
        INFO(line);
        CHECK(line.find('\n') == std::string::npos);
        CHECK(line.find(what) != std::string::npos);
        return true;
    }
    return false;
}

}  // namespace

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

TEST_CASE("network: values carry numbers as soon as there is more than one hidden layer or norm") {
    NetworkConfig config;
    config.hidden = {5};
    CHECK(layers(config)[0].value("h") == "h");
    CHECK(layers(config)[1].W() == "W2");
    CHECK(layers(config)[1].b() == "b2");

    config.hidden = {5, 3};
    REQUIRE(layers(config).size() == 3);
    CHECK(layers(config)[0].value("h") == "h.1");
    CHECK(layers(config)[1].value("bngain") == "bngain.2");
    CHECK(names(running_figures(config)) ==
          Names{"bnmean_running.1", "bnvar_running.1", "bnmean_running.2", "bnvar_running.2"});

    config.hidden = {5};
    config.norm.output = true;
    CHECK(layers(config)[0].value("h") == "h.1");
    CHECK(names(parameters(config)) ==
          Names{"C", "W1", "b1", "bngain.1", "bnbias.1", "W2", "b2", "bngain.2", "bnbias.2"});

    config.norm.place = NormPlace::none;  // and then no norm on the output either
    CHECK(layers(config)[0].value("h") == "h");
    CHECK(names(state(config)) == Names{"C", "W1", "b1", "W2", "b2"});
}

TEST_CASE("network: layers know their extents, biases and norms") {
    NetworkConfig config;
    config.vocabulary = 11;
    config.context = 5;
    config.embedding = 3;
    config.hidden = {7, 2};
    config.hidden_bias = false;
    config.norm.place = NormPlace::after;
    for (const bool output : {false, true}) {
        config.norm.output = output;
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
        CHECK(all[1].norm == NormPlace::after);
        CHECK(all[2].norm == (output ? NormPlace::before : NormPlace::none));  // straight after the linear
    }
    config.norm.affine = false;
    config.norm.output = false;
    CHECK(names(parameters(config)) == Names{"C", "W1", "W2", "W3", "b3"});
}

// The lectures' own figures: 12,097 and 47,024 are printed there, 12,297 is the first with the 200 biases that the norm
// makes idle.
TEST_CASE("network: parameters of the published networks") {
    NetworkConfig bn;
    bn.embedding = 10;
    bn.hidden = {200};
    bn.hidden_bias = false;
    CHECK(parameter_count(bn) == 12097);

    NetworkConfig ninja = bn;
    ninja.hidden_bias = true;
    CHECK(parameter_count(ninja) == 12297);

    NetworkConfig deep = bn;
    deep.hidden = {100, 100, 100, 100, 100};
    deep.output_bias = false;
    deep.norm.output = true;
    CHECK(parameter_count(deep) == 47024);
}

TEST_CASE("check_network: an extent of 0 is refused, each by its own line") {
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
    config.hidden = {5, 0, 3};
    CHECK(refuses(config, 32, "--hidden"));
    config.hidden = {};
    CHECK(refuses(config, 32, "--hidden"));
    CHECK(refuses(NetworkConfig(), 0, "--batch"));
}

TEST_CASE("check_network: the smallest of everything is fine") {
    NetworkConfig config;
    config.vocabulary = 1;
    config.context = 1;
    config.embedding = 1;
    config.hidden = {1};
    config.norm.place = NormPlace::none;
    CHECK_NOTHROW(check_network(config, 1));
    config.hidden.assign(kMostHiddenLayers, 1);
    CHECK_NOTHROW(check_network(config, 1));
    config.hidden.push_back(1);
    CHECK(refuses(config, 1, "--hidden"));
}

TEST_CASE("check_network: one row is refused where anything divides by n − 1") {
    NetworkConfig config;
    CHECK(refuses(config, 1, "--batch"));
    CHECK_NOTHROW(check_network(config, 2));
    config.norm.batch_divisor = Divisor::n;  // the running figure still divides by n − 1
    CHECK(refuses(config, 1, "--bn-variance"));
    config.norm.running_divisor = Divisor::n;
    CHECK_NOTHROW(check_network(config, 1));
    config.norm.batch_divisor = Divisor::n_minus_1;
    CHECK(refuses(config, 1, "--batch 2 or more"));
    config.norm.place = NormPlace::none;
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
    config.norm.place = NormPlace::none;  // what is not used is not looked at
    CHECK_NOTHROW(check_network(config, 32));
}

TEST_CASE("check_network: sizes that no machine has are refused before they overflow") {
    constexpr std::size_t kHuge = std::size_t{1} << 40, kMost = std::numeric_limits<std::size_t>::max();
    const NetworkConfig fine;
    for (const std::size_t size : {kHuge, kMost, kMost / 2 + 1, std::size_t{1} << 32}) {
        NetworkConfig config = NetworkConfig();
        config.hidden = {size, size};
        CHECK(refuses(config, 32, "too large"));
        config.hidden = {size};
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
    config.hidden = {20000, 20000};  // large and possible
    config.context = kMostContext;
    CHECK_NOTHROW(check_network(config, 4096));
}

// External values in double, in float, and in both: in which of them each is judged.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checks/tests/external_ground.h"
#include "manual/stepwise.h"

using namespace byhand;
using namespace byhand::given;

namespace {

// Every value in double, with one of them off by a billionth. `as_float` is what float keeps of it.
class Doubles {
public:
    Doubles(const Model& implementation, const std::string& off, bool as_float = false) {
        for (const View& view : implementation.views()) {
            std::vector<double>& numbers = numbers_.emplace_back(numbers_of(view));
            for (double& number : numbers) {
                number *= view.name == off ? 1 + 1e-9 : 1;
                number = as_float ? static_cast<double>(static_cast<float>(number)) : number;
            }
            views_.push_back({view.name, view.shape, DType::float64, numbers.data()});
        }
    }
    const std::vector<View>& views() const { return views_; }

private:
    std::deque<std::vector<double>> numbers_;
    std::vector<View> views_;
};

}  // namespace

TEST_CASE("external: what was computed in double is judged by double's limits, each step in isolation and end to end") {
    struct Case {
        NetworkConfig config;
        std::size_t rows;  // of 32 −1/n is a float: that says nothing of what it was computed in
    };
    for (const auto& [config, rows] : {Case{notes(), 31}, Case{without_epsilon(), 31}, Case{notes(), 32}}) {
        Ground ground(config, rows, 5);
        const std::unique_ptr<Model> implementation = ground.right(HandForm::stepwise, DType::float64);
        CHECK(ground.judged(Doubles(*implementation, "").views()).agree);
        for (const std::string name : {"h", "hprebn", "loss", "dprobs", "dbnvar", "dW1", "db2", "dC"}) {
            INFO(name);
            const Doubles doubles(*implementation, name);
            const Summary all = ground.judged(doubles.views());
            CHECK_FALSE(all.agree);
            CHECK(all.first_divergence == name);
            CHECK(culprits_of(all).contains(name));
            // Without forward values nothing tells that the forward pass was in double: then the chain has float's.
            const Summary alone = ground.judged(ground.gradients(doubles.views()));
            if (name == "db2" || name == "dC") {  // nothing forward is read
                CHECK(culprits_of(alone).contains(name));
            }
            CHECK(ground.judged(only(doubles.views(), {name})).agree == ground.is_gradient(name));
            // What float rounded is judged as float, whatever it is saved as.
            CHECK(ground.judged(Doubles(*ground.right(HandForm::stepwise), name, true).views()).agree);
        }
    }
}

namespace {

using Numbers = std::map<std::string, std::vector<double>>;

// What the right steps make in double of a float network's forward values.
Numbers backward_in_double(const Ground& ground, const Graph& network) {
    Numbers numbers;
    const std::unique_ptr<Model> implementation = ground.right(HandForm::stepwise);
    for (const View& view : implementation->views()) {
        numbers[view.name] = numbers_of(view);
    }
    const Tensors<float>& state = ground.state();
    for (const TensorSpec& spec : state.table()) {
        numbers[spec.name].assign(state[spec.name].begin(), state[spec.name].end());
    }
    const Batch batch = ground.batch();
    for (const Step& step : network.backward) {
        std::vector<double> made(count(step.shape));
        execute(step, made.data(), [&](const std::string& name) -> Operand<double> {
            if (name == "X" || name == "Y") {
                return name == "X" ? batch.X : batch.Y;
            }
            return numbers.at(name).data();
        });
        numbers[step.makes] = std::move(made);
    }
    return numbers;
}

// Some of these numbers as a file has them: as double, or, those of `as_float`, as float.
class Mixed {
public:
    Mixed(const Numbers& numbers, const Graph& network, const StepList& steps, const Names& as_float = {}) {
        append(numbers, network.forward, as_float);
        append(numbers, steps, as_float);
    }
    const std::vector<View>& views() const { return views_; }

private:
    void append(const Numbers& numbers, const StepList& steps, const Names& as_float) {
        for (const Step& step : steps) {
            const std::vector<double>& made = numbers.at(step.makes);
            if (as_float.contains(step.makes)) {
                const auto& floats = floats_.emplace_back(made.begin(), made.end());
                views_.push_back({step.makes, step.shape, DType::float32, floats.data()});
            } else {
                const auto& doubles = doubles_.emplace_back(made);
                views_.push_back({step.makes, step.shape, DType::float64, doubles.data()});
            }
        }
    }

    std::deque<std::vector<float>> floats_;
    std::deque<std::vector<double>> doubles_;
    std::vector<View> views_;
};

}  // namespace

TEST_CASE("external: a float pass's forward values, saved as F32 or F64, and gradients computed from them in double") {
    for (const NetworkConfig& config : {notes(), without_epsilon()}) {
        for (const std::size_t rows : {31, 32}) {
            Ground ground(config, rows, 5);
            const Graph network = stepwise_graph(config, rows);
            Numbers numbers = backward_in_double(ground, network);
            Names forward;
            for (const Step& step : network.forward) {
                forward.insert(step.makes);
            }
            const auto judged = [&](const Names& as_float, const Names& missing = {}) {
                const Mixed mixed(numbers, network, network.backward, as_float);
                std::vector<View> views = mixed.views();
                std::erase_if(views, [&](const View& view) { return missing.contains(view.name); });
                return culprits_of(ground.judged(views));
            };
            INFO(rows << " rows");
            CHECK(judged({}).empty());
            CHECK(judged(forward).empty());
            CHECK(judged({}, forward).empty());
            CHECK(judged({"logits", "h", "dlogits", "dbnraw"}, {"counts", "bnvar"}).empty());
            // The same in other words, of the float values.
            const Numbers kept = numbers;
            for (std::size_t i = 0; i < numbers.at("h").size(); ++i) {
                const auto h = static_cast<float>(numbers["h"][i]);
                numbers["dhpreact"][i] = static_cast<double>(1 - h * h) * numbers["dh"][i];
            }
            for (std::size_t i = 0; i < numbers.at("counts").size(); ++i) {
                numbers["dnorm_logits"][i] = std::exp(numbers["norm_logits"][i]) * numbers["dcounts"][i];
            }
            for (const Names& as_float : {Names{}, forward}) {
                INFO("in other words");
                const Mixed mixed(numbers, network, {}, as_float);
                std::vector<View> views = mixed.views();
                const Mixed gradients(numbers, Graph(), network.backward);
                for (const View& view : gradients.views()) {
                    if (Names{"dh", "dhpreact", "dcounts", "dnorm_logits"}.contains(view.name)) {
                        views.push_back(view);
                    }
                }
                CHECK(culprits_of(ground.judged(views)).empty());
            }
            // A loss computed in double from them does not say that they are in double.
            numbers = kept;
            numbers["loss"][0] *= 1 + 1e-9;
            CHECK(judged({}).empty());
            // A wrong one is wrong, and what reads gradients in double alone is held to double.
            for (const auto& [name, factor] : std::map<std::string, double>{{"dh", 1.001}, {"db2", 1 + 1e-9}}) {
                INFO(name);
                numbers = kept;
                std::ranges::for_each(numbers[name], [by = factor](double& number) { number *= by; });
                CHECK(judged({}).contains(name));
            }
        }
    }
}

TEST_CASE("external: gradients in double of gradients in float are judged in isolation by float's limits, and agree") {
    Ground ground(notes(), 31, 5);
    // dC is summed up in double, of floats.
    const std::unique_ptr<Model> implementation = ground.right(HandForm::stepwise);
    const std::vector<View> floats = implementation->views();
    const View* demb = find(floats, "demb");
    std::vector<double> dC(11 * 3);
    const Batch batch = ground.batch();
    for (std::size_t place = 0; place < count(demb->shape) / 3; ++place) {
        for (std::size_t e = 0; e < 3; ++e) {
            dC[static_cast<std::size_t>(batch.X[place]) * 3 + e] += value_at(*demb, place * 3 + e);
        }
    }
    std::vector<View> given = floats;
    std::erase_if(given, [](const View& view) { return view.name == "new_C"; });
    *std::ranges::find(given, "dC", &View::name) = {"dC", {11, 3}, DType::float64, dC.data()};
    CHECK(ground.judged(given).agree);
    dC[4] *= 1 + 1e-3;
    CHECK(culprits_of(ground.judged(given)) == Names{"dC"});
}

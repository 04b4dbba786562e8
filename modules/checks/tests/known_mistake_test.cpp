// A planted mistake is known again by the numbers that its step makes.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "checks/faults/mistakes.h"
#include "fast/pieces.h"
#include "harness/isolated/diagnose.h"
#include "harness/isolated/draws.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

constexpr std::size_t kRows = 9;

const NetworkConfig kNetwork = test::network(5, 3, 2, {.hidden = {7}});

// Random values of all that steps of the network read, the same ones in each test.
Tensors<double> random_values(const Graph& network) {
    std::vector<TensorSpec> specs;
    for (const auto& [name, shape] : shapes_of(network)) {
        specs.push_back({name, shape});
    }
    return draw(specs, network.ranges, {}, network.config.vocabulary, 3);
}

// The step may write over what it reads: copies.
std::vector<double> made_by(const Step& step, const Tensors<double>& values) {
    std::map<std::string, std::vector<float>> read;
    std::vector<float> out(count(step.shape));
    execute(step, out.data(), [&](const std::string& name) -> Operand<float> {
        if (values.holds_indices(name)) {
            return values.indices(name).data();
        }
        const std::span<const double> numbers = values[name];
        return read.try_emplace(name, numbers.begin(), numbers.end()).first->second.data();
    });
    return {out.begin(), out.end()};
}

struct Asked {
    Graph right = stepwise_graph(kNetwork, kRows);
    Tensors<double> values = random_values(right);

    StepInput input(const std::string& makes) const {
        StepInput input;
        input.values = std::make_shared<const Tensors<double>>(values);
        input.exact = made_by(*find_step(right, makes), values);
        return input;
    }
    const Mistake* known(const std::string& makes, const std::vector<double>& ours) const {
        const StepInput asked = input(makes);
        std::vector<double> limits;
        for (const double exact : asked.exact) {
            limits.push_back(1e-5 * std::max(std::abs(exact), 1e-3));
        }
        return known_mistake(makes, {{right, asked, ours, limits}}, mistakes());
    }
};

}  // namespace

TEST_CASE("known mistakes: each that changes a step's numbers is named, or one that makes the same") {
    const Asked asked;
    std::size_t named = 0;
    for (const Mistake& mistake : mistakes()) {
        Graph network = asked.right;
        for (const std::string& culprit : mistake.plant(network)) {
            const std::vector<const Step*> steps = all_steps(network);
            const auto step = std::ranges::find(steps, culprit, &Step::makes);
            if (step == steps.end()) {
                continue;  // it is dropped
            }
            const std::vector<double> ours = made_by(**step, asked.values), right = asked.input(culprit).exact;
            const bool is_finite = std::ranges::all_of(ours, [](double x) { return std::isfinite(x); });
            double error = 0, scale = 0;
            for (std::size_t i = 0; i < right.size(); ++i) {
                error = std::max(error, std::abs(ours[i] - right[i]));
                scale = std::max(scale, std::abs(right[i]));
            }
            INFO(mistake.name << " in " << culprit);
            if (!is_finite || error < 1e-3 * scale) {  // of order, of memory, and too small
                continue;
            }
            const Mistake* known = asked.known(culprit, ours);
            REQUIRE(known != nullptr);
            Graph other = asked.right;
            known->plant(other);
            CHECK(made_by(*find_step(other, culprit), asked.values) == ours);
            named += known == &mistake ? 1 : 0;
        }
    }
    CHECK(named > 40);
}

TEST_CASE("known mistakes: planted in the other forms too, which lack some steps") {
    for (const Graph& form : {collapsed_graph(kNetwork, kRows), fused_pieces(kNetwork, kRows), Graph()}) {
        std::size_t planted = 0;
        for (const Mistake& mistake : mistakes()) {
            Graph network = form;
            planted += mistake.plant(network).empty() ? 0 : 1;
        }
        CHECK((planted > 0) == !all_steps(form).empty());
    }
}

TEST_CASE("known mistakes: with other rounding too; what no planted mistake makes has no name") {
    const Asked asked;
    Graph network = asked.right;
    find_mistake("embedding-overwritten")->plant(network);
    std::vector<double> ours = made_by(*find_step(network, "dC"), asked.values);
    for (std::size_t i = 0; i < ours.size(); ++i) {
        ours[i] *= i % 2 == 0 ? 1 + 1e-6 : 1 - 1e-6;
    }
    CHECK(asked.known("dC", ours) == find_mistake("embedding-overwritten"));
    ours[0] += 0.01;
    CHECK(asked.known("dC", ours) == nullptr);
    CHECK(asked.known("dC", asked.input("dC").exact) == nullptr);  // right
    CHECK(asked.known("dC", {}) == nullptr);                       // it did not finish
}

TEST_CASE("known mistakes: one that makes the right numbers here is no explanation of rounding") {
    Asked asked;
    asked.values.put({"bngain", {7}}, std::vector<float>(7, 1.0F));
    StepInput input = asked.input("dbnraw");
    const std::vector<double> ours = input.exact;
    for (double& exact : input.exact) {
        exact *= 1 + 1e-6;  // by which ours is off
    }
    std::vector<double> limits(ours.size());
    std::ranges::transform(ours, limits.begin(), [](double x) { return 1e-5 * std::abs(x); });
    CHECK(known_mistake("dbnraw", {{asked.right, input, ours, limits}}, mistakes()) == nullptr);
}

TEST_CASE("known mistakes: a row, column or class that is left out, or a read with the other sign, is told") {
    const Asked asked;
    const auto told = [&](const std::string& makes, const std::string& read, auto change) {
        Tensors<double> changed = asked.values;
        std::vector<double> numbers = changed.copy_of(read);
        change(numbers);
        const std::map<std::string, Shape> shapes = shapes_of(asked.right);
        changed.put({read, shapes.at(read)}, numbers);
        const StepInput input = asked.input(makes);
        const std::vector<double> ours = made_by(*find_step(asked.right, makes), changed);
        const std::vector<double> limits(ours.size(), 1e-6);
        Trial trial;
        name_mistake(trial, makes, {{asked.right, input, ours, limits}}, mistakes());
        CHECK(trial.mistake == nullptr);
        Trial hinted;
        hinted.hint = "half of it";
        name_mistake(hinted, makes, {{asked.right, input, ours, limits}}, mistakes());
        CHECK(hinted.hint == "half of it");
        return trial.hint;
    };
    const auto zero = [](std::size_t first, std::size_t last) {
        return [=](std::vector<double>& numbers) {
            std::fill(numbers.begin() + static_cast<std::ptrdiff_t>(first),
                      numbers.begin() + static_cast<std::ptrdiff_t>(last), 0.0F);
        };
    };
    CHECK(told("db2", "dlogits", zero(8 * 5, 9 * 5)) == "the last row of dlogits is left out");
    CHECK(told("dbngain", "bnraw", zero(0, 8 * 7)).starts_with("only the last row of "));
    CHECK(told("dbnmeani", "dbndiff", zero(7, 9 * 7)) == "only the first row of dbndiff is counted");
    CHECK(told("dbngain", "bnraw", zero(8 * 7, 9 * 7)).starts_with("the last row of "));
    CHECK(told("dW2", "h", zero(0, 7)).starts_with("the first row of "));
    CHECK(told("dlogit_maxes", "dnorm_logits", [](std::vector<double>& numbers) {
              for (std::size_t i = 0; i < 9; ++i) {
                  numbers[i * 5 + 4] = 0;
              }
          }) == "the last column of dnorm_logits is left out");
    CHECK(told("dlogits", "logits", [](std::vector<double>& numbers) {
              std::ranges::transform(numbers, numbers.begin(), std::negate<>());
          }) == "the right step makes these numbers of −logits");
    CHECK(told("dbnraw", "bngain", [](std::vector<double>&) {}).empty());
}

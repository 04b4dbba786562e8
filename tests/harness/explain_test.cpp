// Every value of every shipped network can be explained.
#include "harness/explain.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "checks/faults/mistakes.h"
#include "manual/formulas.h"
#include "manual/networks.h"
#include "manual/operation.h"
#include "manual/stepwise.h"
#include "recipe/shipped.h"

using namespace byhand;

namespace {

std::vector<std::string> shipped_names() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(BYHAND_RECIPES)) {
        names.push_back(entry.path().stem().string());
    }
    return names;
}

// The shipped networks, and one in which every place for a norm is taken.
std::vector<NetworkConfig> all_networks() {
    std::vector<NetworkConfig> all;
    for (const std::string& name : shipped_names()) {
        all.push_back(test::shipped(name).network);
    }
    all.push_back(networks::small({5, 3}));
    test::set(all.back(), &ShortForm::norm_place, "after");
    test::set(all.back(), &ShortForm::output_norm, true);
    all.push_back(networks::small({5}));
    test::set(all.back(), &ShortForm::norm_place, "none");
    all.push_back(with_layers(networks::small({5}), {{"linear", 5}, {"dropout"}, {"tanh"}, {"linear"}}));
    all.back().optimizer.kind = OptimizerKind::adamw;
    all.push_back(networks::small({5, 3}));
    all.back().context = 9;
    test::set(all.back(), &ShortForm::flatten, 3);
    for (const char* kind : {op::kLayernorm, op::kRmsnorm}) {
        all.push_back(networks::small({5, 3}));
        test::set(all.back(), &ShortForm::norm, kind);
    }
    return all;
}

const Explanation* named(const std::vector<Explanation>& all, const std::string& name) {
    const auto found = std::ranges::find(all, name, &Explanation::name);
    return found != all.end() ? &*found : nullptr;
}

// The line, counted from 1.
std::string line_of(const std::string& file, int number) {
    std::ifstream stream(std::string(BYHAND_SOURCES) + "/" + file);
    std::string line;
    for (int i = 0; i < number; ++i) {
        line.clear();
        std::getline(stream, line);
    }
    return line;
}

// "f" and "g" of "f + g".
std::vector<std::string> terms_of(std::string function) {
    const std::string plus = " + ";
    std::vector<std::string> terms;
    for (std::size_t at = function.find(plus); at != std::string::npos; at = function.find(plus)) {
        terms.push_back(function.substr(0, at));
        function.erase(0, at + plus.size());
    }
    terms.push_back(function);
    return terms;
}

}  // namespace

TEST_CASE("explain: every value once, each with a meaning, what is given first, then the steps in their order") {
    CHECK(shipped_names().size() >= 7);
    for (const NetworkConfig& config : all_networks()) {
        const Graph network = stepwise_graph(config, 3);
        std::vector<std::string> wanted = {"X", "Y"}, there;
        for (const TensorSpec& spec : state(config)) {
            wanted.push_back(spec.name);
        }
        wanted.emplace_back("rate");
        for (const Step* step : all_steps(network)) {
            wanted.push_back(step->makes);
        }
        std::set<std::string> distinct;
        for (const Explanation& one : explain(network, mistakes())) {
            INFO(one.name);
            there.push_back(one.name);
            CHECK_FALSE(one.meaning.empty());
            CHECK(one.meaning.find('\n') == std::string::npos);
            // Two of the same meaning are two layers'.
            CHECK((distinct.insert(one.meaning).second || one.name.find_first_of("0123456789") != std::string::npos));
        }
        CHECK(there == wanted);
    }
}

TEST_CASE("explain: each function is there, with a formula, on the line that is said") {
    std::set<std::string> seen;
    for (const NetworkConfig& config : all_networks()) {
        for (const Explanation& one : explain(stepwise_graph(config, 3), mistakes())) {
            if (one.function.empty() || !seen.insert(one.function).second) {
                continue;
            }
            INFO(one.name << " by " << one.function);
            for (const std::string& function : terms_of(one.function)) {
                const auto found = std::ranges::find_if(
                    formulas(), [&](const Formula& formula) { return formula.function == function; });
                REQUIRE(found != formulas().end());
                CHECK_FALSE(std::string(found->text).empty());
                CHECK(line_of(found->file, found->line).find(function + "(") != std::string::npos);
            }
        }
    }
    CHECK(seen.size() > 30);
}

TEST_CASE("explain: what a step reads exists, and reads and readers are the same pairs") {
    for (const NetworkConfig& config : all_networks()) {
        const std::vector<Explanation> all = explain(stepwise_graph(config, 3), mistakes());
        std::multiset<std::pair<std::string, std::string>> reads, read_by;
        for (const Explanation& one : all) {
            INFO(one.name);
            CHECK(one.function.empty() == one.reads.empty());
            for (const std::string& name : one.reads) {
                CHECK(named(all, name) != nullptr);
                reads.emplace(one.name, name);
            }
            for (const std::string& name : one.read_by) {
                CHECK(named(all, name) != nullptr);
                read_by.emplace(name, one.name);
            }
        }
        CHECK(reads == read_by);
        CHECK(reads.size() > all.size());
    }
}

TEST_CASE("explain: mistakes stand where they are made") {
    const std::vector<Explanation> all = explain(stepwise_graph(networks::small({5}), 9), mistakes());
    const auto has = [&](const std::string& name, const std::string& mistake) {
        return std::ranges::any_of(named(all, name)->mistakes, [&](const Mistake* m) { return m->name == mistake; });
    };
    CHECK(has("dbndiff", "dvar-path-forgotten"));
    CHECK(has("dC", "embedding-overwritten"));
    CHECK(has("dbngain", "gradients-swapped"));
    CHECK(has("dbnbias", "gradients-swapped"));
    CHECK_FALSE(has("dW1", "dvar-path-forgotten"));
    CHECK(named(all, "X")->mistakes.empty());
    // None is lost: each has a place beside one of the operations, where gradients are sums, or in one of the
    // optimizers.
    std::set<std::string> seen;
    const auto see = [&seen](const NetworkConfig& network) {
        for (const Explanation& one : explain(stepwise_graph(network, 9), mistakes())) {
            for (const Mistake* mistake : one.mistakes) {
                seen.insert(mistake->name);
            }
        }
    };
    for (const std::string& name : listed_operations()) {
        OperationConfig flatten{"flatten"}, operation{name};
        flatten.positions = 3;
        operation.p = 0.3;
        if (std::set<std::string>{op::kFlatten, op::kLinear, op::kResidual}.contains(name)) {
            continue;
        }
        NetworkConfig network = networks::small({5});
        network.context = 9;
        network = with_layers(
            network, {flatten, {"linear", 5}, {"batchnorm"}, {"tanh"}, flatten, {"linear", 4}, operation, {"linear"}});
        see(network);
    }
    NetworkConfig sums = networks::small({5, 5, 5});
    sums.embedding = 5;
    add_residuals(sums.layers);
    sums.layers.back().tied = true;
    see(sums);
    NetworkConfig network = networks::small({5});
    for (const OptimizerConfig& optimizer : {OptimizerConfig{.weight_decay = 0.1, .momentum = 0.9, .nesterov = true},
                                             OptimizerConfig{.kind = OptimizerKind::adamw, .weight_decay = 0.1}}) {
        network.optimizer = optimizer;
        see(network);
    }
    // Those of data parallelism stand at no step of a network on one machine.
    const auto of_one_machine =
        std::ranges::count_if(mistakes(), [](const Mistake& one) { return !one.plant_in_rank; });
    CHECK(std::ssize(seen) == of_one_machine);
}

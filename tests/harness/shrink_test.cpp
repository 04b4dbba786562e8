// The smallest input on which a step is wrong, and how it is written down.
#include "harness/isolated/shrink.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cmath>
#include <ctime>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/change_network.h"
#include "base/json.h"
#include "base/parsed_json.h"
#include "base/text.h"
#include "documents/phrases.h"
#include "harness/hand_made.h"

using namespace byhand;
using test::FakeReferenceOperations;

namespace {

// y (n, V) ← z (n, V), Y (n), embcat (n, T·E): y[i, j] = z[i, j]², and at j = Y[i] the sum of embcat's row i more.
template <class T>
void right(T* y, const T* z, const std::int64_t* Y, const T* x, std::size_t n, std::size_t V, std::size_t K) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < V; ++j) {
            y[i * V + j] = z[i * V + j] * z[i * V + j];
        }
        for (std::size_t k = 0; k < K; ++k) {
            y[i * V + static_cast<std::size_t>(Y[i])] += x[i * K + k];
        }
    }
}

// y as the right function has made it, with what it was made of.
struct Made {
    float* y;
    const float* z;
    const std::int64_t* Y;
    const float* x;
    const NetworkConfig& network;
    std::size_t n, V, K;
};
using Spoil = std::function<void(const Made& made)>;

NetworkSize size_of(std::size_t rows, std::size_t V, std::size_t T, std::size_t E) {
    NetworkConfig config;
    config.vocabulary = V;
    config.context = T;
    config.embedding = E;
    test::set(config, &ShortForm::hidden, {3});
    config.norm.batch_divisor = config.norm.running_divisor = Divisor::n;
    return {config, rows};
}

Graph graph_of(const NetworkConfig& config, std::size_t rows) {
    const std::size_t V = config.vocabulary, K = config.context * config.embedding;
    Graph graph = test::empty_network();
    graph.config = config;
    graph.rows = rows;
    add(graph.forward, "embcat", {rows, K}, {"X"}, BYHAND_FUNCTION(test::nothing));
    add(graph.forward, "z", {rows, V}, {"X"}, BYHAND_FUNCTION(test::nothing));
    add(graph.forward, "y", {rows, V}, {"z", "Y", "embcat"}, BYHAND_FUNCTION(right), rows, V, K);
    graph.ranges["embcat"] = {.low = 0.5};
    return graph;
}

std::shared_ptr<const ReferenceOperations> operations_of(const NetworkConfig& config, std::size_t rows) {
    const std::size_t V = config.vocabulary, K = config.context * config.embedding;
    auto reference_operations = std::make_shared<FakeReferenceOperations>();
    reference_operations->add("y", {{"z", {rows, V}}, {"Y", {rows}}, {"embcat", {rows, K}}},
                              [rows, V, K](const std::vector<View>& values) {
                                  std::vector<double> y(rows * V);
                                  right(y.data(), test::numbers(values, "z").data(),
                                        static_cast<const std::int64_t*>(find(values, "Y")->data),
                                        test::numbers(values, "embcat").data(), rows, V, K);
                                  return y;
                              });
    return reference_operations;
}

const Form kForm{graph_of, operations_of};

Tensors<double> values_at(const NetworkSize& size) {
    const std::size_t n = size.rows, V = size.network.vocabulary, K = size.network.context * size.network.embedding;
    Tensors<double> values;
    std::vector<float> z(n * V), x(n * K);
    std::vector<std::int64_t> Y(n);
    for (std::size_t i = 0; i < z.size(); ++i) {
        z[i] = 0.3F + 0.0123F * static_cast<float>(i);
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = 1.7F + 0.0321F * static_cast<float>(i);
    }
    for (std::size_t i = 0; i < n; ++i) {
        Y[i] = static_cast<std::int64_t>((5 * i + 2) % V);
    }
    values.put({"z", {n, V}}, z);
    values.put({"embcat", {n, K}}, x);
    values.put({"Y", {n}}, Y);
    return values;
}

std::shared_ptr<const SmallestInput> shrunk(const Spoil& spoil, const Tensors<double>& values, const NetworkSize& size,
                                            std::size_t tries = 600) {
    const auto run = [&](const NetworkSize& at, const StepInput& input) {
        const std::size_t V = at.network.vocabulary, K = at.network.context * at.network.embedding;
        std::vector<float> y(at.rows * V);
        const auto floats = [&](const char* name) {
            const std::span<const double> numbers = (*input.values)[name];
            return std::vector<float>(numbers.begin(), numbers.end());
        };
        const std::vector<float> z = floats("z"), x = floats("embcat");
        const std::int64_t* Y = input.values->indices("Y").data();
        right(y.data(), z.data(), Y, x.data(), at.rows, V, K);
        spoil({y.data(), z.data(), Y, x.data(), at.network, at.rows, V, K});
        return StepResult{trial_against(std::span<const float>(y), input.exact, input.in_any_order),
                          {y.begin(), y.end()}};
    };
    return shrink("y", {"z", "Y", "embcat", "z"}, size, values, {.form = kForm, .run = run, .tries = tries});
}

constexpr std::size_t kRows = 11, kV = 7, kT = 3, kE = 4;

}  // namespace

TEST_CASE("shrink: of a row with a negative number nothing else stays, and that is −1") {
    const NetworkSize size = size_of(kRows, kV, kT, kE);
    Tensors<double> values = values_at(size);
    std::vector<double> z = values.copy_of("z");
    z[8 * kV + 5] = -12.375;
    values.put({"z", {kRows, kV}}, z);
    // Off where a number is below −1/2, and only in the column of that number.
    const Spoil spoil = [](const Made& made) {
        for (std::size_t i = 0; i < made.n * made.V; ++i) {
            made.y[i] = made.z[i] < -0.5F ? 0 : made.y[i];
        }
    };
    const auto smallest = shrunk(spoil, values, size);
    REQUIRE(smallest != nullptr);
    CHECK(smallest->size.rows == 1);
    CHECK(smallest->size.network.vocabulary == 2);
    CHECK(smallest->size.network.context == 1);
    CHECK(smallest->size.network.embedding == 1);
    CHECK(smallest->reads == std::vector<std::string>{"z", "Y", "embcat"});
    CHECK(std::ranges::count(smallest->values["z"], -1.0) == 1);
    CHECK(std::ranges::count(smallest->values["z"], 0.0) == 1);
    CHECK(smallest->values.copy_of("embcat") == std::vector<double>{1});  // 0 is out of its range
    CHECK(fails(smallest->made.trial.verdict));
    CHECK(smallest->made.numbers.size() == 2);
    CHECK(smallest->right.size() == 2);
}

TEST_CASE("shrink: an axis of two extents loses the same index of one of them everywhere") {
    // Off where the number at position 1, dimension 2 is the row's largest: kept are that position and dimension.
    const NetworkSize size = size_of(kRows, kV, kT, kE);
    Tensors<double> values = values_at(size);
    std::vector<double> x = values.copy_of("embcat");
    x[4 * kT * kE + 1 * kE + 2] = 1000;
    values.put({"embcat", {kRows, kT * kE}}, x);
    const Spoil spoil = [](const Made& made) {
        for (std::size_t i = 0; i < made.n; ++i) {
            const std::span row(made.x + i * made.K, made.K);
            if (std::ranges::any_of(row, [](float number) { return number > 500; })) {
                made.y[i * made.V + static_cast<std::size_t>(made.Y[i])] = 3;
            }
        }
    };
    const auto smallest = shrunk(spoil, values, size);
    REQUIRE(smallest != nullptr);
    CHECK(smallest->size.rows == 1);
    CHECK(smallest->values.copy_of("embcat") == std::vector<double>{1000});
    CHECK(smallest->values.indices("Y")[0] < 2);  // (4·5 + 2) mod 7 = 1 at first
    CHECK(smallest->made.trial.worst->ours == 3);
}

TEST_CASE("shrink: a class that occurs stays, and larger ones are counted anew") {
    const NetworkSize size = size_of(kRows, kV, 1, 1);
    // Off at the last class, whichever that is, where it is a target.
    const Spoil spoil = [](const Made& made) {
        for (std::size_t i = 0; i < made.n; ++i) {
            if (made.Y[i] == static_cast<std::int64_t>(made.V) - 1) {
                made.y[(i + 1) * made.V - 1] = 50;
            }
        }
    };
    const auto smallest = shrunk(spoil, values_at(size), size);
    REQUIRE(smallest != nullptr);
    CHECK(smallest->size.rows == 1);
    CHECK(smallest->size.network.vocabulary == 2);
    CHECK(smallest->values.indices("Y").size() == 1);
    CHECK(smallest->values.indices("Y")[0] == 1);
}

TEST_CASE("shrink: a remainder's smallest size is found, though no half of the first has it") {
    const NetworkSize size = size_of(29, kV, 1, 1);
    const Spoil spoil = [](const Made& made) {
        if (made.n % 4 == 1 && made.n > 1) {
            made.y[made.n * made.V - 1] = 500;
        }
    };
    const auto smallest = shrunk(spoil, values_at(size), size);
    REQUIRE(smallest != nullptr);
    CHECK(smallest->size.rows == 5);
}

TEST_CASE("shrink: a network that divides by n − 1 keeps two rows where a step depends on that") {
    NetworkSize size = size_of(kRows, kV, 1, 1);
    size.network.norm.batch_divisor = Divisor::n_minus_1;
    const Spoil depends = [](const Made& made) {
        made.y[0] = made.network.norm.batch_divisor == Divisor::n ? 600 : 500;
    };
    CHECK(shrunk(depends, values_at(size), size)->size.rows == 2);
    CHECK(shrunk([](const Made& made) { made.y[0] = 500; }, values_at(size), size)->size.rows == 1);
}

TEST_CASE("shrink: the last hidden layer of a tied network stays as wide as the embedding") {
    NetworkSize size = size_of(kRows, kV, kT, kE);
    test::set(size.network, &ShortForm::hidden, {5, kE});
    size.network.layers.back().tied = true;
    std::size_t runs = 0;
    const Spoil from_two = [&runs](const Made& made) {
        CHECK(test::widths(made.network).at(1) == made.network.embedding);
        ++runs;
        made.y[0] = made.network.embedding > 1 ? 500 : made.y[0];
    };
    const auto smallest = shrunk(from_two, values_at(size), size);
    REQUIRE(smallest != nullptr);
    CHECK(runs > 1);
    CHECK(smallest->size.network.embedding == 2);
    CHECK(test::widths(smallest->size.network) == std::vector<std::size_t>{1, 2});
    CHECK(smallest->values["embcat"].size() == 2);
}

TEST_CASE("shrink: without an error there is nothing to make small, and tries end") {
    const NetworkSize size = size_of(kRows, kV, kT, kE);
    CHECK(shrunk([](const Made&) {}, values_at(size), size) == nullptr);
    std::size_t runs = 0;
    const Spoil counted = [&runs](const Made& made) {
        ++runs;
        made.y[0] = 500;
    };
    const auto smallest = shrunk(counted, values_at(size), size, 7);
    REQUIRE(smallest != nullptr);
    CHECK(runs == 7);
    CHECK(fails(smallest->made.trial.verdict));
}

TEST_CASE("shrink: a plain error does not become one of rounding, nor one of another kind") {
    const NetworkSize size = size_of(kRows, kV, kT, kE);
    Tensors<double> values = values_at(size);
    std::vector<double> z = values.copy_of("z");
    z[3] = -12.375;
    values.put({"z", {kRows, kV}}, z);
    const Spoil spoil = [](const Made& made) {
        for (std::size_t i = 0; i < made.n * made.V; ++i) {
            made.y[i] *= made.z[i] < -10 ? 2 : made.z[i] < -0.5F ? 1.00001F : made.n < kRows / 2 ? std::nanf("") : 1;
        }
    };
    const auto smallest = shrunk(spoil, values, size);
    REQUIRE(smallest != nullptr);
    CHECK(smallest->made.trial.verdict == Verdict::mismatch);
    CHECK(std::ranges::min(smallest->values["z"]) < -10);
    CHECK(smallest->size.rows > kRows / 2 - 1);
}

TEST_CASE("shrink: a fault stays a fault, whatever its numbers are, and other faults on the way end nothing") {
    const NetworkSize size = size_of(kRows, kV, kT, kE);
    Tensors<double> values = values_at(size);
    values.put({"Y", {kRows}}, std::vector<std::int64_t>(kRows, 0));
    const auto with_note = [&](const std::function<void(Trial&, const NetworkSize&)>& judge) {
        const auto run = [&](const NetworkSize& at, const StepInput& input) {
            Trial trial = trial_against(std::span<const double>(input.exact), input.exact, input.in_any_order);
            trial.worst =
                Worst{.position = 0, .ours = 1 + 1e-7 * static_cast<double>(at.rows), .right = 1, .reference = {}};
            judge(trial, at);
            return StepResult{trial, input.exact};
        };
        return shrink("y", {"z", "Y", "embcat"}, size, values, {.form = kForm, .run = run});
    };
    // Its numbers are nearer to the right ones with fewer rows.
    const auto repeated = with_note([](Trial& trial, const NetworkSize&) {
        trial.verdict = Verdict::mismatch;
        trial.note = "gives different results for the same input";
    });
    REQUIRE(repeated != nullptr);
    CHECK(repeated->size.rows == 1);
    CHECK(repeated->size.network.vocabulary == 2);
    // A sum over the wrong axis: rows beyond the classes are not written; with fewer rows than classes it is a fault.
    const auto unwritten = with_note([](Trial& trial, const NetworkSize& at) {
        const bool is_outside = at.rows < at.network.vocabulary;
        trial.verdict = is_outside                        ? Verdict::mismatch
                        : at.rows > at.network.vocabulary ? Verdict::unwritten
                                                          : Verdict::within;
        trial.note = is_outside ? "accesses y(1), out of bounds" : "";
    });
    REQUIRE(unwritten != nullptr);
    CHECK(unwritten->size.rows == 3);
    CHECK(unwritten->size.network.vocabulary == 2);
}

TEST_CASE("shrink: the search ends when its CPU time is over, or five times as much time without any") {
    using std::chrono::milliseconds;
    const auto runs_with = [](const std::function<void()>& run_for_20_ms) {
        const NetworkSize size = size_of(kRows, kV, kT, kE);
        std::size_t runs = 0;
        const auto run = [&](const NetworkSize&, const StepInput& input) {
            ++runs;
            run_for_20_ms();
            Trial trial;
            trial.verdict = Verdict::mismatch;
            trial.worst = Worst{.position = 0, .ours = 500, .right = 1, .reference = {}};
            return StepResult{trial, input.exact};
        };
        REQUIRE(shrink("y", {"z", "Y", "embcat"}, size, values_at(size),
                       {.form = kForm, .run = run, .time = milliseconds(90)}) != nullptr);
        return runs;
    };
    CHECK(runs_with([] {
              for (const std::clock_t begin = std::clock(); std::clock() - begin < CLOCKS_PER_SEC / 50;) {
              }
          }) <= 6);
    const std::size_t sleeping = runs_with([] { std::this_thread::sleep_for(milliseconds(20)); });
    CHECK(sleeping > 6);
    CHECK(sleeping <= 24);
}

namespace {

SmallestInput written() {
    SmallestInput input{.makes = "dlogits.2",
                        .shape = {1, 3},
                        .reads = {"logits", "Y", "rate"},
                        .size = size_of(1, 3, 1, 1),
                        .values = {},
                        .made = {},
                        .right = {1, 0.25, 0}};
    input.values.put({"logits", {1, 3}}, std::vector<double>{-1, static_cast<double>(0.1F), 0x1p-149});
    input.values.put({"Y", {1}}, std::vector<std::int64_t>{2});
    input.values.put({"rate", {}}, std::vector<double>{-0.0});
    input.made = {{}, {1, 0, 0}};
    input.made.trial.verdict = Verdict::mismatch;
    input.made.trial.worst = Worst{.position = 1, .ours = 0, .right = 0.25, .reference = {}};
    return input;
}

}  // namespace

TEST_CASE("the smallest input as C++: every number to the bit, in floats and in doubles") {
    SmallestInput input = written();
    CHECK(report::as_code(input) ==
          std::vector<std::string>{
              "the smallest input found that shows it, with 1 row:", "const float logits[1][3] = {{-1, 0.1F, 1e-45F}};",
              "const std::int64_t Y[1] = {2};", "const float rate = -0.0F;  // dlogits_2[0][1] 0, expected 0.25"});
    input.made.trial.in_double = true;
    input.made.trial.worst->ours = 0.1;
    input.made.trial.worst->right = 1.0 / 3;
    const std::vector<std::string> in_double = report::as_code(input);
    CHECK(in_double[0] == "the smallest input found that shows it, with 1 row, in double:");
    CHECK(in_double[1] == "const double logits[1][3] = {{-1, 0.10000000149011612,");
    CHECK(in_double[2] == "    1.401298464324817e-45}};");
    REQUIRE(in_double.size() == 6);  // too wide for the end of a line
    CHECK(in_double[4] == "const double rate = -0.0;");
    CHECK(in_double[5] == "// dlogits_2[0][1] 0.10000000000000001, expected 0.33333333333333331");
    input.made.trial.in_double = false;
    input.made.trial.worst->ours = -std::numeric_limits<double>::quiet_NaN();
    CHECK(report::as_code(input)[3].ends_with("dlogits_2[0][1] nan, expected 0.333333333"));
    input.made.trial.in_double = true;
    input.made.trial.note = "reads h(3, 0), out of bounds: h is 3 × 1";
    CHECK(report::as_code(input).back() == "const double rate = -0.0;  // reads h(3, 0), out of bounds: h is 3 × 1");
    input.made.trial.note = "";
    input.made.trial.verdict = Verdict::unwritten;
    CHECK(report::as_code(input).back() == "const double rate = -0.0;  // dlogits_2[0][1] is not written");
}

TEST_CASE("the smallest input as C++: wide rows are broken between them, and it is small with few numbers or one row") {
    SmallestInput input = written();
    CHECK(report::is_small(input));
    input.values.put({"logits", {1, 14}}, std::vector<double>(14, 0.125));
    CHECK(report::is_small(input));
    input.size.rows = 2;
    CHECK_FALSE(report::is_small(input));
    input.values.put({"logits", {2, 3}}, std::vector<double>(6, 0.125));
    CHECK(report::is_small(input));  // 6, a class and a rate
    input.values.put({"logits", {60, 3}}, std::vector<double>(180, 0.125));
    CHECK_FALSE(report::is_small(input));
    input.size.rows = 1;
    CHECK_FALSE(report::is_small(input));
    const std::vector<std::string> lines = report::as_code(input);
    REQUIRE(lines.size() > 12);
    CHECK(lines[1].ends_with("},"));
    CHECK(lines[2].starts_with("    {0.125F, "));
    CHECK(std::ranges::all_of(lines, [](const std::string& line) { return line.size() < 78; }));
}

TEST_CASE("the smallest input as JSON: nested arrays by name, what was made and what is right") {
    const Json json = text::parsed_json(printed_json(report::json_of(written()), 1));
    CHECK(json["values"]["logits"][0][1].get<float>() == 0.1F);
    CHECK(json["values"]["Y"] == Json::array({2}));
    CHECK(json["values"]["rate"].get<float>() == 0);
    CHECK(json["made"][0][1] == 0.0);
    CHECK(json["right"][0][1] == 0.25);
    CHECK(json["index"] == Json({0, 1}));
    CHECK(json["rows"] == 1);
    CHECK(json["in_double"] == false);
    CHECK(json["note"].is_null());
}

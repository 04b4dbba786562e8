// Compared with tests/names/goldens.json, which scripts/make_goldens writes from PyTorch and CPython.
#include "names/random.h"

#include <algorithm>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <charconv>
#include <cmath>
#include <fstream>
#include <numeric>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "names/ulp.h"

namespace byhand {
namespace {

using byhand::Json;
using test::ulp_distance;
using text::parsed_json;

Json goldens() {
    std::ifstream in(BYHAND_NAMES_GOLDENS);
    REQUIRE(in);
    return parsed_json({std::istreambuf_iterator<char>(in), {}});
}

// Floats from their bit patterns, eight hex digits each.
std::vector<float> floats(const std::string& hex) {
    std::vector<float> values;
    for (std::size_t i = 0; i + 8 <= hex.size(); i += 8) {
        std::uint32_t bits = 0;
        std::from_chars(&hex[i], &hex[i] + 8, bits, 16);
        values.push_back(std::bit_cast<float>(bits));
    }
    return values;
}

// FNV-1a of 64-bit integers, low byte first.
template <class T>
std::uint64_t fnv(const std::vector<T>& values) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const T value : values) {
        for (int shift = 0; shift < 64; shift += 8) {
            hash = (hash ^ ((static_cast<std::uint64_t>(value) >> shift) & 0xff)) * 0x100000001b3;
        }
    }
    return hash;
}

void check_randn(TorchGenerator& g, const Json& call) {
    std::vector<float> values(call.at("n").get<std::size_t>());
    randn(g, values);
    const std::vector<float> expected = floats(call.at("bits").get<std::string>());
    REQUIRE(expected.size() == std::min(values.size(), std::size_t{100}));
    const std::size_t first = values.size() - expected.size();
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(first + i, values[first + i], expected[i]);
        if (values.size() < 16) {
            CHECK(std::bit_cast<std::uint32_t>(values[i]) == std::bit_cast<std::uint32_t>(expected[i]));
        } else {
            CHECK(ulp_distance(values[first + i], expected[i]) <= 4);
            CHECK(std::signbit(values[first + i]) == std::signbit(expected[i]));
        }
    }
}

void check_randint(TorchGenerator& g, const Json& call) {
    std::vector<std::int64_t> values(call.at("n").get<std::size_t>());
    randint(g, call.at("high").get<std::uint64_t>(), values);
    if (call.contains("values")) {
        CHECK(values == call.at("values").get<std::vector<std::int64_t>>());
    } else {
        CHECK(fnv(values) == call.at("fnv").get<std::uint64_t>());
    }
}

void check_multinomial(TorchGenerator& g, const Json& call, const Json& weights) {
    const std::vector<float> w = floats(weights.at(call.at("weights").get<std::string>()).get<std::string>());
    std::vector<std::size_t> values(call.at("n").get<std::size_t>());
    std::ranges::generate(values, [&] { return multinomial(g, w); });
    CHECK(values == call.at("values").get<std::vector<std::size_t>>());
}

// Seeded, or with all 624 words of the state equal.
TorchGenerator generator_of(const Json& one) {
    if (one.contains("seed")) {
        return torch_seeded(one.at("seed").get<std::uint64_t>());
    }
    std::stringstream state;  // as libstdc++ reads it: all words, and the index of the next
    for (std::size_t i = 0; i < std::mt19937::state_size; ++i) {
        state << one.at("word").get<std::uint32_t>() << ' ';
    }
    state << 1;
    TorchGenerator g;
    state >> g.bits;
    return g;
}

// Runs the cases in which any call is a `what`.
std::size_t check_torch_cases(const std::string& what, std::size_t fewest_calls, std::size_t most_calls) {
    const Json golden = goldens();
    std::size_t cases = 0;
    for (const Json& one : golden.at("torch")) {
        const Json& calls = one.at("calls");
        if (calls.size() < fewest_calls || calls.size() > most_calls || calls[0].at("call") != what) {
            continue;
        }
        ++cases;
        TorchGenerator g = generator_of(one);
        for (std::size_t i = 0; i < calls.size(); ++i) {
            CAPTURE(one, i, calls[i]);
            if (calls[i].at("call") == "randn") {
                check_randn(g, calls[i]);
            } else if (calls[i].at("call") == "randint") {
                check_randint(g, calls[i]);
            } else {
                check_multinomial(g, calls[i], golden.at("weights"));
            }
        }
    }
    return cases;
}

TEST_CASE("random: mt19937 yields the first outputs of the authors' code") {
    // mt19937ar.out: init_by_array of 0x123, 0x234, 0x345, 0x456.
    const std::vector<std::uint32_t> key{0x123, 0x234, 0x345, 0x456};
    std::mt19937 by_array = seeded_by_array(key);
    for (const std::uint32_t expected : {1067595299u, 955945823u, 477289528u, 4107218783u, 4228976476u}) {
        CHECK(by_array() == expected);
    }
}

TEST_CASE("random: a key longer than the state is used completely") {
    std::vector<std::uint32_t> key(700);
    std::iota(key.begin(), key.end(), 1u);
    const std::mt19937 whole = seeded_by_array(key);
    key.back() ^= 1;
    CHECK_FALSE(seeded_by_array(key) == whole);
}

TEST_CASE("random: randn is PyTorch's: to the bit below 16 values, within 4 ULP from there") {
    CHECK(check_torch_cases("randn", 1, 1) == 80);
}

TEST_CASE("random: randint is PyTorch's") {
    CHECK(check_torch_cases("randint", 2, 2) == 48);
}

TEST_CASE("random: multinomial of one draw is PyTorch's") {
    CHECK(check_torch_cases("multinomial", 1, 1) == 40);
}

TEST_CASE("random: calls of every kind on one generator follow each other as in PyTorch") {
    CHECK(check_torch_cases("randn", 2, 100) == 13);
}

TEST_CASE("random: drawing no values leaves the generator unchanged") {
    TorchGenerator g = torch_seeded(7);
    const TorchGenerator before = g;
    randn(g, {});
    randint(g, 5, {});
    CHECK(g == before);
}

TEST_CASE("random: a copy of a generator continues independently from the same state") {
    TorchGenerator g = torch_seeded(99);
    std::vector<float> one(5), other(5);
    randn(g, one);
    TorchGenerator copy = g;
    randn(g, one);
    randn(copy, other);
    CHECK(one == other);
    CHECK(g == copy);
    randn(g, one);
    CHECK_FALSE(g == copy);
}

TEST_CASE("random: the shuffle is CPython's") {
    const Json golden = goldens();
    std::set<std::uint64_t> seeds;
    for (const Json& one : golden.at("shuffles")) {
        CAPTURE(one.at("seed").get<std::uint64_t>(), one.at("n").get<std::size_t>());
        seeds.insert(one.at("seed").get<std::uint64_t>());
        PythonGenerator g = python_seeded(one.at("seed").get<std::uint64_t>());
        const std::vector<std::uint32_t> order = shuffled_order(g, one.at("n").get<std::size_t>());
        if (one.contains("order")) {
            CHECK(order == one.at("order").get<std::vector<std::uint32_t>>());
        } else {
            CHECK(fnv(order) == one.at("fnv").get<std::uint64_t>());
        }
    }
    CHECK(seeds == std::set<std::uint64_t>{0, 1, 42, 1ull << 32, (1ull << 40) + 7});
}

TEST_CASE("random: a shuffle of zero or one items draws nothing") {
    PythonGenerator g = python_seeded(5);
    const PythonGenerator before = g;
    CHECK(shuffled_order(g, 0).empty());
    CHECK(shuffled_order(g, 1) == std::vector<std::uint32_t>{0});
    CHECK(g == before);
}

TEST_CASE("random: goldens record their PyTorch, CPU and Python versions") {
    const Json golden = goldens();
    CHECK_FALSE(golden.at("torch_version").get<std::string>().empty());
    CHECK((golden.at("cpu_capability") == "AVX2" || golden.at("cpu_capability") == "AVX512"));
    CHECK_FALSE(golden.at("python_version").get<std::string>().empty());
}

}  // namespace
}  // namespace byhand

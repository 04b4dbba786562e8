// The fused step's embedding against the formulas of embedding.h: the same bits, on every vector type of this CPU, with
// positions of the context that lie in one panel and others that two panels share.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <span>
#include <vector>

#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/tests/fenced.h"
#include "fast/tests/targets.h"
#include "manual/embedding/formulas.h"
#include "manual/networks.h"

using namespace byhand;

namespace {

constexpr std::size_t kCharacters = 5, kRows = 7;

struct Size {
    std::size_t T, E;
};
constexpr Size kSizes[] = {{1, 1}, {3, 2}, {3, 10}, {2, 16}, {3, 17}, {2, 50}, {8, 64}};

template <class Visit>
void for_each_size(Visit visit) {
    targets::for_each([&] {
        std::mt19937 random(11);
        for (const auto& [T, E] : kSizes) {
            INFO("T " << T << ", E " << E);
            std::vector<std::int64_t> X(kRows * T);
            std::ranges::generate(X, [&] { return static_cast<std::int64_t>(random() % kCharacters); });
            visit(T, E, X, [&] { return networks::uniform(random, -1, 2); });
        }
    });
}

}  // namespace

TEST_CASE("kernels: the embedding lookup equals embedding.h's, and writes nothing else") {
    for_each_size([](std::size_t T, std::size_t E, const std::vector<std::int64_t>& X, auto draw) {
        fenced::Floats memory(kCharacters * E), out(kRows * padded(T * E));
        const std::span<float> C = memory.last(kCharacters * E);
        std::ranges::generate(C, draw);
        const std::span<float> embcat = out.last(kRows * padded(T * E));
        std::ranges::fill(embcat, 7.0F);
        simd::embedding_forward(embcat.data(), C.data(), X.data(), kRows, T, E, stretches_of(kRows, T, E));

        std::vector<float> rows(kRows * T * E), expected(embcat.size(), 7.0F);
        embedding_forward(rows.data(), C.data(), X.data(), kRows * T, E);
        for (const Panel& p : panels_of(T * E)) {  // to_panels, except the padding
            for (std::size_t i = 0; i < kRows; ++i) {
                std::copy_n(rows.data() + i * T * E + p.from, p.used,
                            in_panel(expected.data(), kRows, p) + i * p.width);
            }
        }
        CHECK(std::ranges::equal(embcat, expected));
    });
}

TEST_CASE("kernels: the embedding's gradient is that of embedding.h, to the bit") {
    for_each_size([](std::size_t T, std::size_t E, const std::vector<std::int64_t>& X, auto draw) {
        std::vector<float> demb(kRows * T * E), expected(kCharacters * E);
        std::ranges::generate(demb, draw);
        embedding_backward(expected.data(), demb.data(), X.data(), kRows * T, kCharacters, E);

        const PanelMatrix dembcat(demb.data(), kRows, T * E);
        fenced::Floats memory(kCharacters * E);
        const std::span<float> dC = memory.last(kCharacters * E);
        std::ranges::fill(dC, 0.0F);
        simd::embedding_backward(dC.data(), dembcat.data.data(), X.data(), {0, kRows}, T, E, stretches_of(kRows, T, E));
        CHECK(std::ranges::equal(dC, expected));
    });
}

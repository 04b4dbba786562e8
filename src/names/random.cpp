#include "names/random.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "base/memory.h"

namespace byhand {
namespace {

// The next 32 bits.
std::uint32_t draw(std::mt19937& bits) {
    return static_cast<std::uint32_t>(bits());
}

// A state of mt19937, as the sequence of seeds from which its constructor takes all words.
struct Words {
    using result_type = std::uint32_t;
    std::array<std::uint32_t, std::mt19937::state_size> words{};

    template <class Iterator>
    void generate(Iterator first, Iterator last) const {
        std::copy_n(words.begin(), last - first, first);
    }
};

// Uniform in [0, 1): the low 24 bits of a draw.
float uniform_float(std::mt19937& bits) {
    return static_cast<float>(draw(bits) & 0xffffffu) * 0x1p-24f;
}

// Uniform in [0, 1): the low 53 bits of two draws, the high word first.
double uniform_double(std::mt19937& bits) {
    const std::uint64_t high = draw(bits);
    const std::uint64_t word = high << 32 | draw(bits);
    return static_cast<double>(word & ((std::uint64_t{1} << 53) - 1)) * 0x1p-53;
}

// PyTorch adds the mean, 0, which turns −0 into 0.
float with_mean(double normal) {
    return static_cast<float>(normal + 0.0);
}

// Box–Muller in double: two uniforms yield two normals, of which the sine's is kept for the next call.
float one_normal(TorchGenerator& g) {
    if (g.next_normal) {
        return with_mean(*std::exchange(g.next_normal, std::nullopt));
    }
    const double theta = 2.0 * std::numbers::pi * uniform_double(g.bits);
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform_double(g.bits)));
    g.next_normal = radius * std::sin(theta);
    return with_mean(radius * std::cos(theta));
}

// 2π in float, the factor in PyTorch's AVX2 path.
constexpr float kTurn = static_cast<float>(2.0 * std::numbers::pi);
// π/2 as that path subtracts it from the angle: twice Cephes' three-part π/4, whose last part is a float. It differs
// from π/2 by 2e-15, which is visible where a cosine is 1e-8.
constexpr double kQuarter = 2.0 * (0.78515625 + 2.4187564849853515625e-4 + double{3.77489497744594108e-8f});

struct CosSin {
    double cos, sin;
};

// For an angle in [0, kTurn].
CosSin cos_sin(float angle) {
    const double quarters = std::round(angle / kQuarter);
    const double rest = angle - quarters * kQuarter;
    const double c = std::cos(rest);
    const double s = std::sin(rest);
    switch (static_cast<int>(quarters) % 4) {
        case 0:
            return {c, s};
        case 1:
            return {-s, c};
        case 2:
            return {-c, -s};
        default:
            return {s, -c};
    }
}

// 16 uniforms in [0, 1) become 16 normals: the first 8 determine the radii, the others the angles. Everything after the
// angle is in double and rounded once. PyTorch's radius, in float, is within 1.64·2^-24 of this one's, relatively, and
// its cosine and sine are within 1.97·2^-24, over all 2^24 uniforms: with its product rounded too, that is at most 4
// ULP.
void normals_of_16(std::span<float, 16> values) {
    for (std::size_t i = 0; i < 8; ++i) {
        const double radius = std::sqrt(-2.0 * std::log(1.0 - double{values[i]}));
        const CosSin of = cos_sin(kTurn * values[i + 8]);
        values[i] = with_mean(radius * of.cos);
        values[i + 8] = with_mean(radius * of.sin);
    }
}

void fill_uniform(std::mt19937& bits, std::span<float> out) {
    for (float& value : out) {
        value = uniform_float(bits);
    }
}

// random.Random._randbelow: k bits, drawn again until they are below n; k is the bit length of n, at most 32.
std::uint32_t below(PythonGenerator& g, std::uint32_t n) {
    const int unused = std::countl_zero(n);
    std::uint32_t value = draw(g.bits) >> unused;
    while (value >= n) {
        value = draw(g.bits) >> unused;
    }
    return value;
}

}  // namespace

std::mt19937 seeded_by_array(std::span<const std::uint32_t> key) {
    constexpr std::size_t n = std::mt19937::state_size;
    Words state;
    std::array<std::uint32_t, n>& words = state.words;
    words[0] = 19650218u;
    const auto before = [&](std::size_t i) { return words[i - 1] ^ (words[i - 1] >> 30); };
    for (std::size_t i = 1; i < n; ++i) {
        words[i] = 1812433253u * before(i) + static_cast<std::uint32_t>(i);
    }
    std::size_t i = 1;
    // Advances to the next word; the last is also the predecessor of the second.
    const auto advance = [&] {
        if (++i == n) {
            words[0] = words[n - 1];
            i = 1;
        }
    };
    for (std::size_t round = 0; round < std::max(n, key.size()); ++round) {
        const std::size_t k = round % key.size();
        words[i] = (words[i] ^ (before(i) * 1664525u)) + key[k] + static_cast<std::uint32_t>(k);
        advance();
    }
    for (std::size_t round = 1; round < n; ++round) {
        words[i] = (words[i] ^ (before(i) * 1566083941u)) - static_cast<std::uint32_t>(i);
        advance();
    }
    words[0] = 0x80000000u;
    return std::mt19937(state);
}

TorchGenerator torch_seeded(std::uint64_t seed) {
    return {.bits = std::mt19937(static_cast<std::uint32_t>(seed)), .next_normal = std::nullopt};
}

void randn(TorchGenerator& g, std::span<float> out) {
    if (out.size() < 16) {
        std::ranges::generate(out, [&] { return one_normal(g); });
        return;
    }
    fill_uniform(g.bits, out);
    for (std::size_t i = 0; i + 16 <= out.size(); i += 16) {
        normals_of_16(out.subspan(i).first<16>());
    }
    if (out.size() % 16 != 0) {  // the last 16 again, from new draws
        const std::span<float, 16> last = out.last<16>();
        fill_uniform(g.bits, last);
        normals_of_16(last);
    }
}

void randint(TorchGenerator& g, std::uint64_t high, std::span<std::int64_t> out) {
    const auto below_high = static_cast<std::uint32_t>(high);
    for (std::int64_t& value : out) {
        value = draw(g.bits) % below_high;
    }
}

// Exponential race: the index whose weight divided by an exponential draw is largest; the first of equal ones.
std::size_t multinomial(TorchGenerator& g, std::span<const float> weights) {
    std::size_t best = 0;
    float largest = -1;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const auto exponential = static_cast<float>(-std::log(1.0 - uniform_double(g.bits)));
        const float score = weights[i] / exponential;
        if (score > largest) {
            largest = score;
            best = i;
        }
    }
    return best;
}

PythonGenerator python_seeded(std::uint64_t seed) {
    const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
    return {seeded_by_array(std::span(key).first(key[1] == 0 ? 1 : 2))};
}

std::vector<std::uint32_t> shuffled_order(PythonGenerator& g, std::size_t n) {
    std::vector<std::uint32_t> order = populated<std::uint32_t>(n);
    order.resize(n);
    std::iota(order.begin(), order.end(), 0u);
    for (std::size_t i = n; i-- > 1;) {
        std::swap(order[i], order[below(g, static_cast<std::uint32_t>(i + 1))]);
    }
    return order;
}

}  // namespace byhand

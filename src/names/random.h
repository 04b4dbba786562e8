// The generators of PyTorch (CPU) and of CPython, reimplemented: same seed, same numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace byhand {

// init_by_array of the authors' code of mt19937 (Matsumoto and Nishimura, 1998). Precondition: the key is not empty.
std::mt19937 seeded_by_array(std::span<const std::uint32_t> key);

// torch.Generator() on the CPU: aten/src/ATen/CPUGeneratorImpl and core/DistributionsHelper.h.
struct TorchGenerator {
    std::mt19937 bits;
    std::optional<double> next_normal;  // the second of a pair of normals in double, kept for the next call

    bool operator==(const TorchGenerator&) const = default;
};

// Generator.manual_seed(seed). Only the low 32 bits of the seed are used, as in PyTorch.
TorchGenerator torch_seeded(std::uint64_t seed);

// torch.randn(out.size(), generator=g), float. Fewer than 16 values: to the bit. From 16 on: within 4 ULP of
// PyTorch's AVX2 path, and the same draws are consumed.
void randn(TorchGenerator& g, std::span<float> out);

// torch.randint(0, high, (out.size(),), generator=g), int64. Precondition: 0 < high < 2^28.
void randint(TorchGenerator& g, std::uint64_t high, std::span<std::int64_t> out);

// torch.multinomial(weights, 1, generator=g): one index, drawn with probability proportional to `weights` (at least
// one, each ≥ 0 and finite, not all 0).
std::size_t multinomial(TorchGenerator& g, std::span<const float> weights);

// random.Random of CPython: Modules/_randommodule.c and Lib/random.py.
struct PythonGenerator {
    std::mt19937 bits;

    bool operator==(const PythonGenerator&) const = default;
};

// random.seed(seed) with an int ≥ 0.
PythonGenerator python_seeded(std::uint64_t seed);

// random.shuffle(list(range(n))): the order of n items after a shuffle. Precondition: n < 2^32.
std::vector<std::uint32_t> shuffled_order(PythonGenerator& g, std::size_t n);

}  // namespace byhand

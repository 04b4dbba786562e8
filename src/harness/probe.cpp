#include "harness/probe.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

namespace byhand {
namespace {

// The same on every machine: the library's distributions need not be.
float uniform(std::uint64_t bits) {
    return static_cast<float>(bits >> 40) * 0x1p-24F;  // [0, 1), by the upper 24
}

bool is_finite(const std::vector<double>& values) {
    return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

Values draw(const std::vector<TensorSpec>& specs, const std::set<std::string>& positive, std::size_t vocabulary,
            std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    Values values;
    for (const TensorSpec& spec : specs) {
        if (spec.name == "X" || spec.name == "Y") {
            std::vector<std::int64_t> indices(count(spec.shape));
            for (std::int64_t& index : indices) {
                index = static_cast<std::int64_t>(generator() % vocabulary);
            }
            values.put(spec, std::move(indices));
            continue;
        }
        std::vector<float> numbers(count(spec.shape));
        for (float& number : numbers) {
            const std::uint64_t bits = generator();
            const float magnitude = 1.0F / 16 + 15.0F / 16 * uniform(bits);
            const bool negative = bits % 2 == 1;
            number = negative && !positive.contains(spec.name) ? -magnitude : magnitude;
        }
        values.put(spec, std::move(numbers));
    }
    return values;
}

}  // namespace

Values probe_values(const Answers& answers, const std::string& name, const std::vector<TensorSpec>& also,
                    std::size_t vocabulary, std::uint64_t seed) {
    std::vector<TensorSpec> specs = answers.reads(name);
    for (const TensorSpec& spec : also) {
        if (std::ranges::none_of(specs, [&](const TensorSpec& known) { return known.name == spec.name; })) {
            specs.push_back(spec);
        }
    }
    const auto finite_with = [&](const std::set<std::string>& positive) {
        return is_finite(answers.answer(name, draw(specs, positive, vocabulary, seed).views()));
    };
    if (finite_with({})) {
        return draw(specs, {}, vocabulary, seed);
    }
    std::set<std::string> all;
    for (const TensorSpec& spec : answers.reads(name)) {
        if (finite_with({spec.name})) {
            return draw(specs, {spec.name}, vocabulary, seed);
        }
        all.insert(spec.name);
    }
    return draw(specs, all, vocabulary, seed);
}

}  // namespace byhand

#include "library/kernel_inputs.h"

#include "base/mixed.h"

namespace byhand {

std::vector<Draw> draws_of(const std::vector<std::string>& names) {
    std::vector<Draw> all;
    for (const Drawn how : {Drawn::random, Drawn::small, Drawn::large, Drawn::minute, Drawn::vast, Drawn::spread,
                            Drawn::close, Drawn::special, Drawn::rows, Drawn::columns}) {
        all.push_back({.how = how});
    }
    if (names.size() > 1) {
        for (const std::string& name : names) {
            for (const Drawn how : {Drawn::large, Drawn::close, Drawn::special, Drawn::rows, Drawn::columns}) {
                all.push_back({.how = how, .only = name});
            }
        }
    }
    return all;
}

const char* describe_integers(std::size_t trial) {
    constexpr const char* kKinds[kKindsOfIntegers] = {"", ", every integer in turn", ", the smallest integer only",
                                                      ", the largest integer only"};
    return kKinds[trial % kKindsOfIntegers];
}

std::vector<std::int64_t> integers_of(std::size_t elements, std::int64_t low, std::int64_t high, std::size_t trial,
                                      std::uint64_t seed) {
    const std::uint64_t all = static_cast<std::uint64_t>(high - low) + 1;
    std::vector<std::int64_t> integers(elements);
    for (std::size_t i = 0; i < elements; ++i) {
        const std::uint64_t which[] = {mixed(seed + i) % all, (trial / kKindsOfIntegers * elements + i) % all, 0,
                                       all - 1};
        integers[i] = low + static_cast<std::int64_t>(which[trial % kKindsOfIntegers]);
    }
    return integers;
}

}  // namespace byhand

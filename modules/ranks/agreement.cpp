#include "ranks/agreement.h"

#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/hash.h"

namespace byhand::distributed {

std::vector<Fact> facts_of(const Tensors<float>& state) {
    std::vector<Fact> facts;
    for (const TensorSpec& spec : state.table()) {
        facts.push_back({spec.name, hash_of_bytes(std::as_bytes(state[spec.name]))});
    }
    return facts;
}

namespace {

// The first rank whose fact of the same place differs from that of rank 0, and that place. All give equally many.
std::optional<std::pair<std::size_t, std::size_t>> disagreement(Group& group, const std::vector<std::uint64_t>& facts) {
    const std::vector<std::uint64_t> all = gathered(group, std::span(facts));
    for (std::size_t rank = 1; rank < group.size(); ++rank) {
        for (std::size_t i = 0; i < facts.size(); ++i) {
            if (all[i] != all[rank * facts.size() + i]) {
                return std::pair(rank, i);
            }
        }
    }
    return std::nullopt;
}

}  // namespace

void check_agreement(Group& group, const std::vector<Fact>& facts, const std::string& before,
                     const std::string& after) {
    std::string names;
    std::vector<std::uint64_t> hashes;
    for (const Fact& fact : facts) {
        names += fact.name + '\n';
        hashes.push_back(fact.hash);
    }
    if (const auto other = disagreement(group, {hash_of(names)})) {
        throw InputError(before + "rank " + std::to_string(other->first) +
                         " has another command or network than rank 0" + after);
    }
    if (const auto other = disagreement(group, hashes)) {
        throw InputError(before + "rank " + std::to_string(other->first) + " has another " + facts[other->second].name +
                         " than rank 0" + after);
    }
}

}  // namespace byhand::distributed

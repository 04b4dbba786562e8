// Checks that all ranks have the same inputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/group.h"
#include "base/tensors.h"

namespace byhand::distributed {

// By its hash.
struct Fact {
    std::string name;
    std::uint64_t hash = 0;
};
// Each tensor.
std::vector<Fact> facts_of(const Tensors<float>& state);

// Throws InputError if a rank's facts differ from those of rank 0; it names the first such rank and its first such
// fact, between `before` and `after`.
void check_agreement(Group& group, const std::vector<Fact>& facts, const std::string& before = "",
                     const std::string& after = ": start all ranks alike");

}  // namespace byhand::distributed

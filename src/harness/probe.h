// Random values for a question: real data obey identities that hide mistakes, these obey none.
#pragma once

#include <cstdint>
#include <string>

#include "base/answers.h"
#include "harness/values.h"

namespace byhand {

// Values for all that the answer to `name` reads and for `also`: magnitudes from 1/16 to 1 with random signs, positive
// where the answer would not be finite otherwise (a logarithm, a root); indices below the vocabulary.
Values probe_values(const Answers& answers, const std::string& name, const std::vector<TensorSpec>& also,
                    std::size_t vocabulary, std::uint64_t seed);

}  // namespace byhand

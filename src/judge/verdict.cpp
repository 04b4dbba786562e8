#include "byhand/verdict.h"

#include <algorithm>
#include <cstddef>

namespace byhand {

std::string to_string(Verdict verdict) {
    constexpr std::array kNames = {
        "exact",     "within",  "zero within rounding", "mismatch",  "less accurate", "non-finite", "shape", "missing",
        "unwritten", "vacuous", "out-of-range",         "undecided", "not-given"};
    static_assert(kNames.size() == static_cast<std::size_t>(Verdict::not_given) + 1);
    return kNames.at(static_cast<std::size_t>(verdict));
}

bool agrees(Verdict verdict) {
    return verdict == Verdict::exact || verdict == Verdict::within || verdict == Verdict::zero_within_rounding;
}

bool contradicts(Verdict verdict) {
    return !agrees(verdict) && verdict != Verdict::undecided && verdict != Verdict::not_given;
}

bool shows_nothing(Verdict verdict) {
    return std::ranges::find(kShowNothing, verdict) != kShowNothing.end();
}

bool fails(Verdict verdict) {
    return contradicts(verdict) && !shows_nothing(verdict);
}

}  // namespace byhand

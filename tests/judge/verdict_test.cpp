#include "byhand/verdict.h"

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <utility>

#include "judge/finding.h"

using namespace byhand;
using enum Verdict;

namespace {

// Properties of each: agreement, contradiction, inconclusive, evidence of a mistake.
struct Meaning {
    Verdict verdict;
    const char* name;
    bool agrees, contradicts, shows_nothing, fails;
};
constexpr std::array kMeanings = {
    Meaning{exact, "exact", true, false, false, false},
    Meaning{within, "within", true, false, false, false},
    Meaning{zero_within_rounding, "zero within rounding", true, false, false, false},
    Meaning{mismatch, "mismatch", false, true, false, true},
    Meaning{less_accurate, "less accurate", false, true, false, true},
    Meaning{non_finite, "non-finite", false, true, false, true},
    Meaning{shape, "shape", false, true, false, true},
    Meaning{missing, "missing", false, true, false, true},
    Meaning{unwritten, "unwritten", false, true, false, true},
    Meaning{vacuous, "vacuous", false, true, true, false},
    Meaning{out_of_range, "out-of-range", false, true, true, false},
    Meaning{undecided, "undecided", false, false, false, false},
    Meaning{not_given, "not-given", false, false, false, false},
};

}  // namespace

TEST_CASE("verdicts: their names and properties") {
    for (const Meaning& meaning : kMeanings) {
        INFO(meaning.name);
        CHECK(to_string(meaning.verdict) == meaning.name);
        CHECK(agrees(meaning.verdict) == meaning.agrees);
        CHECK(contradicts(meaning.verdict) == meaning.contradicts);
        CHECK(shows_nothing(meaning.verdict) == meaning.shows_nothing);
        CHECK(fails(meaning.verdict) == meaning.fails);
    }
}

TEST_CASE("verdicts: a tensor that was not judged does not agree") {
    CHECK_FALSE(agrees(Finding{}.verdict));
}

// The shipped names, and those of the makemore lectures if BYHAND_MAKEMORE_NAMES is their path.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdlib>
#include <set>
#include <string>

#include "names/dataset.h"
#include "names/names_file.h"
#include "names/vocabulary.h"

namespace byhand {
namespace {

// In percent of the names of a part.
double share_also_in(const Names& names, const Names& others) {
    return 100.0 * static_cast<double>(also_in(names, others)) / static_cast<double>(names.size());
}

TEST_CASE("real names: data/names.txt contains 30,294 distinct names of the letters a to z") {
    const NamesFile file = read_names(BYHAND_NAMES_FILE);
    CHECK(file.names.size() == 30294);
    CHECK(std::set(file.names.begin(), file.names.end()).size() == 30294);
    CHECK(remarks(file).empty());
    CHECK(file.names.front() == U"emma");
    CHECK(file.names.back() == U"zylyn");
    CHECK(vocabulary_of(file.names).characters == U".abcdefghijklmnopqrstuvwxyz");
}

TEST_CASE("real names: bigram counts reach 2.452 on the validation part of data/names.txt") {
    const NamesFile file = read_names(BYHAND_NAMES_FILE);
    const Vocabulary vocabulary = vocabulary_of(file.names);
    const Split split = split_names(file.names, 42, 0.8, 0.9);
    CHECK(bigram_loss(split.val, split.train, vocabulary) == Catch::Approx(2.452).margin(0.001));
    CHECK(also_in(split.val, split.train) == 0);
}

TEST_CASE("real names: the names of the makemore lectures split as in the lectures") {
    const char* path = std::getenv("BYHAND_MAKEMORE_NAMES");
    if (path == nullptr) {
        SKIP("BYHAND_MAKEMORE_NAMES is not set");
    }
    const NamesFile file = read_names(path);
    CHECK(file.names.size() == 32033);
    CHECK(std::set(file.names.begin(), file.names.end()).size() == 29494);
    CHECK(file.last_newline_missing);
    const Vocabulary vocabulary = vocabulary_of(file.names);
    CHECK(vocabulary.characters == U".abcdefghijklmnopqrstuvwxyz");

    const Split split = split_names(file.names, 42, 0.8, 0.9);
    CHECK(examples_of(split.train, vocabulary, 3).size() == 182625);
    CHECK(examples_of(split.val, vocabulary, 3).size() == 22655);
    CHECK(examples_of(split.test, vocabulary, 3).size() == 22866);
    CHECK(std::round(10 * share_also_in(split.val, split.train)) == 132);   // 13.2 %
    CHECK(std::round(10 * share_also_in(split.test, split.train)) == 118);  // 11.8 %

    // Counted with PyTorch in double. Part 1 of the lectures prints 2.45436: it sums 228,146 terms in float.
    CHECK(bigram_loss(file.names, file.names, vocabulary) == Catch::Approx(2.454576820115704).epsilon(1e-12));
}

}  // namespace
}  // namespace byhand

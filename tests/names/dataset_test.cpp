#include "names/dataset.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/message_of.h"

namespace byhand {
namespace {

// Each example as the lectures print it: "..e m".
std::vector<std::string> shown(const Examples& examples, const Vocabulary& vocabulary) {
    std::vector<std::string> rows;
    const auto character = [&](std::int64_t index) {
        return vocabulary.characters.at(static_cast<std::size_t>(index));
    };
    const ExampleRows all = examples.all();
    for (std::size_t i = 0; i < examples.size(); ++i) {
        std::u32string row;
        for (std::size_t t = 0; t < examples.context; ++t) {
            row += character(all.X.at(i * examples.context + t));
        }
        rows.push_back(to_utf8(row + U' ' + character(all.Y.at(i))));
    }
    return rows;
}

TEST_CASE("dataset: emma yields five examples, as in the lectures") {
    const Names names{U"emma"};
    const Vocabulary v = vocabulary_of(names);
    const Examples examples = examples_of(names, v, 3);
    CHECK(shown(examples, v) == std::vector<std::string>{"... e", "..e m", ".em m", "emm a", "mma ."});
    CHECK(examples.all().X == std::vector<std::int64_t>{0, 0, 0, 0, 0, 2, 0, 2, 3, 2, 3, 3, 3, 3, 1});
    CHECK(examples.all().Y == std::vector<std::int64_t>{2, 3, 3, 1, 0});
}

TEST_CASE("dataset: contexts of one character and of more than a name has; each name starts anew") {
    const Names names{U"ab", U"é"};
    const Vocabulary v = vocabulary_of(names);
    CHECK(shown(examples_of(names, v, 1), v) == std::vector<std::string>{". a", "a b", "b .", ". é", "é ."});
    CHECK(shown(examples_of(names, v, 5), v) ==
          std::vector<std::string>{"..... a", "....a b", "...ab .", "..... é", "....é ."});
    CHECK(examples_of({}, v, 3).size() == 0);
}

TEST_CASE("dataset: rows are consecutive examples, and so are the first ones") {
    const Names names{U"emma", U"ava"};
    const Vocabulary v = vocabulary_of(names);
    const Examples examples = examples_of(names, v, 3);
    const ExampleRows all = examples.all(), rows = examples.rows(2, 7);
    CHECK(rows.X == std::vector(all.X.begin() + 2 * 3, all.X.end()));
    CHECK(rows.Y == std::vector(all.Y.begin() + 2, all.Y.end()));
    CHECK(rows.view().rows == 7);
    CHECK(examples.rows(examples.size(), 0).view().rows == 0);
    CHECK(shown(examples.first(6), v) ==
          std::vector<std::string>{"... e", "..e m", ".em m", "emm a", "mma .", "... a"});
    CHECK(examples.first(100).size() == 9);
    CHECK(Examples{.context = 3}.first(2).size() == 0);
}

TEST_CASE("dataset: the split shuffles as CPython and cuts at int(0.8 n) and int(0.9 n)") {
    // python3: names = list("abcdefghijk"); random.seed(42); random.shuffle(names); n = 11: cuts 8 and 9.
    Names names;
    for (const char32_t& c : std::u32string_view(U"abcdefghijk")) {
        names.emplace_back(&c, 1);
    }
    const Split split = split_names(names, 42, 0.8, 0.9);
    CHECK(split.train == Names{U"h", U"d", U"c", U"i", U"f", U"g", U"j", U"e"});
    CHECK(split.val == Names{U"a"});
    CHECK(split.test == Names{U"b", U"k"});
}

TEST_CASE("dataset: the cuts are int() of a product in double") {
    // 0.29 · 100 is 28.999999999999996 in double.
    const Split split = split_names(Names(100, U"x"), 0, 0.29, 0.58);
    CHECK(split.train.size() == 28);
    CHECK(split.val.size() == 29);  // int(0.58 · 100) = 57
    CHECK(split.test.size() == 43);
}

TEST_CASE("dataset: too few names to split are refused") {
    for (const std::size_t n : {0, 1, 2, 3, 4, 5}) {
        CHECK_THROWS_AS(split_names(Names(n, U"x"), 1, 0.8, 0.9), InputError);
    }
    for (const std::size_t n : {6, 7, 8, 9, 10}) {
        CHECK_NOTHROW(split_names(Names(n, U"x"), 1, 0.8, 0.9));
    }
    CHECK_THROWS_AS(split_names(Names(50, U"x"), 1, 0.8, 1.0), InputError);
    CHECK_THROWS_AS(split_names(Names(50, U"x"), 1, 0.5, 0.5), InputError);
    CHECK_THROWS_AS(split_names(Names(50, U"x"), 1, 0.0, 0.5), InputError);
    CHECK(test::message_of([] { split_names(Names(3, U"x"), 1, 0.8, 0.9, "a\x1b.txt"); }) ==
          "a\\x1b.txt: too few names to split: of 3, 2 are for training, 0 for validation and 1 for the test; give "
          "more names");
}

TEST_CASE("dataset: names that also occur elsewhere are counted with duplicates") {
    CHECK(also_in({U"ann", U"bob", U"ann", U"cy"}, {U"ann", U"dee", U"cy", U"cy"}) == 3);
    CHECK(also_in({U"ann"}, {U"anna", U"an"}) == 0);
    CHECK(also_in({}, {U"ann"}) == 0);
    CHECK(also_in({U"ann"}, {}) == 0);
}

TEST_CASE("dataset: the bigram loss of a table worked out by hand") {
    // Training "ab" and "a": .a twice, ab, b. and a. once; V = 3, so 3 is added below and 1 above.
    const Names train{U"ab", U"a"};
    const Vocabulary v = vocabulary_of(train);
    // "a": P(a|.) = 3/5, P(.|a) = 2/5.
    CHECK(bigram_loss({U"a"}, train, v) == Catch::Approx((std::log(5.0 / 3) + std::log(5.0 / 2)) / 2).epsilon(1e-14));
    // "bb": P(b|.) = 1/5, P(b|b) = 1/4, P(.|b) = 2/4.
    CHECK(bigram_loss({U"bb"}, train, v) ==
          Catch::Approx((std::log(5) + std::log(4) + std::log(2)) / 3).epsilon(1e-14));
    // Both: the mean is over characters, not over names.
    CHECK(bigram_loss({U"a", U"bb"}, train, v) ==
          Catch::Approx((std::log(25.0 / 6) + std::log(40.0)) / 5).epsilon(1e-14));
    // Without counts: all V characters are equally likely.
    CHECK(bigram_loss({U"ab"}, {}, v) == Catch::Approx(std::log(3)).epsilon(1e-14));
}

TEST_CASE("dataset: a batch contains the rows that randint draws, with duplicates") {
    const Names names{U"emma", U"ava"};
    const Examples examples = examples_of(names, vocabulary_of(names), 3);
    DrawnBatch batch(13, 3);  // more rows than examples
    TorchGenerator g = torch_seeded(2147483647), same = g;
    std::vector<std::int64_t> rows(13);
    for (int step = 0; step < 3; ++step) {
        draw_batch(batch, examples, g);
        randint(same, 9, rows);
        CHECK(batch.rows == rows);
        CHECK(g == same);
        CHECK(batch.view().rows == 13);
        CHECK(batch.view().X == batch.X.data());
        CHECK(batch.view().Y == batch.Y.data());
        for (std::size_t i = 0; i < 13; ++i) {
            const ExampleRows row = examples.rows(static_cast<std::size_t>(rows[i]), 1);
            CHECK(row.X == std::vector(&batch.X[i * 3], &batch.X[i * 3] + 3));
            CHECK(row.Y.front() == batch.Y[i]);
        }
    }
}

}  // namespace
}  // namespace byhand

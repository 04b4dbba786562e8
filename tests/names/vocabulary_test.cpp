#include "names/vocabulary.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace byhand {
namespace {

TEST_CASE("vocabulary: '.' and then the sorted characters, each once") {
    const Vocabulary v = vocabulary_of({U"emma", U"ava", U"zoe"});
    CHECK(v.characters == U".aemovz");
    CHECK(v.size() == 7);
    for (std::size_t i = 0; i < v.size(); ++i) {
        CHECK(v.index(v.characters[i]) == static_cast<std::int64_t>(i));
    }
}

TEST_CASE("vocabulary: '.' is first although other characters sort before it") {
    const Vocabulary v = vocabulary_of({U"o'neil-b c"});
    CHECK(v.characters == U". '-bceilno");
    CHECK(v.index(U'.') == 0);
    CHECK(v.index(U' ') == 1);
    CHECK(v.index(U'\'') == 2);
    CHECK(v.index(U'-') == 3);
    CHECK(v.index(U'o') == 10);
}

TEST_CASE("vocabulary: characters are code points, in any alphabet") {
    const Vocabulary v = vocabulary_of({U"zoë", U"жанна", U"太郎", U"😀e"});
    CHECK(v.characters == U".eozëажн太郎😀");
    CHECK(v.index(U'ë') == 4);
    CHECK(v.index(U'😀') == 10);
}

TEST_CASE("vocabulary: an unknown character has the index -1") {
    const Vocabulary v = vocabulary_of({U"bd"});
    for (const char32_t c : {U'a', U'c', U'e', U'B', U'\u0100', U'\0'}) {
        CHECK(v.index(c) == -1);
    }
    const Vocabulary none;
    CHECK(none.size() == 1);
    CHECK(none.index(U'.') == 0);
    CHECK(none.index(U'a') == -1);
    CHECK(vocabulary_of({}) == none);
}

}  // namespace
}  // namespace byhand

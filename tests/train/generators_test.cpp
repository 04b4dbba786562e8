#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "train/saved_model.h"

using namespace byhand;

TEST_CASE("generators: the text is the whole generator, in any state") {
    for (const std::size_t draws : {0U, 1U, 3U, 623U, 624U, 700U}) {
        CAPTURE(draws);
        TorchGenerator torch = torch_seeded(7);
        PythonGenerator python = python_seeded(7);
        for (std::size_t i = 0; i < draws; ++i) {
            torch.bits();
            python.bits();
        }
        CHECK(torch_from_text(to_text(torch)) == torch);
        CHECK(python_from_text(to_text(python)) == python);
        std::vector<float> one(1);
        randn(torch, one);  // stores the second of a pair
        REQUIRE(torch.next_normal);
        CHECK(torch_from_text(to_text(torch)) == torch);
    }
}

// init_genrand(5489), the authors' default: the first word is the seed, the second 1812433253·(s ^ s >> 30) + 1 mod
// 2³².
TEST_CASE("generators: words are hexadecimal in the text, the index of the next decimal") {
    const std::string text = to_text(torch_seeded(5489));
    CHECK(text.substr(0, 16) ==
          "00001571"
          "4d98ee96");
    CHECK(text.substr(624 * 8) == " 624 none");
}

TEST_CASE("generators: malformed text is refused") {
    const std::string torch = to_text(torch_seeded(1)), python = to_text(python_seeded(1));
    const std::string words = python.substr(0, 624 * 8);
    for (const std::string& text :
         {std::string(), std::string("624"), words, words + " ", words + " 625", words + " -1", words + " 6 24",
          words.substr(1) + " 624", "+" + words.substr(1) + " 624", "g" + words.substr(1) + " 624",
          words + " 99999999999999999999", torch}) {
        CAPTURE(text);
        CHECK_FALSE(python_from_text(text));
    }
    for (const std::string& text : {std::string(), python, python + " ", python + " None", python + " 0",
                                    python + " 00000000000000000", python + " -000000000000000"}) {
        CAPTURE(text);
        CHECK_FALSE(torch_from_text(text));
    }
}

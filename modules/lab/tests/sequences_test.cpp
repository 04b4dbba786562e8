#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "lab/padding/padding.h"

using byhand::InputError;
using byhand::lab::read_sequences;
using byhand::lab::SequenceBatch;
using Catch::Matchers::Message;

TEST_CASE("sequences: rows below one another, each sequence padded to the longest") {
    const SequenceBatch batch = read_sequences("Hi 1 2\n\n\n-3.5, 4e-1\npad\nnan_ku\t5,6\n", "f");
    CHECK(batch.sequences == 2);
    CHECK(batch.length == 3);
    CHECK(batch.width == 2);
    CHECK(batch.rows() == 6);
    CHECK(batch.words == std::vector<std::string>{"Hi", "pad", "pad", "2.1", "pad", "nan_ku"});
    CHECK(batch.mask == std::vector<unsigned char>{1, 0, 0, 1, 0, 1});
    CHECK(batch.x == std::vector<double>{1, 2, 0, 0, 0, 0, -3.5, 0.4, 0, 0, 5, 6});
}

TEST_CASE("sequences: a byte order mark, CR LF, a row of zeros that is none of padding, padding before the first row") {
    const SequenceBatch batch = read_sequences("\xef\xbb\xbfpad\r\n0 0 0\r\n \t\r\nÉ 1,2 , 3", "f");
    CHECK(batch.words == std::vector<std::string>{"pad", "1.2", "É", "pad"});
    CHECK(batch.mask == std::vector<unsigned char>{0, 1, 1, 0});
    CHECK(batch.x == std::vector<double>{0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0});
}

TEST_CASE("sequences: what can't be read is refused with its line") {
    const auto refused = [](const std::string& text, const std::string& why) {
        INFO(text.substr(0, 100));
        CHECK_THROWS_MATCHES(read_sequences(text, "a\nb"), InputError, Message("a\\x0ab" + why));
    };
    refused("", ": no row of numbers; give a row a line, and an empty line between sequences");
    refused("pad\npad\n", ": no row of numbers; give a row a line, and an empty line between sequences");
    refused("1 2\npad\n", ": one row of numbers, and a deviation takes two; give more");
    refused("1 2\n\nx 3\n", ":3: numbers: 1, where line 1 has 2; give every row as many");
    refused("1 2\n3 4x\n", ":2: \"4x\" is not a number; write one like -1.5 or 2e3");
    refused("1 2\n3x 4\n", ":2: \"3x\" is not a number; write one like -1.5 or 2e3");
    refused("a b 4\n", ":1: \"b\" is not a number; write one like -1.5 or 2e3");
    refused("+5 4\n", ":1: \"+5\" is not a number; write one like -1.5 or 2e3");
    const std::string range = " is out of range; write 0, or a number between 1e-300 and 1e9 in size";
    for (const char* number : {"nan", "-inf", "1.1e9", "1e400", "1e-400"}) {
        refused(number + std::string(" 2\n"), ":1: \"" + std::string(number) + "\"" + range);
    }
    refused("Hi\n", ":1: \"Hi\" has no numbers after it; write them, or pad for a row of padding");
    refused("1\npad 0\n", ":2: a row of padding is zeros and has no numbers of its own; write pad alone");
    refused(",1\n", ":1: a comma with no number before it; write the number");
    refused("1,,2\n", ":1: a comma with no number before it; write the number");
    refused("1,2,\n", ":1: a comma with no number after it; write the number, or take the comma out");
    refused("1\n2\x1b[31m\n", ":2: byte 2 is a control character (\\x1b); take it out");
    refused("1\nH\xff 2\n", ":2: byte 2 is not UTF-8; save the file as UTF-8");
    refused(std::string(65, 'w') + " 1\n",
            ":1: the word \"" + std::string(40, 'w') + "…\" is longer than 64 bytes; shorten it");
}

TEST_CASE("sequences: as many numbers as a batch may hold, and no more") {
    std::string rows;
    for (int i = 0; i < 50'000; ++i) {
        rows += "1 2\n";
    }
    CHECK(read_sequences(rows, "f").rows() == 50'000);
    CHECK_THROWS_MATCHES(read_sequences(rows + "3 4\n", "f"), InputError,
                         Message("f:50001: more than 100000 numbers; give fewer or shorter sequences"));
    // One long sequence, and many of one row, that padding makes as long.
    std::string few = "\n";
    for (int i = 0; i < 400; ++i) {
        few += "5\n\n";
    }
    for (int i = 0; i < 300; ++i) {
        few += "6\n";
    }
    CHECK_THROWS_MATCHES(read_sequences(few, "f"), InputError,
                         Message("f: 401 sequences, padded to 300 rows of 1 numbers each, are more than 100000 "
                                 "numbers; give fewer or shorter ones"));
}

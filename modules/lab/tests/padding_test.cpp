#include "lab/padding/padding.h"

#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "lab/tests/read.h"

using namespace byhand::lab;
using byhand::Document;
using Catch::Matchers::Message;
using Catch::Matchers::WithinAbs;

namespace {

Document of(const std::string& text, double epsilon = 1e-5) {
    return padding({.file = {.path = "f", .text = text}, .epsilon = epsilon}, {.setting = lab_test::setting()});
}

double number(const byhand::Json& list, std::size_t i) {
    return list.at(i).get<double>();
}

}  // namespace

TEST_CASE("padding: note 3's own figures") {
    const byhand::Json document = lab_test::read(padding({}, {.setting = lab_test::setting()}));
    // 31.21 over 8 rows, and over 6.
    CHECK_THAT(number(document.at("mean_padded"), 0), WithinAbs(31.21 / 8, 1e-12));
    CHECK_THAT(number(document.at("mean_masked"), 0), WithinAbs(31.21 / 6, 1e-12));
    const byhand::Json& how = document.at("rows").at(4);
    CHECK(how.at("word").get<std::string>() == "How");
    CHECK_THAT(number(how.at("padded"), 0), WithinAbs(1.056, 5e-4));
    CHECK_THAT(number(how.at("masked"), 0), WithinAbs(0.778, 5e-4));
    // Σx² = 214.6441, so that the squares around the means add up to 214.6441 − 31.21²/8 and − 31.21²/6.
    const double padded = 214.6441 - 31.21 * 31.21 / 8, masked = 214.6441 - 31.21 * 31.21 / 6;
    CHECK_THAT(std::sqrt(number(document.at("variance_padded"), 0)), WithinAbs(std::sqrt(padded / 8), 1e-9));
    CHECK_THAT(std::sqrt(number(document.at("variance_padded_unbiased"), 0)), WithinAbs(std::sqrt(padded / 7), 1e-9));
    CHECK_THAT(std::sqrt(number(document.at("variance_masked"), 0)), WithinAbs(std::sqrt(masked / 6), 1e-9));
    CHECK_THAT(std::sqrt(number(document.at("variance_masked_unbiased"), 0)), WithinAbs(std::sqrt(masked / 5), 1e-9));
    // How's 7.5, 9.2, 1.5 by itself: Σx = 18.2, Σx² = 143.14.
    CHECK_THAT(number(how.at("layer"), 0),
               WithinAbs((7.5 - 18.2 / 3) / std::sqrt((143.14 - 18.2 * 18.2 / 3) / 3), 1e-5));
    const byhand::Json& pad = document.at("rows").at(2);
    CHECK(pad.at("padding").get<bool>());
    CHECK(number(pad.at("masked"), 0) == 0);
    CHECK(number(pad.at("dx_masked"), 2) == 0);
    CHECK(std::abs(number(pad.at("dx_padded"), 2)) > 1e-3);
}

// Column 1: 3, −3 and a row of padding, mean 0 either way, deviations √6 and 3. Column 2: 1, 2 and padding, means 1 and
// 3/2, deviations √(2/3) and 1/2.
TEST_CASE("padding: a batch worked by hand, whose first sequence is the longest") {
    const byhand::Json document = lab_test::read(of("3 1\n\n-3 2\n\npad\n", 0));
    const double root = std::sqrt(1.5);
    CHECK_THAT(number(document.at("mean_padded"), 0), WithinAbs(0, 1e-12));
    CHECK_THAT(std::sqrt(number(document.at("variance_padded"), 0)), WithinAbs(std::sqrt(6), 1e-12));
    CHECK_THAT(std::sqrt(number(document.at("variance_masked"), 0)), WithinAbs(3, 1e-12));
    CHECK_THAT(std::sqrt(number(document.at("variance_padded_unbiased"), 0)), WithinAbs(3, 1e-12));
    CHECK_THAT(std::sqrt(number(document.at("variance_masked_unbiased"), 1)), WithinAbs(std::sqrt(0.5), 1e-12));
    const byhand::Json &first = document.at("rows").at(0), &second = document.at("rows").at(1);
    CHECK(second.at("sequence").get<int>() == 2);
    CHECK(second.at("word").get<std::string>() == "2.1");
    CHECK_THAT(number(first.at("padded"), 0), WithinAbs(root, 1e-12));
    CHECK_THAT(number(first.at("padded"), 1), WithinAbs(0, 1e-12));
    CHECK_THAT(number(first.at("masked"), 1), WithinAbs(-1, 1e-12));
    CHECK_THAT(number(second.at("layer"), 1), WithinAbs(1, 1e-12));
    CHECK_THAT(first.at("off").get<double>(), WithinAbs(std::hypot(root - 1, 1) / std::sqrt(2), 1e-12));
    CHECK_THAT(second.at("off").get<double>(), WithinAbs(root - 1, 1e-12));
    // By n − 1 the deviations are 3 and 1 with the padding, √18 and √½ without.
    const double half = std::sqrt(0.5);
    CHECK_THAT(first.at("off_unbiased").get<double>(), WithinAbs(std::hypot(1 - half, half) / std::sqrt(2), 1e-12));
    CHECK_THAT(second.at("off_unbiased").get<double>(), WithinAbs(1 - half, 1e-12));
    // One row of three is padding; so is one of the shares.
    const byhand::Json& shares = document.at("studies").at("shares");
    CHECK_THAT(number(shares.at("values"), 1), WithinAbs(100.0 / 3, 1e-12));
    const auto off = [&](std::size_t arm) { return number(shares.at("arms").at(arm).at("figures").at(1), 0); };
    CHECK_THAT(off(0), WithinAbs(std::sqrt((3 * (root - 1) * (root - 1) + 1) / 4), 1e-12));
    CHECK_THAT(off(1), WithinAbs(std::sqrt((3 * (1 - half) * (1 - half) + 0.5) / 4), 1e-12));
}

TEST_CASE("padding: the more of it, the more the real rows are off, up to nine rows of ten") {
    const byhand::Json document = lab_test::read(padding({}, {.setting = lab_test::setting()}));
    const byhand::Json& shares = document.at("studies").at("shares");
    // The nearest to every 5 % that six real rows let there be.
    std::vector<long> pads;
    double before = -1;
    for (std::size_t i = 0; i < shares.at("values").size(); ++i) {
        const double share = number(shares.at("values"), i) / 100;
        pads.push_back(std::lround(6 * share / (1 - share)));
        const double off = number(shares.at("arms").at(0).at("figures").at(i), 0);
        CHECK(off > before);
        before = off;
    }
    CHECK(pads == std::vector<long>{0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 14, 18, 24, 34, 54});
    CHECK(number(shares.at("arms").at(0).at("figures").at(0), 0) == 0);
}

TEST_CASE("padding: every gradient is that of finite differences") {
    const std::vector<std::vector<double>> batch = {{6.5, 2.41}, {0, 0}, {7.5, 9.2}, {2.2, 1.1}};
    const std::vector<bool> real = {true, false, true, true};
    const byhand::Json document = lab_test::read(of("6.5 2.41\npad\n\n7.5 9.2\n2.2 1.1\n", 0.25));
    const byhand::Json& rows = document.at("rows");
    // Σ dy·γ·x̂ of column j, read where `reads` is, with the statistics of the rows where `counts` is.
    const auto loss = [&](const auto& x, std::size_t j, const auto& reads, const auto& counts, bool bessel) {
        double n = 0, mean = 0, squares = 0, sum = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            n += counts(i) ? 1 : 0;
            mean += counts(i) ? x[i][j] : 0;
        }
        mean /= n;
        for (std::size_t i = 0; i < 4; ++i) {
            squares += counts(i) ? std::pow(x[i][j] - mean, 2) : 0;
        }
        const double deviation = std::sqrt(squares / (bessel ? n - 1 : n) + 0.25);
        for (std::size_t i = 0; i < 4; ++i) {
            sum += reads(i) ? number(rows.at(i).at("dy"), j) * (x[i][j] - mean) / deviation : 0;
        }
        return number(document.at("gain"), j) * sum;
    };
    const auto is_real = [&](std::size_t i) { return static_cast<bool>(real[i]); };
    const auto is_padding = [&](std::size_t i) { return !real[i]; };
    const auto any = [](std::size_t) { return true; };
    constexpr double kStep = 1e-5;
    for (const bool bessel : {false, true}) {
        const std::string end = bessel ? "_unbiased" : "";
        for (std::size_t at = 0; at < 8; ++at) {
            const std::size_t i = at / 2, j = at % 2;
            auto more = batch, less = batch;
            more[i][j] += kStep;
            less[i][j] -= kStep;
            const auto slope = [&](const auto& reads, const auto& counts) {
                return (loss(more, j, reads, counts, bessel) - loss(less, j, reads, counts, bessel)) / (2 * kStep);
            };
            CAPTURE(i, j, bessel);
            CHECK_THAT(number(rows.at(i).at("dx_padded" + end), j), WithinAbs(slope(is_real, any), 1e-8));
            CHECK_THAT(number(rows.at(i).at("dx_masked" + end), j), WithinAbs(slope(is_real, is_real), 1e-8));
            CHECK_THAT(number(rows.at(i).at("dx_from_padding" + end), j), WithinAbs(slope(is_padding, any), 1e-8));
        }
    }
}

TEST_CASE("padding: a batch without any, one wider and longer than the tables, long words") {
    const byhand::Json none = lab_test::read(of("1 2\n3 5\n"));
    CHECK(none.at("text").back().get<std::string>().starts_with("No row of this batch is padding"));

    std::string text = "pad\n\n";
    for (int row = 0; row < 40; ++row) {
        text += std::string(64, 'w');
        for (int column = 0; column < 7; ++column) {
            text += " " + std::to_string(-9.9e8 + 1e6 * ((row * 37 + column * 11) % 50)) + (column == 6 ? "\n" : "");
        }
    }
    const byhand::Json wide = lab_test::read(of(text));
    CHECK(wide.at("rows").size() == 80);
    CHECK(wide.at("tables").at(0).at("rows").size() == 24 + 2);
    CHECK(wide.at("tables").at(0).at("title").get<std::string>().find("(the first 24 of 40)") != std::string::npos);
    CHECK(wide.at("mean_masked").size() == 7);
}

TEST_CASE("padding: what can't be normalised is refused") {
    CHECK_THROWS_AS(of("1 2\n1 3\n", 0), byhand::InputError);  // a column
    CHECK_THROWS_AS(of("1 2\n3 3\n", 0), byhand::InputError);  // a row
    CHECK_NOTHROW(of("1 2\n1 1\n"));
}

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
        CHECK_THROWS_MATCHES(read_sequences(text, "a\nb"), byhand::InputError, Message("a\\x0ab" + why));
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
    CHECK_THROWS_MATCHES(read_sequences(rows + "3 4\n", "f"), byhand::InputError,
                         Message("f:50001: more than 100000 numbers; give fewer or shorter sequences"));
    // One long sequence, and many of one row, that padding makes as long.
    std::string few = "\n";
    for (int i = 0; i < 400; ++i) {
        few += "5\n\n";
    }
    for (int i = 0; i < 300; ++i) {
        few += "6\n";
    }
    CHECK_THROWS_MATCHES(read_sequences(few, "f"), byhand::InputError,
                         Message("f: 401 sequences, padded to 300 rows of 1 numbers each, are more than 100000 "
                                 "numbers; give fewer or shorter ones"));
}

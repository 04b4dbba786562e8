// Files from strangers that would be tensors, or a saved model.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "cli/strangers.h"

namespace cli_test {
namespace {

namespace fs = std::filesystem;

}  // namespace

TEST_CASE("strangers: tensor files") {
    const Strangers place;
    const std::vector<Arguments> all = all_of({tensor_readers(), model_readers()});
    const auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
        return R"({"W1":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
    };
    const std::string eight(8, '\1');
    std::string many = "{";
    for (std::size_t i = 0; i < 400'000; ++i) {
        many +=
            (i == 0 ? "" : ",") + ("\"t" + std::to_string(i)) + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
    }
    many += "}";
    for (const auto& [kind, bytes] : {
             std::pair<std::string, std::string>{"a header longer than the file", std::string(8, '\x7f')},
             {"a header of 2^64 - 1", std::string(8, '\xff') + "{}"},
             {"no header at all", tensor_file("")},
             {"blanks before the header", tensor_file(" {}")},
             {"a list", tensor_file("[]")},
             {"nested", tensor_file("{\"a\":" + repeated("[", 1'000'000))},
             {"nested metadata", tensor_file("{\"__metadata__\":" + repeated("{\"a\":", 1'000'000))},
             {"metadata that are no text", tensor_file(R"({"__metadata__":{"format":7}})")},
             {"1e999", tensor_file(one("F32", "[1e999]", "[0,8]"), eight)},
             {"NaN", tensor_file(one("F32", "[NaN]", "[0,8]"), eight)},
             {"a negative extent", tensor_file(one("F32", "[-2]", "[0,8]"), eight)},
             {"a fraction", tensor_file(one("F32", "[2.0]", "[0,8]"), eight)},
             {"extents whose product overflows", tensor_file(one("F32", "[4294967296,4294967296,2]", "[0,8]"), eight)},
             {"an overflow that comes back", tensor_file(one("F32", "[9223372036854775808,2,2]", "[0,0]"))},
             {"2^62 elements", tensor_file(one("F32", "[4611686018427387906]", "[0,8]"), eight)},
             {"an extent beyond 64 bits", tensor_file(one("F32", "[18446744073709551616]", "[0,8]"), eight)},
             {"many axes", tensor_file(one("F32", "[1" + repeated(",1", 100'000) + "]", "[0,4]"), eight)},
             {"another type", tensor_file(one("BF16", "[4]", "[0,8]"), eight)},
             {"a type that steers a terminal", tensor_file(one("\\u001b[2J", "[4]", "[0,8]"), eight)},
             {"a type beyond measure", tensor_file(one(std::string(1'000'000, 'F'), "[4]", "[0,8]"), eight)},
             {"an end before the beginning", tensor_file(one("F32", "[2]", "[8,0]"), eight)},
             {"an end beyond the file", tensor_file(one("F32", "[2305843009213693952]", "[0,9223372036854775808]"))},
             {"a hole", tensor_file(one("F32", "[1]", "[4,8]"), eight)},
             {"an overlap", tensor_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                        R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                                        eight)},
             {"bytes after the last", tensor_file(one("F32", "[1]", "[0,4]"), eight)},
             {"bytes that are missing", tensor_file(one("F32", "[4]", "[0,16]"), eight)},
             {"a tensor twice", tensor_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                            R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
                                            eight)},
             {"a key twice",
              tensor_file(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight)},
             {"metadata twice", tensor_file(R"({"__metadata__":{},"__metadata__":{}})")},
             {"another key", tensor_file(R"({"\u001b[2J":{"dtype":"F32","\u001b[2J":1}})")},
             {"a long name that is wrong", tensor_file("{\"" + std::string(5'000'000, 'a') + "\":1}")},
             {"400,000 tensors", tensor_file(many)},
             {"no UTF-8", tensor_file("{\"\xff\":{}}")},
             {"a NUL after the header", tensor_file(std::string("{}\0", 3))},
             {"two headers", tensor_file("{}{}")},
         }) {
        place.refused(all, kind, bytes);
    }
    // A header of up to 16 MB is parsed. Nothing of that size is kept here, for a program that is started begins with
    // the peak of the one that starts it.
    const std::vector<Arguments> some = {{"diff", "good", kStranger}, {"sample", kStranger}};
    const auto large = [&](const std::string& before, const std::string& piece, const std::string& after,
                           std::size_t megabytes = 15) {
        const std::size_t times = megabytes * kMegabyte / piece.size();
        const std::uint64_t size = before.size() + times * piece.size() + after.size();
        std::ofstream stream(place.file(kStranger), std::ios::binary);
        stream.write(reinterpret_cast<const char*>(&size), sizeof size) << before;
        for (std::size_t i = 0; i < times; ++i) {
            stream << piece;
        }
        stream << after << eight;
    };
    for (const std::string piece : {"a", "\\\"", "\xc3\xa9"}) {
        large(R"({"__metadata__":{"a":")", piece, R"("},"W1":{}})");
        place.refused(some, "much metadata of " + piece + ", and a fault");
        large(R"({"__metadata__":{"a":")", piece, R"("},"W1":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})");
        place.refused(some, "much metadata of " + piece + ", and bytes after the last");
    }
    large(R"({"__metadata__":{"a":")", "a", R"("},"W1":{}})", 90);
    place.refused(some, "more metadata than is read");
    large("{\"__metadata__\":{\"a\":\"\"", ",\"b\":\"\"", "}}");
    place.refused(some, "a key again and again");
    large("{\"a\":", "[", "");
    place.refused(some, "nested without end");
    large("{\"a\":{\"dtype\":\"F32\",\"shape\":[", "0,", "");
    place.refused(some, "axes without end");
    large("{\"__metadata__\":{\"a\":", "9", "}}");
    place.refused(some, "a number of 15 MB");
    large("{\"__metadata__\":", " ", "{}}");
    place.refused(some, "15 MB of blanks");
    fs::remove(place.file(kStranger));
    std::string keys = "{\"__metadata__\":{\"a\":\"\"";
    for (std::size_t i = 0; i < 400'000; ++i) {
        keys += ",\"a" + std::to_string(i) + "\":\"\"";
    }
    place.refused(some, "400,000 keys of metadata", tensor_file(keys + "}}"));
}

TEST_CASE("strangers: saved models") {
    const Strangers place;
    const std::vector<Arguments> all = model_readers();
    const auto with = [&](const std::string& key, const std::string& value) {
        Json header = place.header();
        header["__metadata__"][key] = value;
        return tensor_file(byhand::printed_json(header, 0), place.data());
    };
    const auto without = [&](const std::string& key) {
        Json header = place.header();
        header["__metadata__"].erase(key);
        return tensor_file(byhand::printed_json(header, 0), place.data());
    };
    const Json metadata = place.header()["__metadata__"];
    const std::string recipe = metadata["recipe"].get<std::string>(),
                      words = metadata["batches_generator"].get<std::string>();
    const auto bent = [&](const std::string& piece, const std::string& other) {
        std::string text = recipe;
        REQUIRE(text.find(piece) != std::string::npos);
        return with("recipe", text.replace(text.find(piece), piece.size(), other));
    };
    for (const auto& [kind, bytes] : {
             std::pair<std::string, std::string>{"nested", with("recipe", repeated("[", 1'000'000))},
             {"no recipe", without("recipe")},
             {"no vocabulary", without("vocabulary")},
             {"no steps", without("steps")},
             {"another width", bent("\"embedding\": 2", "\"embedding\": 3")},
             {"a width of 2^31", bent("\"embedding\": 2", "\"embedding\": 2147483648")},
             {"1e999", bent("\"embedding\": 2", "\"embedding\": 1e999")},
             {"a recipe that steers a terminal", bent("\"name\": \"notes\"", "\"name\": \"\\u001b[2J\"")},
             {"no vocabulary in it", with("vocabulary", "")},
             {"a vocabulary without its point", with("vocabulary", "abc")},
             {"a vocabulary that steers a terminal", with("vocabulary", ".\x1b")},
             {"a vocabulary with C1", with("vocabulary", ".a\xc2\x9b")},
             {"a vocabulary out of order", with("vocabulary", ".ba")},
             {"a larger vocabulary", with("vocabulary", ".abcdefghijklmnopqrstuvwxyz{|")},
             {"a vocabulary of a million", with("vocabulary", "." + repeated("a", 1'000'000))},
             {"steps of 1e999", with("steps", "1e999")},
             {"steps below zero", with("steps", "-1")},
             {"steps beyond 64 bits", with("steps", "18446744073709551616")},
             {"steps that steer a terminal", with("steps", "\x1b[2J")},
             {"a hash that is none", with("data_hash", "xyz")},
             {"a generator that is none", with("batches_generator", "\x1b[2J")},
             {"a generator cut off", with("batches_generator", words.substr(0, words.size() / 2))},
             {"a generator beyond measure", with("batches_generator", words + std::string(5'000'000, 'f'))},
             {"the other generator", with("split_generator", words)},
         }) {
        place.refused(all, kind, bytes);
    }
    const std::vector<Arguments> resuming = {all.back()};
    place.refused(resuming, "a model that there is not", with("model", "\x1b[2J"));
    place.refused(resuming, "no generator to go on with", without("batches_generator"));
    place.refused(resuming, "steps of which none is left", with("steps", "18446744073709551615"));
    for (const std::string tensor : {"C", "W1", "bnmean_running"}) {
        Json header = place.header();
        header["other"] = header[tensor];
        header.erase(tensor);
        place.refused(all, "no " + tensor, tensor_file(byhand::printed_json(header, 0), place.data()));
    }
}

TEST_CASE("strangers: a model may name any file as its data, and it is but named") {
    const Strangers place;
    REQUIRE(::mkfifo(place.file("pipe").c_str(), 0600) == 0);
    const std::string long_one(1'000'000, 'x');
    for (const std::string& path :
         {std::string("/dev/zero"), std::string("pipe"), std::string("/proc/self/mem"), std::string("no/such"),
          std::string("."), std::string(), std::string("\x1b[2J"), std::string("good"), long_one}) {
        CAPTURE(path.substr(0, 99));
        Json header = place.header();
        header["__metadata__"]["data"] = path;
        place.write(kStranger, tensor_file(byhand::printed_json(header, 0), place.data()));
        const Outcome outcome =
            Process(place, byhand_program(), {"sample", kStranger, "-n", "7"}, {}).wait(std::chrono::seconds(60));
        CHECK(outcome.code == 0);
        CHECK(lines_of(outcome.out).size() == 7);
        CHECK(outcome.err.find('\x1b') == std::string::npos);
        CHECK(outcome.err.size() < 1000);
    }
}

TEST_CASE("strangers: tensors may have any name, and it is shown") {
    const Strangers place;
    const std::string file = tensor_file(R"({"\u001b[2J\u0007\u009b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                         R"("__metadata__":{"\u001b[2J":"\u001b[2J"}})",
                                         std::string(8, '\1'));
    place.write("a", file);
    place.write("b", file.substr(0, file.size() - 1) + "\2");
    for (const std::string format : {"table", "json", "csv", "junit"}) {
        const Outcome outcome = byhand(place, {"diff", "a", "b", "--format", format});
        CAPTURE(format, outcome.err);
        CHECK(outcome.code == 1);
        CHECK((outcome.out + outcome.err).find_first_of("\x1b\x07") == std::string::npos);
        CHECK((outcome.out + outcome.err).find("\xc2\x9b") == std::string::npos);
    }
}

}  // namespace cli_test

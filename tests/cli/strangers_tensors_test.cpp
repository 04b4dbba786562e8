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
    const std::vector<Arguments> all = tensor_readers() + model_readers();
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
             std::pair<std::string, std::string>{"nested", tensor_file("{\"a\":" + repeated("[", 1'000'000))},
             {"nested metadata", tensor_file("{\"__metadata__\":" + repeated("{\"a\":", 1'000'000))},
             {"extents whose product overflows", tensor_file(one("F32", "[4294967296,4294967296,2]", "[0,8]"), eight)},
             {"2^62 elements", tensor_file(one("F32", "[4611686018427387906]", "[0,8]"), eight)},
             {"many axes", tensor_file(one("F32", "[1" + repeated(",1", 100'000) + "]", "[0,4]"), eight)},
             {"a type that steers a terminal", tensor_file(one("\\u001b[2J", "[4]", "[0,8]"), eight)},
             {"a type beyond measure", tensor_file(one(std::string(1'000'000, 'F'), "[4]", "[0,8]"), eight)},
             {"an end beyond the file", tensor_file(one("F32", "[2305843009213693952]", "[0,9223372036854775808]"))},
             {"a long name that is wrong", tensor_file("{\"" + std::string(5'000'000, 'a') + "\":1}")},
             {"400,000 tensors", tensor_file(many)},
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
    large(R"({"__metadata__":{"a":")", "\\\"", R"("},"W1":{}})");
    place.refused(some, "much metadata, and a fault");
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
        return with("recipe", std::string(recipe).replace(recipe.find(piece), piece.size(), other));
    };
    for (const auto& [kind, bytes] : {
             std::pair<std::string, std::string>{"nested", with("recipe", repeated("[", 1'000'000))},
             {"a width of 2^31", bent("\"embedding\": 2", "\"embedding\": 2147483648")},
             {"a recipe that steers a terminal", bent("\"name\": \"notes\"", "\"name\": \"\\u001b[2J\"")},
             {"a vocabulary that steers a terminal", with("vocabulary", ".\x1b")},
             {"a vocabulary of a million", with("vocabulary", "." + repeated("a", 1'000'000))},
             {"steps beyond 64 bits", with("steps", "18446744073709551616")},
             {"steps that steer a terminal", with("steps", "\x1b[2J")},
             {"a generator beyond measure", with("batches_generator", words + std::string(5'000'000, 'f'))},
         }) {
        place.refused(all, kind, bytes);
    }
    const std::vector<Arguments> resuming = {all.back()};
    place.refused(resuming, "a model that there is not", with("model", "\x1b[2J"));
    place.refused(resuming, "no generator to go on with", without("batches_generator"));
    place.refused(resuming, "steps of which none is left", with("steps", "18446744073709551615"));
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

}  // namespace cli_test

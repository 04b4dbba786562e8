// Files from strangers, each handed to every command that reads such a file: exit code 2 and one line, soon, with
// little memory, and nothing written.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/names.h"
#include "cli/program.h"

using namespace cli_test;

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A sanitizer takes its time and memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasured = false;
#else
constexpr bool kMeasured = true;
#endif
constexpr std::uint64_t kMegabyte = 1'000'000;
constexpr const char* kStranger = "stranger";

// A command with the stranger's file among its arguments.
struct Reader {
    Arguments arguments;
    std::uint64_t own_bytes = 0;  // of memory that it takes before it opens the file
};

// Commands that need LibTorch are left out where there is none.
std::vector<Reader> readers(const std::vector<Arguments>& here, const std::vector<Arguments>& with_torch) {
    constexpr std::uint64_t kLibTorch = 180 * kMegabyte;
    std::vector<Reader> all;
    for (const Arguments& arguments : here) {
        all.push_back({arguments});
    }
    if (kWithTorch) {
        for (const Arguments& arguments : with_torch) {
            all.push_back({arguments, kLibTorch});
        }
    }
    return all;
}

std::vector<Reader> names_readers() {
    return readers({{"train", "--steps", "1", "--no-save", "--data", kStranger},
                    {"eval", "good", "--data", kStranger},
                    {"gradcheck", "--data", kStranger},
                    {"explain", "--data", kStranger}},
                   {{"compare", "--data", kStranger}, {"mistakes", "--score", "--data", kStranger}});
}

std::vector<Reader> recipe_readers() {
    const std::string path = std::string("./") + kStranger;
    return readers({{"recipes", path},
                    {"train", "--data", "n", "--steps", "1", "--no-save", "--recipe", path},
                    {"sample", "theirs", "--recipe", path}},
                   {{"compare", "--recipe", path}, {"bench", "--recipe", path}});
}

std::vector<Reader> tensor_readers() {
    return readers({{"diff", "good", kStranger}, {"diff", kStranger, "good"}}, {{"compare", "--mine", kStranger}});
}

std::vector<Reader> model_readers() {
    return readers({{"eval", kStranger, "--data", "n"},
                    {"sample", kStranger},
                    {"train", "--data", "n", "--steps", "9", "--resume", kStranger, "--save", "other"}},
                   {});
}

std::vector<Reader> metrics_readers() {
    return readers({{"train", "--data", "n", "--steps", "9", "--log-every", "1", "--resume", "good", "--save", "other",
                     "--metrics", kStranger}},
                   {});
}

std::vector<Reader> sequence_readers() {
    return readers({}, {{"lab", "padding", "--no-plot", "--file", kStranger}});
}

std::vector<Reader> all_of(const std::vector<std::vector<Reader>>& parts) {
    std::vector<Reader> all;
    for (const std::vector<Reader>& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

std::string in_words(const Arguments& arguments) {
    std::string line = "byhand";
    for (const std::string& argument : arguments) {
        line += " " + argument;
    }
    return line;
}

// A folder with names, a model and its metrics, where the strangers come.
struct Place : Folder {
    Place() {
        write("n", file_of(plain_names()));
        REQUIRE(byhand(*this, {"train", "--data", "n", "--steps", "5", "--hidden", "7", "--log-every", "1", "--metrics",
                               "m", "--save", "good"})
                    .code == 0);
        good_ = read("good");
        write("theirs", without_metadata());
    }

    const std::string& good() const { return good_; }

    json header() const { return json::parse(good_.substr(8, header_size())); }
    std::string data() const { return good_.substr(8 + header_size()); }

    // Every reader refuses what lies there.
    void refused(const std::vector<Reader>& readers, const std::string& kind) const {
        for (const Reader& reader : readers) {
            refused_by(reader, kind, [&](const Arguments& arguments) {
                return Process(*this, BYHAND_PROGRAM, arguments, {}).wait(std::chrono::seconds(60));
            });
        }
    }
    // The same of a file with these bytes.
    void refused(const std::vector<Reader>& readers, const std::string& kind, const std::string& bytes) const {
        write(kStranger, bytes);
        refused(readers, kind);
        fs::remove(file(kStranger));
    }

    template <class Run>
    void refused_by(const Reader& reader, const std::string& kind, Run run) const {
        const std::string line = in_words(reader.arguments);
        CAPTURE(kind, line);
        const std::vector<std::string> before = files();
        std::error_code ignored;
        const std::uint64_t size =
            fs::is_regular_file(file(kStranger), ignored) ? fs::file_size(file(kStranger), ignored) : 0;
        const Outcome outcome = run(reader.arguments);
        check_refused(outcome, kStranger);
        CHECK(outcome.err.size() < 1000);
        CHECK(outcome.err.find("internal") == std::string::npos);
        if (kMeasured) {
            // Whoever else is busy on the machine can only make it longer.
            double seconds = outcome.cpu_seconds;
            for (int again = 0; again < 4 && seconds >= 1; ++again) {
                seconds = std::min(seconds, run(reader.arguments).cpu_seconds);
            }
            CHECK(seconds < 1);
            CHECK(outcome.peak_bytes < 200 * kMegabyte + size + reader.own_bytes);
        }
        CHECK(files() == before);
        CHECK(read("good") == good_);
    }

private:
    std::uint64_t header_size() const {
        std::uint64_t size = 0;
        std::memcpy(&size, good_.data(), sizeof size);
        return size;
    }
    std::string without_metadata() const;

    std::string good_;
};

std::string tensor_file(const std::string& header, const std::string& data = "") {
    const std::uint64_t size = header.size();
    std::string prefix(sizeof size, '\0');
    std::memcpy(prefix.data(), &size, sizeof size);
    return prefix + header + data;
}

std::string Place::without_metadata() const {
    json other = header();
    other.erase("__metadata__");
    return tensor_file(other.dump(), data());
}

std::string repeated(const std::string& text, std::size_t times) {
    std::string all;
    all.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

// Bytes without any order, the same in each run.
std::string noise(std::size_t size) {
    std::string bytes(size, '\0');
    std::uint64_t state = 1;
    for (char& byte : bytes) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        byte = static_cast<char>(state >> 56);
    }
    return bytes;
}

}  // namespace

TEST_CASE("strangers: what is no file is refused by every reader") {
    const Place place;
    const std::string path = place.file(kStranger);
    const std::vector<Reader> all = all_of({names_readers(), recipe_readers(), tensor_readers(), model_readers(),
                                            sequence_readers(), readers({{"exercise", kStranger}}, {})});
    place.refused(all, "nothing");

    fs::create_directory(path);
    place.refused(all, "a folder");
    place.refused(metrics_readers(), "a folder");
    fs::remove(path);

    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    place.refused(all, "a pipe that nobody writes to");
    place.refused(metrics_readers(), "a pipe that nobody reads");
    fs::remove(path);

    for (const std::string device : {"/dev/zero", "/dev/full", "/dev/null", "/proc/self/mem"}) {
        fs::create_symlink(device, path);
        place.refused(all, "a link to " + device);
        fs::remove(path);
    }
    fs::create_symlink(kStranger, path);
    place.refused(all, "a link to itself");
    place.refused(metrics_readers(), "a link to itself");
    fs::remove(path);

    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::copy(path.begin(), path.end(), address.sun_path);
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    place.refused(all, "a socket");
    place.refused(metrics_readers(), "a socket");
    ::close(listener);
    fs::remove(path);

    // Root may read everything, but not without the rights to do so.
    place.write(kStranger, place.good());
    fs::permissions(path, fs::perms::none);
    for (const Reader& reader : all_of({all, metrics_readers()})) {
        place.refused_by(reader, "a file without permission", [&](const Arguments& arguments) {
            return ::geteuid() != 0
                       ? byhand(place, arguments)
                       : Process(place, "/usr/bin/setpriv",
                                 Arguments{"--bounding-set", "-dac_override,-dac_read_search", "--", BYHAND_PROGRAM} +
                                     arguments,
                                 {})
                             .wait();
        });
    }
}

TEST_CASE("strangers: bytes that are nothing at all") {
    const Place place;
    const std::vector<Reader> all =
        all_of({names_readers(), recipe_readers(), tensor_readers(), model_readers(), sequence_readers()});
    const std::string zeros(kMegabyte, '\0');
    place.refused(all, "no bytes", "");
    for (const auto& [kind, bytes] : {std::pair<std::string, std::string>{"a NUL", std::string(1, '\0')},
                                      {"noise", noise(kMegabyte)},
                                      {"zeros", zeros},
                                      {"a terminal's orders", repeated("\x1b[2J\x1b]0;title\x07\x9b"
                                                                       "31m",
                                                                       9)},
                                      {"no UTF-8", "\xff\xfe\xed\xa0\x80\xf5"},
                                      {"a byte order mark", "\xef\xbb\xbf"}}) {
        place.refused(all, kind, bytes);
        place.refused(metrics_readers(), kind, bytes + "\n");
    }
}

TEST_CASE("strangers: a hundred megabytes") {
    const Place place;
    const std::vector<Reader> all = all_of(
        {names_readers(), recipe_readers(), tensor_readers(), model_readers(), sequence_readers(), metrics_readers()});
    constexpr std::size_t kLines = 100;
    const auto filled_with = [&](const std::string& piece) {
        const std::string block = repeated(piece, kMegabyte / piece.size());
        std::ofstream stream(place.file(kStranger), std::ios::binary);
        for (std::size_t i = 0; i < kLines; ++i) {
            stream << block;
        }
    };
    for (const std::string piece : {"a", "[", "{\"\":", "\n", "9"}) {
        filled_with(piece);
        place.refused(all, "100 MB of " + piece);
    }
    fs::remove(place.file(kStranger));
}

TEST_CASE("strangers: recipes") {
    const Place place;
    const std::string notes = byhand(place, {"recipes", "notes"}).out;
    const std::vector<Reader> all = recipe_readers();
    const auto bent = [&](const std::string& piece, const std::string& other) {
        std::string text = notes;
        REQUIRE(text.find(piece) != std::string::npos);
        return text.replace(text.find(piece), piece.size(), other);
    };
    const std::string width = "\"embedding\": 2", name = "\"name\": \"notes\"";
    for (const auto& [kind, text] :
         {std::pair<std::string, std::string>{"nested", repeated("[", 400'000) + repeated("]", 400'000)},
          {"nested objects", repeated("{\"a\":", 200'000)},
          {"nested in a key", bent(width, "\"embedding\": " + repeated("[", 400'000))},
          {"1e999", bent(width, "\"embedding\": 1e999")},
          {"a rate of 1e999", bent("\"rate\": 0.1", "\"rate\": 1e999")},
          {"a rate of -1e999", bent("\"rate\": 0.1", "\"rate\": -1e999")},
          {"NaN", bent("\"rate\": 0.1", "\"rate\": NaN")},
          {"a key twice", bent(width, width + ", " + width)},
          {"a width beyond 64 bits", bent(width, "\"embedding\": 18446744073709551616")},
          {"a width below zero", bent(width, "\"embedding\": -1")},
          {"widths whose product overflows",
           bent("\"hidden\": [100]", "\"hidden\": [2147483648, 2147483648, 2147483648]")},
          {"a name that steers a terminal", bent(name, "\"name\": \"\\u001b[2J\"")},
          {"a key that steers a terminal", bent(width, "\"\\u001b[2J\\u009b\": 2")},
          {"a NUL in a name", bent(name, "\"name\": \"a\\u0000b\"")},
          {"half of a surrogate", bent(name, "\"name\": \"\\ud800\"")},
          {"no UTF-8 in a name", bent(name, "\"name\": \"\xc3(\"")},
          {"a long name", bent(name, "\"name\": \"" + std::string(900'000, 'a') + "\"")},
          {"a long key", bent(width, "\"" + std::string(900'000, 'k') + "\": 2")},
          {"a long number", bent(width, "\"embedding\": " + std::string(900'000, '9'))},
          {"many widths", bent("\"hidden\": [", "\"hidden\": [" + repeated("1, ", 200'000))},
          {"two recipes", notes + notes},
          {"half a recipe", notes.substr(0, notes.size() / 2)},
          {"null", "null"},
          {"a string", "\"notes\""}}) {
        place.refused(all, kind, text);
    }
}

TEST_CASE("strangers: tensor files") {
    const Place place;
    const std::vector<Reader> all = all_of({tensor_readers(), model_readers()});
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
    // Metadata may take what the format allows: 100 MB. Nothing of that size is kept here, for a program that is
    // started begins with the peak of the one that starts it.
    const std::vector<Reader> some = readers({{"diff", "good", kStranger}, {"sample", kStranger}}, {});
    const auto large = [&](const std::string& before, const std::string& piece, const std::string& after) {
        const std::size_t times = 90 * kMegabyte / piece.size();
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
    large("{\"__metadata__\":{\"a\":\"\"", ",\"b\":\"\"", "}}");
    place.refused(some, "a key again and again");
    large("{\"a\":", "[", "");
    place.refused(some, "nested without end");
    large("{\"a\":{\"dtype\":\"F32\",\"shape\":[", "0,", "");
    place.refused(some, "axes without end");
    large("{\"__metadata__\":{\"a\":", "9", "}}");
    place.refused(some, "a number of 90 MB");
    large("{\"__metadata__\":", " ", "{}}");
    place.refused(some, "90 MB of blanks");
    fs::remove(place.file(kStranger));
    std::string keys = "{\"__metadata__\":{\"a\":\"\"";
    for (std::size_t i = 0; i < 400'000; ++i) {
        keys += ",\"a" + std::to_string(i) + "\":\"\"";
    }
    place.refused(some, "400,000 keys of metadata", tensor_file(keys + "}}"));
}

TEST_CASE("strangers: saved models") {
    const Place place;
    const std::vector<Reader> all = model_readers();
    const auto with = [&](const std::string& key, const std::string& value) {
        json header = place.header();
        header["__metadata__"][key] = value;
        return tensor_file(header.dump(-1, ' ', false, json::error_handler_t::replace), place.data());
    };
    const auto without = [&](const std::string& key) {
        json header = place.header();
        header["__metadata__"].erase(key);
        return tensor_file(header.dump(), place.data());
    };
    const json metadata = place.header()["__metadata__"];
    const std::string recipe = metadata["recipe"], words = metadata["batches_generator"];
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
    place.refused(std::vector{all.back()}, "a model that there is not", with("model", "\x1b[2J"));
    place.refused(std::vector{all.back()}, "no generator to go on with", without("batches_generator"));
    place.refused(std::vector{all.back()}, "steps of which none is left", with("steps", "18446744073709551615"));
    for (const std::string tensor : {"C", "W1", "bnmean_running"}) {
        json header = place.header();
        header["other"] = header[tensor];
        header.erase(tensor);
        place.refused(all, "no " + tensor, tensor_file(header.dump(), place.data()));
    }
}

TEST_CASE("strangers: a model may name any file as its data, and it is but named") {
    const Place place;
    REQUIRE(::mkfifo(place.file("pipe").c_str(), 0600) == 0);
    for (const std::string path : {"/dev/zero", "pipe", "/proc/self/mem", "no/such", ".", "", "\x1b[2J", "good"}) {
        CAPTURE(path);
        json header = place.header();
        header["__metadata__"]["data"] = path;
        place.write(kStranger, tensor_file(header.dump(), place.data()));
        const Outcome outcome =
            Process(place, BYHAND_PROGRAM, {"sample", kStranger, "-n", "7"}, {}).wait(std::chrono::seconds(60));
        CHECK(outcome.code == 0);
        CHECK(lines_of(outcome.out).size() == 7);
        CHECK(outcome.err.find('\x1b') == std::string::npos);
        CHECK(outcome.err.size() < 1000);
    }
}

TEST_CASE("strangers: names, metrics and sequences") {
    const Place place;
    for (const auto& [kind, bytes] : {std::pair<std::string, std::string>{"a control character", "anna\nb\tb\n"},
                                      {"C1",
                                       "anna\nb\xc2\x9b"
                                       "31m\n"},
                                      {"half a character", "anna\nb\xc3\n"},
                                      {"more than Unicode", "anna\n\xf4\x90\x80\x80\n"},
                                      {"longer than need be", "anna\n\xc0\xaf\n"},
                                      {"a surrogate", "anna\n\xed\xa0\x80\n"},
                                      {"one name", "anna\n"},
                                      {"empty lines", repeated("\n", 3'900'000)},
                                      {"too many lines", repeated("a\n", 4'000'001)}}) {
        place.refused(names_readers(), kind, bytes);
    }
    const std::string line = "{\"step\":0,\"loss\":3.5}\n";
    for (const auto& [kind, bytes] :
         {std::pair<std::string, std::string>{"nested", repeated("[", 150) + "\n"},
          {"1e999", "{\"step\":1e999,\"loss\":3}\n"},
          {"a step beyond 64 bits", "{\"step\":18446744073709551616,\"loss\":3}\n"},
          {"a step below zero", "{\"step\":-1,\"loss\":3}\n"},
          {"the largest step that there is", line + "{\"step\":18446744073709551615,\"loss\":3}\n"},
          {"steps that go back", line + "{\"step\":1,\"loss\":3}\n" + line},
          {"steps that leave one out", line + "{\"step\":2,\"loss\":3}\n"},
          {"too few", line},
          {"another key", "{\"step\":0,\"loss\":3,\"\\u001b[2J\":3}\n"},
          {"a key twice", "{\"step\":0,\"step\":0,\"loss\":3}\n"}}) {
        place.refused(metrics_readers(), kind, bytes);
        CHECK(place.read("m").size() > 100);
    }
    for (const auto& [kind, bytes] : {std::pair<std::string, std::string>{"1e999", "a 1e999 2\nb 3 4\n"},
                                      {"NaN", "a nan 2\nb 3 4\n"},
                                      {"infinity", "a inf 2\nb 3 4\n"},
                                      {"rows of two lengths", "1 2\n3 4 5\n"},
                                      {"a word that steers a terminal", "\x1b[2J 1 2\nb 3 4\n"},
                                      {"a long word", std::string(100'000, 'a') + " 1 2\n"},
                                      {"a long number", std::string(100'000, '9') + " 2\n"},
                                      {"more than may be", repeated("1 2 3\n", 40'000)}}) {
        place.refused(sequence_readers(), kind, bytes);
    }
}

TEST_CASE("strangers: a path that steers a terminal is shown, not sent") {
    const Place place;
    const std::string path = "\x1b[2J\xc2\x9b\x07stranger\xff";
    const auto renamed = [&](Arguments arguments) {
        for (std::string& argument : arguments) {
            if (argument.ends_with(kStranger)) {
                argument = path;
            }
        }
        return arguments;
    };
    for (const Reader& reader : all_of({names_readers(), recipe_readers(), tensor_readers(), model_readers(),
                                        sequence_readers(), readers({{"exercise", kStranger}}, {})})) {
        const std::string line = in_words(reader.arguments);
        CAPTURE(line);
        check_refused(byhand(place, renamed(reader.arguments)), "\\x1b[2J\\xc2\\x9b\\x07stranger\\xff");
    }
    // Taken, and named in what is printed.
    for (const Arguments& arguments :
         {Arguments{"train", "--data", path, "--steps", "3", "--save", path + "model", "--metrics", path + "metrics"},
          {"eval", path + "model", "--data", path},
          {"sample", path + "model"},
          {"diff", path + "model", "good"},
          {"diff", path + "model", "good", "--format", "csv"},
          {"diff", path + "model", "good", "--format", "json"},
          {"diff", path + "model", "good", "--format", "junit"},
          {"recipes", path + "recipe"}}) {
        place.write(path, file_of(plain_names()));
        place.write(path + "recipe", byhand(place, {"recipes", "notes"}).out);
        const std::string line = in_words(arguments);
        CAPTURE(line);
        const Outcome outcome = byhand(place, arguments);
        CHECK(outcome.code == (arguments.front() == "diff" ? 1 : 0));
        CHECK((outcome.out + outcome.err).find_first_of("\x1b\x07") == std::string::npos);
        CHECK((outcome.out + outcome.err).find("\xc2\x9b") == std::string::npos);
    }
}

TEST_CASE("strangers: tensors may have any name, and it is shown") {
    const Place place;
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

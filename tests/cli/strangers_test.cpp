#include "cli/strangers.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "cli/names.h"

namespace cli_test {
namespace {

namespace fs = std::filesystem;

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
    const Strangers place;
    const std::string path = place.file(kStranger);
    const std::vector<Arguments> all = names_readers() + recipe_readers() + tensor_readers() + model_readers() +
                                       sequence_readers() + std::vector<Arguments>{"exercise stranger"};
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
    for (const Arguments& command : all + metrics_readers()) {
        const Outcome outcome = place.refused_by(command, "a file without permission", [&](const Arguments& arguments) {
            return ::geteuid() != 0
                       ? byhand(place, arguments)
                       : Process(place, "/usr/bin/setpriv",
                                 Arguments{"--bounding-set", "-dac_override,-dac_read_search", "--", byhand_program()} +
                                     arguments,
                                 {})
                             .wait();
        });
        CAPTURE(outcome.err);
        CHECK(contains(outcome.err, "Permission denied"));
    }
}

TEST_CASE("strangers: bytes that are nothing at all") {
    const Strangers place;
    const std::vector<Arguments> all =
        names_readers() + recipe_readers() + tensor_readers() + model_readers() + sequence_readers();
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
    const Strangers place;
    const std::vector<Arguments> all = names_readers() + recipe_readers() + tensor_readers() + model_readers() +
                                       sequence_readers() + metrics_readers();
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

TEST_CASE("strangers: two million names, the last of which is none") {
    const Strangers place;
    const std::string block = repeated("abcdefghijklmnopqrst\n", kMegabyte / 20);
    {
        std::ofstream stream(place.file(kStranger), std::ios::binary);
        for (int i = 0; i < 38; ++i) {
            stream << block;
        }
        stream << "a.b\n";
    }
    place.refused(names_readers(), "two million names");
}

TEST_CASE("strangers: recipes that are long or deep") {
    const Strangers place;
    const std::string notes = byhand(place, "recipes notes").out, width = "\"embedding\": 2",
                      name = "\"name\": \"notes\"";
    for (const auto& [kind, text] :
         {std::pair<std::string, std::string>{"nested", repeated("[", 400'000) + repeated("]", 400'000)},
          {"nested in a key", exchanged(notes, width, "\"embedding\": " + repeated("[", 400'000))},
          {"a long name", exchanged(notes, name, "\"name\": \"" + std::string(900'000, 'a') + "\"")},
          {"a long key", exchanged(notes, width, "\"" + std::string(900'000, 'k') + "\": 2")},
          {"a long number", exchanged(notes, width, "\"embedding\": " + std::string(900'000, '9'))},
          {"many widths", exchanged(notes, "\"hidden\": [", "\"hidden\": [" + repeated("1, ", 200'000))},
          {"widths whose product overflows",
           exchanged(notes, "\"hidden\": [100]", "\"hidden\": [2147483648, 2147483648, 2147483648]")}}) {
        place.refused(recipe_readers(), kind, text);
    }
}

TEST_CASE("strangers: names, metrics and sequences") {
    const Strangers place;
    place.refused(names_readers(), "empty lines", repeated("\n", 5'000'000));
    place.refused(names_readers(), "too many lines", repeated("a\n", 5'000'001));
    const std::string line = "{\"step\":0,\"loss\":3.5}\n";
    for (const auto& [kind, bytes] :
         {std::pair<std::string, std::string>{"a step beyond 64 bits", "{\"step\":18446744073709551616,\"loss\":3}\n"},
          {"the largest step that there is", line + "{\"step\":18446744073709551615,\"loss\":3}\n"},
          {"another key", "{\"step\":0,\"loss\":3,\"\\u001b[2J\":3}\n"}}) {
        place.refused(metrics_readers(), kind, bytes);
    }
    place.refused(sequence_readers(), "a long word", std::string(100'000, 'a') + " 1 2\n");
    place.refused(sequence_readers(), "a long number", std::string(100'000, '9') + " 2\n");
    place.refused(sequence_readers(), "more than may be", repeated("1 2 3\n", 40'000));
}

TEST_CASE("strangers: a path that steers a terminal is shown, not sent") {
    const Strangers place;
    const std::string path = "\x1b[2J\xc2\x9b\x07stranger\xff";
    const auto renamed = [&](Arguments arguments) {
        for (std::string& argument : arguments) {
            if (argument.ends_with(kStranger)) {
                argument = path;
            }
        }
        return arguments;
    };
    for (const Arguments& command : names_readers() + recipe_readers() + tensor_readers() + model_readers() +
                                        sequence_readers() + std::vector<Arguments>{"exercise stranger"}) {
        CAPTURE(command);
        check_refused(byhand(place, renamed(command)), "\\x1b[2J\\xc2\\x9b\\x07stranger\\xff");
    }
    // Taken, and named in what is printed.
    for (const Arguments& arguments :
         {Arguments{"train", "--data", path, "--steps", "3", "--save", path + "model", "--metrics", path + "metrics"},
          {"eval", path + "model", "--data", path},
          {"sample", path + "model"},
          {"diff", path + "model", "good"},
          {"diff", path + "model", "good", "--format", "csv"},
          {"diff", path + "model", "good", "--format", "json"},
          {"diff", path + "model", "good", "--format", "html"},
          {"diff", path + "model", "good", "--format", "junit"},
          {"recipes", path + "recipe"}}) {
        place.write(path, file_of(plain_names()));
        place.write(path + "recipe", byhand(place, "recipes notes").out);
        CAPTURE(arguments);
        const Outcome outcome = byhand(place, arguments);
        CHECK(outcome.code == (arguments.front() == "diff" ? 1 : 0));
        CHECK((outcome.out + outcome.err).find_first_of("\x1b\x07") == std::string::npos);
        CHECK_FALSE(contains((outcome.out + outcome.err), "\xc2\x9b"));
    }
}

TEST_CASE("strangers: a header of up to 16 MB is parsed, of a tensor file or a model") {
    const Strangers place;
    const std::vector<Arguments> some = {"diff good stranger", "sample stranger"};
    // Nothing of that size is kept here, for a program that is started begins with the peak of the one that starts it.
    const auto refused = [&](const std::string& kind, const std::string& before, const std::string& piece,
                             const std::string& after, std::size_t megabytes = 15) {
        const std::size_t copies = megabytes * kMegabyte / piece.size();
        const std::uint64_t size = before.size() + copies * piece.size() + after.size();
        std::ofstream stream(place.file(kStranger), std::ios::binary);
        stream.write(reinterpret_cast<const char*>(&size), sizeof size) << before;
        for (std::size_t i = 0; i < copies; ++i) {
            stream << piece;
        }
        stream << after << std::string(8, '\1');
        stream.close();
        place.refused(some, kind);
    };
    refused("much metadata, and a fault", R"({"__metadata__":{"a":")", "\\\"", R"("},"W1":{}})");
    refused("more metadata than is read", R"({"__metadata__":{"a":")", "a", R"("},"W1":{}})", 90);
    refused("a key again and again", "{\"__metadata__\":{\"a\":\"\"", ",\"b\":\"\"", "}}");
    refused("nested without end", "{\"a\":", "[", "");
    refused("axes without end", "{\"a\":{\"dtype\":\"F32\",\"shape\":[", "0,", "");
    refused("a number of 15 MB", "{\"__metadata__\":{\"a\":", "9", "}}");
    refused("15 MB of blanks", "{\"__metadata__\":", " ", "{}}");
    std::string tensors = "{", keys = "{\"__metadata__\":{\"a\":\"\"";
    for (std::size_t i = 0; i < 400'000; ++i) {
        const std::string name = (i == 0 ? "\"t" : ",\"t") + std::to_string(i);
        tensors += name + R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
        keys += ",\"a" + std::to_string(i) + "\":\"\"";
    }
    place.refused(tensor_readers() + model_readers(), "400,000 tensors", tensor_file(tensors + "}"));
    place.refused(some, "400,000 keys of metadata", tensor_file(keys + "}}"));
}

TEST_CASE("strangers: metadata of a saved model beyond measure") {
    const Strangers place;
    const auto with = [&](const std::string& key, const std::string& value) {
        Json header = place.header();
        header["__metadata__"][key] = value;
        return tensor_file(byhand::printed_json(header, 0), place.data());
    };
    const std::string words = place.header()["__metadata__"]["batches_generator"].get<std::string>();
    const std::vector<Arguments> all = model_readers();
    place.refused(all, "a nested recipe", with("recipe", repeated("[", 1'000'000)));
    place.refused(all, "a vocabulary of a million", with("vocabulary", "." + repeated("a", 1'000'000)));
    place.refused(all, "a generator", with("batches_generator", words + std::string(5'000'000, 'f')));
    place.refused({all.back()}, "steps of which none is left", with("steps", "18446744073709551615"));
    Json header = place.header();
    header["__metadata__"].erase("batches_generator");
    place.refused({all.back()}, "no generator to go on with",
                  tensor_file(byhand::printed_json(header, 0), place.data()));
}

TEST_CASE("strangers: a model may name any file as its data, and it is but named") {
    const Strangers place;
    REQUIRE(::mkfifo(place.file("pipe").c_str(), 0600) == 0);
    for (const std::string& path : std::vector<std::string>{"/dev/zero", "pipe", "/proc/self/mem", "no/such", ".", "",
                                                            "\x1b[2J", "good", std::string(1'000'000, 'x')}) {
        CAPTURE(path.substr(0, 99));
        Json header = place.header();
        header["__metadata__"]["data"] = path;
        place.write(kStranger, tensor_file(byhand::printed_json(header, 0), place.data()));
        const Outcome outcome =
            Process(place, byhand_program(), "sample stranger -n 7", {}).wait(std::chrono::seconds(60));
        CHECK(outcome.code == 0);
        CHECK(lines_of(outcome.out).size() == 7);
        CHECK(outcome.err.find('\x1b') == std::string::npos);
        CHECK(outcome.err.size() < 1000);
    }
}

}  // namespace cli_test

#include "cli/strangers.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
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
                                       sequence_readers() + std::vector<Arguments>{{"exercise", kStranger}};
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

TEST_CASE("strangers: recipes") {
    const Strangers place;
    const std::string notes = byhand(place, {"recipes", "notes"}).out;
    const std::vector<Arguments> all = recipe_readers();
    const auto bent = [&](const std::string& piece, const std::string& other) {
        std::string text = notes;
        REQUIRE(contains(text, piece));
        return text.replace(text.find(piece), piece.size(), other);
    };
    const std::string width = "\"embedding\": 2", name = "\"name\": \"notes\"";
    for (const auto& [kind, text] :
         {std::pair<std::string, std::string>{"nested", repeated("[", 400'000) + repeated("]", 400'000)},
          {"nested objects", repeated("{\"a\":", 200'000)},
          {"nested in a key", bent(width, "\"embedding\": " + repeated("[", 400'000))},
          {"widths whose product overflows",
           bent("\"hidden\": [100]", "\"hidden\": [2147483648, 2147483648, 2147483648]")},
          {"a name that steers a terminal", bent(name, "\"name\": \"\\u001b[2J\"")},
          {"a key that steers a terminal", bent(width, "\"\\u001b[2J\\u009b\": 2")},
          {"a long name", bent(name, "\"name\": \"" + std::string(900'000, 'a') + "\"")},
          {"a long key", bent(width, "\"" + std::string(900'000, 'k') + "\": 2")},
          {"a long number", bent(width, "\"embedding\": " + std::string(900'000, '9'))},
          {"many widths", bent("\"hidden\": [", "\"hidden\": [" + repeated("1, ", 200'000))},
          {"a string", "\"notes\""}}) {
        place.refused(all, kind, text);
    }
}

TEST_CASE("strangers: names, metrics and sequences") {
    const Strangers place;
    using Files = std::vector<std::pair<std::string, std::string>>;
    for (const auto& [kind, bytes] : Files{{"C1",
                                            "anna\nb\xc2\x9b"
                                            "31m\n"},
                                           {"more than Unicode", "anna\n\xf4\x90\x80\x80\n"},
                                           {"empty lines", repeated("\n", 5'000'000)},
                                           {"too many lines", repeated("a\n", 5'000'001)}}) {
        place.refused(names_readers(), kind, bytes);
    }
    const std::string line = "{\"step\":0,\"loss\":3.5}\n";
    for (const auto& [kind, bytes] :
         Files{{"nested", repeated("[", 150) + "\n"},
               {"a step beyond 64 bits", "{\"step\":18446744073709551616,\"loss\":3}\n"},
               {"the largest step that there is", line + "{\"step\":18446744073709551615,\"loss\":3}\n"},
               {"steps that go back", line + "{\"step\":1,\"loss\":3}\n" + line},
               {"too few", line},
               {"another key", "{\"step\":0,\"loss\":3,\"\\u001b[2J\":3}\n"}}) {
        place.refused(metrics_readers(), kind, bytes);
        CHECK(place.read("m").size() > 100);
    }
    for (const auto& [kind, bytes] : Files{{"infinity", "a inf 2\nb 3 4\n"},
                                           {"rows of two lengths", "1 2\n3 4 5\n"},
                                           {"a word that steers a terminal", "\x1b[2J 1 2\nb 3 4\n"},
                                           {"a long word", std::string(100'000, 'a') + " 1 2\n"},
                                           {"a long number", std::string(100'000, '9') + " 2\n"},
                                           {"more than may be", repeated("1 2 3\n", 40'000)}}) {
        place.refused(sequence_readers(), kind, bytes);
    }
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
                                        sequence_readers() + std::vector<Arguments>{{"exercise", kStranger}}) {
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
          {"diff", path + "model", "good", "--format", "junit"},
          {"recipes", path + "recipe"}}) {
        place.write(path, file_of(plain_names()));
        place.write(path + "recipe", byhand(place, {"recipes", "notes"}).out);
        CAPTURE(arguments);
        const Outcome outcome = byhand(place, arguments);
        CHECK(outcome.code == (arguments.front() == "diff" ? 1 : 0));
        CHECK((outcome.out + outcome.err).find_first_of("\x1b\x07") == std::string::npos);
        CHECK_FALSE(contains((outcome.out + outcome.err), "\xc2\x9b"));
    }
}

}  // namespace cli_test

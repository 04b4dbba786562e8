#include "cli/strangers.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "cli/names.h"

namespace cli_test {
namespace {

namespace fs = std::filesystem;

// A sanitizer takes its time and memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasured = false;
#else
constexpr bool kMeasured = true;
#endif

// Those that need LibTorch only if it is there.
std::vector<Arguments> if_torch(const std::vector<Arguments>& commands) {
    return with_torch() ? commands : std::vector<Arguments>{};
}

std::uint64_t header_size(const std::string& file) {
    std::uint64_t size = 0;
    std::memcpy(&size, file.data(), sizeof size);
    return size;
}

}  // namespace

std::vector<Arguments> names_readers() {
    return std::vector<Arguments>{{"train", "--steps", "1", "--no-save", "--data", kStranger},
                                  {"eval", "good", "--data", kStranger},
                                  {"gradcheck", "--data", kStranger},
                                  {"explain", "--data", kStranger}} +
           if_torch({{"compare", "--data", kStranger}, {"mistakes", "--score", "--data", kStranger}});
}

std::vector<Arguments> recipe_readers() {
    const std::string path = std::string("./") + kStranger;
    return std::vector<Arguments>{{"recipes", path},
                                  {"train", "--data", "n", "--steps", "1", "--no-save", "--recipe", path},
                                  {"sample", "theirs", "--recipe", path}} +
           if_torch({{"compare", "--recipe", path}, {"bench", "--recipe", path}});
}

std::vector<Arguments> tensor_readers() {
    return std::vector<Arguments>{{"diff", "good", kStranger}, {"diff", kStranger, "good"}} +
           if_torch({{"compare", "--mine", kStranger}});
}

std::vector<Arguments> model_readers() {
    return {{"eval", kStranger, "--data", "n"},
            {"sample", kStranger},
            {"train", "--data", "n", "--steps", "9", "--resume", kStranger, "--save", "other"}};
}

std::vector<Arguments> metrics_readers() {
    return {{"train", "--data", "n", "--steps", "9", "--log-every", "1", "--resume", "good", "--save", "other",
             "--metrics", kStranger}};
}

std::vector<Arguments> sequence_readers() {
    return {{"lab", "padding", "--no-plot", "--file", kStranger}};
}

std::vector<Arguments> operator+(std::vector<Arguments> a, const std::vector<Arguments>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

Strangers::Strangers() {
    write("n", file_of(plain_names()));
    REQUIRE(byhand(*this, {"train", "--data", "n", "--steps", "5", "--hidden", "7", "--log-every", "1", "--metrics",
                           "m", "--save", "good"})
                .code == 0);
    good_ = read("good");
    Json other = header();
    other.erase("__metadata__");
    write("theirs", tensor_file(byhand::printed_json(other, 0), data()));
}

Json Strangers::header() const {
    return parsed_json(good_.substr(8, header_size(good_)));
}

std::string Strangers::data() const {
    return good_.substr(8 + header_size(good_));
}

void Strangers::refused(const std::vector<Arguments>& commands, const std::string& kind) const {
    for (const Arguments& command : commands) {
        refused_by(command, kind, [&](const Arguments& arguments) {
            return Process(*this, byhand_program(), arguments, {}).wait(std::chrono::seconds(60));
        });
    }
}

void Strangers::refused(const std::vector<Arguments>& commands, const std::string& kind,
                        const std::string& bytes) const {
    write(kStranger, bytes);
    refused(commands, kind);
    fs::remove(file(kStranger));
}

Outcome Strangers::refused_by(const Arguments& command, const std::string& kind,
                              const std::function<Outcome(const Arguments&)>& run) const {
    CAPTURE(kind, command);
    const std::vector<std::string> before = files();
    std::error_code ignored;
    const std::uint64_t size =
        fs::is_regular_file(file(kStranger), ignored) ? fs::file_size(file(kStranger), ignored) : 0;
    Outcome outcome = run(command);
    check_refused(outcome, kStranger);
    CHECK(outcome.err.size() < 1000);
    if (kMeasured) {
        // Other processes on the machine can only make it longer.
        double seconds = outcome.cpu_seconds;
        for (int again = 0; again < 4 && seconds >= 1; ++again) {
            seconds = std::min(seconds, run(command).cpu_seconds);
        }
        CHECK(seconds < 1);
        CHECK(outcome.peak_bytes < 200 * kMegabyte + size);
    }
    CHECK(files() == before);
    CHECK(read("good") == good_);
    return outcome;
}

std::string tensor_file(const std::string& header, const std::string& data) {
    const std::uint64_t size = header.size();
    std::string prefix(sizeof size, '\0');
    std::memcpy(prefix.data(), &size, sizeof size);
    return prefix + header + data;
}

std::string repeated(const std::string& text, std::size_t times) {
    std::string all;
    all.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

}  // namespace cli_test

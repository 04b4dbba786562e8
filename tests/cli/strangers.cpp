#include "cli/strangers.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>

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
    return std::vector<Arguments>{"train --steps 1 --no-save --data stranger", "eval good --data stranger",
                                  "gradcheck --data stranger", "explain --data stranger"} +
           if_torch({"compare --data stranger", "mistakes --score --data stranger"});
}

std::vector<Arguments> recipe_readers() {
    return std::vector<Arguments>{"recipes ./stranger", "train --data n --steps 1 --no-save --recipe ./stranger",
                                  "sample theirs --recipe ./stranger"} +
           if_torch({"compare --recipe ./stranger", "bench --recipe ./stranger"});
}

std::vector<Arguments> tensor_readers() {
    return std::vector<Arguments>{"diff good stranger", "diff stranger good"} +
           if_torch({Arguments("compare --mine stranger")});
}

std::vector<Arguments> model_readers() {
    return {"eval stranger --data n", "sample stranger", "train --data n --steps 9 --resume stranger --save other"};
}

std::vector<Arguments> metrics_readers() {
    return {Arguments("train --data n --steps 9 --log-every 1 --resume good --save other --metrics stranger")};
}

std::vector<Arguments> sequence_readers() {
    return {Arguments("lab padding --no-plot --file stranger")};
}

std::vector<Arguments> operator+(std::vector<Arguments> a, const std::vector<Arguments>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

Strangers::Strangers() {
    succeeds(*this, "train --data n --steps 5 --hidden 7 --log-every 1 --metrics m --save good");
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

#include "cli/metrics.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "train/whole_file.h"

namespace byhand::cli {
namespace {

constexpr std::size_t kLongestLine = 200, kBlock = 65536;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw InputError(printable(path) + ": " + why);
}

// The step of a line, if `write` made it.
std::optional<std::size_t> step_of(std::string_view line) {
    constexpr std::string_view kStep = R"({"step":)", kLoss = R"(,"loss":)";
    if (!line.starts_with(kStep) || !line.ends_with('}')) {
        return std::nullopt;
    }
    const char* const end = line.data() + line.size() - 1;
    std::size_t step = 0;
    const auto [after, error] = std::from_chars(line.data() + kStep.size(), end, step);
    if (error != std::errc() || !std::string_view(after, end).starts_with(kLoss)) {
        return std::nullopt;
    }
    const char* const begin = after + kLoss.size();
    const std::string_view loss(begin, end);
    float value = 0;
    const bool is_number = begin != end && std::from_chars(begin, end, value).ptr == end;
    return is_number || loss == R"("nan")" || loss == R"("inf")" || loss == R"("-inf")" ? std::optional(step)
                                                                                        : std::nullopt;
}

// Whether a line that `write` makes may begin so, or be so without its newline.
bool begins_a_line(std::string_view text) {
    constexpr std::string_view kStep = R"({"step":)", kLoss = R"(,"loss":)", kDigits = "0123456789";
    constexpr std::size_t kMostDigits = 20;
    // Removes a word, or the part of it with which the text ends.
    const auto take = [&](std::string_view word) {
        const std::size_t size = std::min(word.size(), text.size());
        const bool is_taken = text.substr(0, size) == word.substr(0, size);
        text.remove_prefix(size);
        return is_taken;
    };
    if (text.ends_with('}')) {
        return step_of(text).has_value();
    }
    if (!take(kStep)) {
        return false;
    }
    const std::size_t digits = std::min(text.find_first_not_of(kDigits), text.size());
    text.remove_prefix(digits);
    if (digits > kMostDigits || (digits == 0 && !text.empty()) || !take(kLoss)) {
        return false;
    }
    const auto begins = [&](std::string_view word) { return word.starts_with(text); };
    return begins(R"("nan")") || begins(R"("inf")") || begins(R"("-inf")") ||
           (text.size() <= kMostDigits && text.find_first_not_of("0123456789.e+-") == std::string_view::npos);
}

// Calls visit(line) for each complete line of a regular file until it returns false.
template <class Visit>
void for_each_line(int file, const std::string& path, Visit visit) {
    std::string text;
    char block[kBlock];
    while (const std::size_t got = read_some(file, block, sizeof block, path)) {
        text.append(block, got);
        std::size_t begin = 0;
        for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
            if (!visit(std::string_view(text).substr(begin, end - begin))) {
                return;
            }
            begin = end + 1;
        }
        text.erase(0, begin);
        if (text.size() > kLongestLine) {
            refuse(path, "not a metrics file: it has a line of more than " + std::to_string(kLongestLine) + " bytes");
        }
    }
}

// Throws InputError unless the file is a metrics file: it will be truncated.
void check_is_metrics(int file, const std::string& path) {
    char first[kLongestLine + 1];
    const std::string_view text(first, read_some(file, first, sizeof first, path));
    ::lseek(file, 0, SEEK_SET);
    const std::size_t end = text.find('\n');
    const bool broken_off = end == std::string_view::npos && text.size() <= kLongestLine;
    const bool is_ours = text.empty() || (broken_off ? begins_a_line(text) : step_of(text.substr(0, end)).has_value());
    if (!is_ours) {
        refuse(path, "not a metrics file; name another with --metrics, or remove it");
    }
}

// The number of bytes that an uninterrupted training writes in its first `done` steps.
off_t bytes_to_keep(int file, const std::string& path, std::size_t every, std::size_t done) {
    off_t bytes = 0;
    std::size_t line_number = 0;
    std::optional<std::size_t> last;
    for_each_line(file, path, [&](std::string_view line) {
        ++line_number;
        const std::optional<std::size_t> step = step_of(line);
        if (!step) {
            refuse(path, fmt::format("not a metrics file: line {} is not {{\"step\":…,\"loss\":…}}", line_number));
        }
        if (*step >= done || (*step % every != 0 && *step + 1 == done)) {
            return false;  // of steps that will be repeated, or the last line of a training that ended here
        }
        if (*step % every != 0 || (last && *step != *last + every)) {
            refuse(path, fmt::format("line {} has step {}, not {} steps after {}; use the --log-every that it was "
                                     "written with, or another file",
                                     line_number, *step, every, last ? "step " + std::to_string(*last) : "the start"));
        }
        last = step;
        bytes += static_cast<off_t>(line.size() + 1);
        return true;
    });
    if (last && *last + every < done) {
        refuse(path, fmt::format("ends with step {}, but {} steps are done; use the --log-every that it was written "
                                 "with, or another file",
                                 *last, done));
    }
    return bytes;
}

// Creates the file if it is missing, and flushes its folder, so that it is as durable as the checkpoints.
Descriptor opened(const std::string& path) {
    // O_NONBLOCK: otherwise open() would wait for a reader of a pipe. Only regular files are read: reading some of the
    // system's would block.
    constexpr int kHow = O_CLOEXEC | O_APPEND | O_NONBLOCK;
    struct stat status = {};
    const bool is_there = ::stat(path.c_str(), &status) == 0;
    const int mode = !is_there || S_ISREG(status.st_mode) ? O_RDWR : O_WRONLY;
    Descriptor file(::open(path.c_str(), mode | O_CREAT | kHow, 0666));
    if (file.number() < 0 || (mode == O_WRONLY && ::fcntl(file.number(), F_SETFL, O_APPEND) != 0)) {
        refuse(path, "the metrics file can't be written (" + reason() + "); name another with --metrics");
    }
    if (!is_there) {
        const Descriptor folder = open_folder_of(path);
        if (folder.number() < 0 || !flush_to_disk(folder.number())) {
            refuse(path, "the metrics file was created, but its folder can't be flushed: " + reason());
        }
    }
    return file;
}

}  // namespace

Metrics::Metrics(std::string path, std::size_t every, std::size_t done) : path_(std::move(path)), file_(opened(path_)) {
    struct stat status = {};
    if (::fstat(file_.number(), &status) == 0 && !S_ISREG(status.st_mode)) {
        return;
    }
    check_is_metrics(file_.number(), path_);
    const off_t kept = done == 0 ? 0 : bytes_to_keep(file_.number(), path_, every, done);
    if (::ftruncate(file_.number(), kept) != 0) {
        refuse(path_, "the metrics file can't be truncated: " + reason());
    }
}

void Metrics::write(std::size_t step, float loss) {
    // fmt writes a float in the fewest digits that read back the same.
    const std::string number = std::isfinite(loss) ? fmt::format("{}", loss)
                               : std::isnan(loss)  ? "\"nan\""
                               : loss > 0          ? "\"inf\""
                                                   : "\"-inf\"";
    waiting_ += fmt::format("{{\"step\":{},\"loss\":{}}}\n", step, number);
    if (waiting_.size() > kBlock) {
        flush();
    }
}

void Metrics::flush() {
    if (error_ == 0 && !write_all(file_.number(), waiting_.data(), waiting_.size())) {
        error_ = errno;
    }
    waiting_.clear();
}

std::string Metrics::failure() const {
    return printable(path_) + ": the metrics file is incomplete: " + reason(error_);
}

std::optional<std::string> Metrics::sync() {
    flush();
    if (error_ == 0 && !flush_to_disk(file_.number())) {
        error_ = errno;
    }
    if (error_ == 0 || std::exchange(told_, true)) {
        return std::nullopt;
    }
    return failure();
}

void Metrics::close() {
    sync();
    if (!file_.close() && error_ == 0) {
        error_ = errno;
    }
    if (error_ != 0) {
        throw InputError(failure());
    }
}

}  // namespace byhand::cli

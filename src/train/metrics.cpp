#include "train/metrics.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "train/whole_file.h"

namespace byhand {
namespace {

constexpr std::size_t kLongestLine = 100, kBlock = 65536;

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

// Whether the text and some end of a line are a line that `write` makes.
bool begins_a_line(std::string_view text) {
    if (text.size() > kLongestLine) {
        return false;
    }
    for (const std::string line : {R"({"step":0,"loss":0})", R"({"step":0,"loss":"nan"})", R"({"step":0,"loss":"inf"})",
                                   R"({"step":0,"loss":"-inf"})"}) {
        for (std::size_t cut = 0; cut <= line.size(); ++cut) {
            if (step_of(std::string(text) + line.substr(cut))) {
                return true;
            }
        }
    }
    return false;
}

// The number of bytes that an uninterrupted training writes in its first `done` steps. Throws InputError unless this is
// a metrics file: it will be truncated.
std::size_t bytes_to_keep(const std::string& path, std::size_t every, std::size_t done) {
    const std::string text = read_text(path, std::numeric_limits<std::size_t>::max());
    std::size_t begin = 0, line_number = 0;
    std::optional<std::size_t> last;
    while (begin < text.size()) {
        const std::size_t end = text.find('\n', begin);
        const std::string_view line = std::string_view(text).substr(begin, end - begin);
        const bool is_whole = end != std::string::npos;
        const std::optional<std::size_t> step = step_of(line);
        if (++line_number; is_whole ? !step : !begins_a_line(line)) {
            refuse(path, line_number == 1 ? "not a metrics file; name another with --metrics, or remove it"
                                          : fmt::format("not a metrics file: line {} is not {{\"step\":…,\"loss\":…}}",
                                                        line_number));
        }
        if (!is_whole || *step >= done || (*step % every != 0 && *step + 1 == done)) {
            break;  // of steps that will be repeated, or the last line of a training that ended here
        }
        if (*step % every != 0 || (last && *step != *last + every)) {
            refuse(path, fmt::format("line {} has step {}, not {} steps after {}; use the --log-every that it was "
                                     "written with, or another file",
                                     line_number, *step, every, last ? "step " + std::to_string(*last) : "the start"));
        }
        last = step;
        begin = end + 1;
    }
    if (last && *last + every < done) {
        refuse(path, fmt::format("ends with step {}, but {} steps are done; use the --log-every that it was written "
                                 "with, or another file",
                                 *last, done));
    }
    return begin;
}

// Creates the file if it is missing, and flushes its folder, so that it is as durable as the checkpoints.
Descriptor opened(const std::string& path) {
    struct stat status = {};
    const bool is_there = ::stat(path.c_str(), &status) == 0;
    // O_NONBLOCK: otherwise open() would wait for a reader of a pipe.
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | O_NONBLOCK, 0666));
    if (file.number() < 0 || ::fcntl(file.number(), F_SETFL, O_APPEND) != 0) {
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
    if (::ftruncate(file_.number(), static_cast<off_t>(bytes_to_keep(path_, every, done))) != 0) {
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
    if (error_ == 0 || std::exchange(is_reported_, true)) {
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

}  // namespace byhand

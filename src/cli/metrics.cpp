#include "cli/metrics.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/error.h"
#include "names/utf8.h"
#include "train/whole_file.h"

namespace byhand::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestLine = 200, kBlock = 65536;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw InputError(printable(path) + ": " + why);
}

// The step of a line, if it is one of ours.
std::optional<std::size_t> step_of(const std::string& line) {
    const json object = json::parse(line, nullptr, false);
    if (!object.is_object() || object.size() != 2 || !object.contains("loss") || !object.contains("step") ||
        !object["step"].is_number_unsigned()) {
        return std::nullopt;
    }
    return object["step"].get<std::size_t>();
}

// Calls visit(line) for each whole line of a regular file, until it says that it has seen enough.
template <class Visit>
void for_each_line(int file, const std::string& path, Visit visit) {
    std::string text;
    char block[kBlock];
    while (true) {
        const ssize_t got = ::read(file, block, sizeof block);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            refuse(path, "can't be read: " + reason());
        }
        if (got == 0) {
            return;  // a line that was broken off counts for nothing
        }
        text.append(block, static_cast<std::size_t>(got));
        std::size_t begin = 0;
        for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
            if (!visit(text.substr(begin, end - begin))) {
                return;
            }
            begin = end + 1;
        }
        text.erase(0, begin);
        if (text.size() > kLongestLine) {
            refuse(path, "is no metrics file: it has a line of more than " + std::to_string(kLongestLine) + " bytes");
        }
    }
}

// How many bytes of a metrics file a training without a break would have written in its first `done` steps.
off_t bytes_to_keep(int file, const std::string& path, std::size_t every, std::size_t done) {
    off_t bytes = 0;
    std::size_t line_number = 0;
    std::optional<std::size_t> last;
    for_each_line(file, path, [&](const std::string& line) {
        ++line_number;
        const std::optional<std::size_t> step = step_of(line);
        if (!step) {
            refuse(path, fmt::format("is no metrics file: line {} is not {{\"step\":…,\"loss\":…}}", line_number));
        }
        if (*step >= done || (*step % every != 0 && *step + 1 == done)) {
            return false;  // of steps that will be done again; or the last one, had it been the last
        }
        if (*step % every != 0 || (last && *step != *last + every)) {
            refuse(path, fmt::format("line {} is of step {}, which does not follow {} by {}; give the --log-every that "
                                     "it was written with, or another file",
                                     line_number, *step, last ? std::to_string(*last) : "nothing", every));
        }
        last = step;
        bytes += static_cast<off_t>(line.size() + 1);
        return true;
    });
    if (last && *last + every < done) {
        refuse(path, fmt::format("ends with step {}, before the {} that are done; give the --log-every that it was "
                                 "written with, or another file",
                                 *last, done));
    }
    return bytes;
}

}  // namespace

Metrics::Metrics(std::string path, std::size_t every, std::size_t done) : path_(std::move(path)) {
    struct stat status = {};
    const bool is_read = done > 0 && (::stat(path_.c_str(), &status) != 0 || S_ISREG(status.st_mode));
    const int mode = is_read ? O_RDWR : O_WRONLY | O_TRUNC;
    // A pipe that nobody reads would keep an ordinary open waiting.
    file_ = ::open(path_.c_str(), mode | O_CREAT | O_CLOEXEC | O_APPEND | O_NONBLOCK, 0666);
    if (file_ < 0 || ::fstat(file_, &status) != 0 || ::fcntl(file_, F_SETFL, O_APPEND) != 0) {
        refuse(path_, "the metrics file can't be written (" + reason() + "); name another with --metrics");
    }
    try {
        if (is_read && ::ftruncate(file_, bytes_to_keep(file_, path_, every, done)) != 0) {
            refuse(path_, "the metrics file can't be cut back: " + reason());
        }
    } catch (...) {
        ::close(file_);
        throw;
    }
}

Metrics::~Metrics() {
    if (file_ >= 0) {
        ::close(file_);
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
    if (error_ == 0 && !write_all(file_, waiting_.data(), waiting_.size())) {
        error_ = errno;
    }
    waiting_.clear();
}

void Metrics::sync() {
    flush();
    while (error_ == 0 && ::fsync(file_) != 0) {
        if (errno == EINVAL || errno == ENOTSUP || errno == EROFS) {
            return;  // a device, a pipe
        }
        error_ = errno == EINTR ? 0 : errno;
    }
}

void Metrics::close() {
    sync();
    if (::close(std::exchange(file_, -1)) != 0 && error_ == 0) {
        error_ = errno;
    }
    if (error_ != 0) {
        refuse(path_, "the metrics file could not be written whole: " + reason(error_));
    }
}

}  // namespace byhand::cli

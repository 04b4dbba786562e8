#include "cli/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace byhand::cli {
namespace {

std::string duration(double seconds) {
    if (seconds < 100) {
        return fmt::format("{:.0f} s", seconds);
    }
    return fmt::format("{:.0f} min", seconds / 60);
}

}  // namespace

bool wants_colour(int descriptor) {
    const char* no_colour = std::getenv("NO_COLOR");   // NOLINT(concurrency-mt-unsafe): one thread
    const char* terminal = std::getenv("TERM");        // NOLINT(concurrency-mt-unsafe)
    return ::isatty(descriptor) != 0 && (no_colour == nullptr || *no_colour == '\0') && terminal != nullptr &&
           std::strcmp(terminal, "dumb") != 0;
}

Progress::Progress(std::size_t steps, std::size_t every, std::string what)
    : steps_(steps), every_(every), what_(std::move(what)), terminal_(::isatty(STDERR_FILENO) != 0) {}

void Progress::step(std::size_t step, float loss) {
    if (terminal_) {
        constexpr std::size_t kLookAtClock = 64;  // steps
        if (step % kLookAtClock == 0 || step + 1 == steps_) {
            redraw(step + 1, loss);
        }
    }
    if (step % every_ == 0 || step + 1 == steps_) {
        finish();
        const double rate = static_cast<double>(step + 1) / seconds();
        fmt::print(stderr, "{:>{}} / {}  loss {:.4f}  {:.0f} steps/s\n", step, std::to_string(steps_).size(), steps_,
                   loss, rate);
    }
}

void Progress::redraw(std::size_t done, float loss) {
    const Clock::time_point now = Clock::now();
    if (now - drawn_ < std::chrono::milliseconds(100)) {
        return;
    }
    drawn_ = now;
    const double passed = seconds();
    const double rate = static_cast<double>(done) / passed;
    fmt::print(stderr, "\r\x1b[K{} {:3.0f} %  step {}  loss {:.4f}  {:.0f} steps/s  {} left", what_,
               100.0 * static_cast<double>(done) / static_cast<double>(steps_), done, loss, rate,
               duration(static_cast<double>(steps_ - done) / rate));
    std::fflush(stderr);
}

void Progress::finish() {
    if (terminal_) {
        fmt::print(stderr, "\r\x1b[K");
        std::fflush(stderr);
    }
}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

}  // namespace byhand::cli

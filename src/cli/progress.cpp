#include "cli/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "cli/say.h"

namespace byhand::cli {
namespace {

std::string duration(double seconds) {
    if (seconds < 100) {
        return fmt::format("{:.0f} s", seconds);
    }
    return fmt::format("{:.0f} min", seconds / 60);
}

// "1234 steps/s", "0.8 parts/s"
std::string rate_text(double rate, const std::string& unit) {
    return rate < 10 ? fmt::format("{:.1f} {}s/s", rate, unit) : fmt::format("{:.0f} {}s/s", rate, unit);
}

}  // namespace

bool wants_colour(int descriptor) {
    const char* no_colour = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): one thread
    const char* terminal = std::getenv("TERM");       // NOLINT(concurrency-mt-unsafe)
    return ::isatty(descriptor) != 0 && (no_colour == nullptr || *no_colour == '\0') && terminal != nullptr &&
           std::strcmp(terminal, "dumb") != 0;
}

Progress::Progress(std::size_t steps, std::optional<std::size_t> every, std::string what, std::string unit,
                   std::size_t first, std::size_t examples)
    : steps_(steps),
      first_(first),
      examples_(examples),
      every_(every),
      what_(std::move(what)),
      unit_(std::move(unit)),
      terminal_(::isatty(STDERR_FILENO) != 0) {}

void Progress::step(std::size_t step, std::optional<float> loss) {
    if (loss) {
        sum_ += *loss;
        ++losses_;
    }
    if (terminal_) {
        redraw(step + 1);
    }
    if (every_ && (step % *every_ == 0 || step + 1 == steps_)) {
        finish();
        const double rate = static_cast<double>(step + 1 - first_) / seconds();
        say("{:>{}} / {}{}  {}{}{}\n", step, std::to_string(steps_).size(), steps_, loss_text(), rate_text(rate, unit_),
            examples_ > 0 ? "  " : "", examples_text(rate));
        sum_ = 0;
        losses_ = 0;
    }
}

void Progress::reach(std::size_t done) {
    constexpr std::chrono::seconds kBetweenLines(10);
    if (terminal_) {
        redraw(done);
    } else if (done < steps_ && Clock::now() - drawn_ >= kBetweenLines) {
        drawn_ = Clock::now();
        say("{}: {} of {} {}s after {:.0f} s\n", what_, done, steps_, unit_, seconds());
    }
}

std::string Progress::loss_text() const {
    return losses_ > 0 ? fmt::format("  mean loss {:.4f}", sum_ / static_cast<double>(losses_)) : "";
}

// "640 examples/s", "83 k examples/s", "1.3 M examples/s"
std::string Progress::examples_text(double steps_per_second) const {
    if (examples_ == 0) {
        return "";
    }
    const double rate = steps_per_second * static_cast<double>(examples_);
    const auto [unit, prefix] = rate < 999.5     ? std::pair(1.0, "")
                                : rate < 999.5e3 ? std::pair(1e3, "k ")
                                                 : std::pair(1e6, "M ");
    return fmt::format("{:.{}f} {}examples/s", rate / unit, unit > 1 && rate < 9.95 * unit ? 1 : 0, prefix);
}

void Progress::redraw(std::size_t done) {
    const Clock::time_point now = Clock::now();
    if (now - drawn_ < std::chrono::milliseconds(100)) {
        return;
    }
    drawn_ = now;
    const double passed = seconds();
    const double rate = static_cast<double>(done - first_) / passed;
    say("\r\x1b[K{} {:3.0f} %  {} {}{}  {}  {} left", what_,
        100.0 * static_cast<double>(done) / static_cast<double>(steps_), unit_, done, loss_text(),
        examples_ > 0 ? examples_text(rate) : rate_text(rate, unit_),
        duration(static_cast<double>(steps_ - done) / rate));
    std::fflush(stderr);
}

void Progress::finish() const {
    if (terminal_) {
        say("\r\x1b[K");
        std::fflush(stderr);
    }
}

double Progress::seconds() const {
    return std::chrono::duration<double>(Clock::now() - start_).count();
}

}  // namespace byhand::cli

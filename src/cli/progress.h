// How far a long run has come, on stderr.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace byhand::cli {

// Whether a stream is a terminal that wants colour: NO_COLOR is not set, TERM is not dumb.
bool wants_colour(int descriptor);

class Progress {
public:
    // A line for each `every`-th step and the last, where that is wanted; on a terminal also one that is redrawn some
    // ten times a second. `unit` is what a step is called; `first` of them were done before.
    Progress(std::size_t steps, std::optional<std::size_t> every, std::string what, std::string unit = "step",
             std::size_t first = 0);

    // Step `step` (from 0) is done, with this loss where one is known.
    void step(std::size_t step, std::optional<float> loss = std::nullopt);

    // Clears the redrawn line.
    void finish() const;

    double seconds() const;

private:
    using Clock = std::chrono::steady_clock;
    void redraw(std::size_t done, std::optional<float> loss);

    std::size_t steps_, first_;
    std::optional<std::size_t> every_;
    std::string what_, unit_;
    bool terminal_;
    Clock::time_point start_ = Clock::now();
    Clock::time_point drawn_ = start_;
};

}  // namespace byhand::cli

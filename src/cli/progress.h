// Progress of a long run, on stderr.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace byhand::cli {

// Whether a stream is a terminal with colour: NO_COLOR is not set, TERM is not dumb.
bool wants_colour(int descriptor);

class Progress {
public:
    // A line for each `every`-th step and the last, if `every` is set; on a terminal also a line that is redrawn about
    // ten times a second. `unit` is the name of a step; `first` steps were done before. If the `examples` of a step are
    // given, both lines have the examples per second.
    Progress(std::size_t steps, std::optional<std::size_t> every, std::string what, std::string unit = "step",
             std::size_t first = 0, std::size_t examples = 0);

    // Step `step` (from 0) is done, with this loss if there is one. The loss of a batch is noisy: lines show the mean
    // of those since the last `every`-th step.
    void step(std::size_t step, std::optional<float> loss = std::nullopt);

    // So many steps of uneven length are done. Off a terminal a line every ten seconds.
    void reach(std::size_t done);

    // Clears the redrawn line.
    void finish() const;

    double seconds() const;

private:
    using Clock = std::chrono::steady_clock;
    void redraw(std::size_t done);
    std::string loss_text() const;
    std::string examples_text(double steps_per_second) const;

    std::size_t steps_, first_, examples_;
    std::optional<std::size_t> every_;
    std::string what_, unit_;
    bool terminal_;
    double sum_ = 0;  // of `losses_` losses
    std::size_t losses_ = 0;
    Clock::time_point start_ = Clock::now();
    Clock::time_point drawn_ = start_;
};

}  // namespace byhand::cli

#include "cli/gnuplot.h"

#include <stdexcept>

#include "cli/run_program.h"

namespace byhand::cli {

std::optional<std::string> gnuplot(const std::string& commands) {
    const std::optional<ProgramRun> run = run_program("gnuplot", {"-"}, commands);
    if (!run) {
        return std::nullopt;
    }
    if (run->exit_code != 0) {
        throw std::runtime_error("gnuplot failed: " + run->err);
    }
    return run->out;
}

}  // namespace byhand::cli

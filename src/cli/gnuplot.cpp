#include "cli/gnuplot.h"

#include "base/error.h"
#include "base/process.h"

namespace byhand::cli {

std::optional<std::string> gnuplot(const std::string& commands) {
    const std::optional<ProgramRun> run = run_and_read({"gnuplot", "-d", "-"}, commands);
    if (!run) {
        return std::nullopt;
    }
    if (run->exit_code != 0) {
        throw InputError("gnuplot failed: " + run->err);
    }
    return run->out;
}

}  // namespace byhand::cli

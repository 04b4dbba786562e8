#include "cli/metrics.h"

#include <fmt/core.h>

#include <cmath>

#include "base/error.h"

namespace byhand::cli {

Metrics::Metrics(const std::string& path) : path_(path), out_(path) {
    if (!out_) {
        throw InputError(path + ": the metrics file can't be written; name another with --metrics");
    }
}

void Metrics::write(std::size_t step, float loss) {
    // fmt writes a float in the fewest digits that read back the same.
    const std::string number = std::isfinite(loss) ? fmt::format("{}", loss)
                               : std::isnan(loss)  ? "\"nan\""
                               : loss > 0          ? "\"inf\""
                                                   : "\"-inf\"";
    out_ << fmt::format("{{\"step\":{},\"loss\":{}}}\n", step, number);
}

void Metrics::close() {
    out_.close();
    if (!out_) {
        throw InputError(path_ + ": the metrics file could not be written whole");
    }
}

}  // namespace byhand::cli

#include "lab/backward/backward.h"

#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "lab/backward/blocks.h"

namespace byhand::lab {
namespace {

// 65,536 × 1,024: six arrays of it in double are 3.2 GB.
constexpr std::size_t kMostElements = std::size_t{1} << 26;

void check(const BackwardOptions& options) {
    if (options.rows.empty() || options.columns.empty() || options.rounds == 0) {
        throw InputError("--rows and --columns take a number each at least, and --rounds one above 0");
    }
    for (const std::size_t rows : options.rows) {
        for (const std::size_t columns : options.columns) {
            if (rows < 2) {
                throw InputError(fmt::format("--rows {}: a variance with n − 1 takes 2 rows at least", rows));
            }
            if (columns == 0 || rows > kMostElements / columns) {
                throw InputError(
                    fmt::format("{} rows of {} columns: take 1 column at least and no more than {} elements", rows,
                                columns, kMostElements));
            }
        }
    }
}

}  // namespace

Document backward(const BackwardOptions& options, const Setting& setting) {
    check(options);
    Document document{"lab backward", "notes 1 and 5", "Three ways to batch norm's backward", {}, {}, {}, true};
    document.blocks.emplace_back(
        Text{"The gradient of a batch norm's input, derived three times by hand. Note 5 ends in one line, to which the "
             "exercises that ask for it add: the same gradient, and faster. Note 1 goes through the variance and the "
             "mean, and its path from the one to the other carries nothing. What to look at: whether the three are "
             "the same but for rounding, which of them rounds least and when, and what a shorter formula saves on a "
             "processor."});
    document.blocks.emplace_back(Text{"The chain, note 1:"});
    document.blocks.emplace_back(Formulas{
        {"batchnorm_chain_variance_backward", "batchnorm_chain_mean_backward", "batchnorm_chain_input_backward"}});
    document.blocks.emplace_back(Text{"The small steps, each value by itself:"});
    document.blocks.emplace_back(Formulas{{"batchnorm_inverse_deviation_backward", "batchnorm_variance_backward",
                                           "batchnorm_square_sum_backward", "batchnorm_difference_backward",
                                           "batchnorm_mean_backward", "batchnorm_input_backward"}});
    document.blocks.emplace_back(Text{"The one line, note 5:"});
    document.blocks.emplace_back(Formulas{{"batchnorm_backward"}});
    tell_differences(document, options, setting);
    tell_accuracy(document, options, setting);
    tell_path(document, options, setting);
    tell_speed(document, options, setting);
    return document;
}

}  // namespace byhand::lab

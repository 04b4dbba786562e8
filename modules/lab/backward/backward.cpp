#include "lab/backward/backward.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "lab/experiments.h"
#include "manual/batchnorm/chain.h"

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

NormConfig norm_with(Divisor divisor, double epsilon) {
    NormConfig norm;
    norm.batch_divisor = divisor;
    norm.epsilon = epsilon;
    return norm;
}

StepList steps_of(Form form, const NormConfig& norm, std::size_t n, std::size_t H) {
    const Divisor divisor = norm.batch_divisor;
    StepList steps;
    if (form == Form::chain) {
        add(steps, "dbnvar", {H}, {"dbnraw", "bndiff", "bnvar"}, BYHAND_FUNCTION(batchnorm_chain_variance_backward), n,
            H, norm.epsilon, norm.epsilon_place);
        add(steps, "dbnmeani", {H}, {"dbnraw", "bndiff", "bnvar_inv", "dbnvar"},
            BYHAND_FUNCTION(batchnorm_chain_mean_backward), n, H, divisor);
        add(steps, "dhprebn", {n, H}, {"dbnraw", "bndiff", "bnvar_inv", "dbnvar", "dbnmeani"},
            BYHAND_FUNCTION(batchnorm_chain_input_backward), n, H, divisor);
        return steps;
    }
    steps = operation_graph(op::kBatchnorm, norm, n, H, form == Form::steps ? HandForm::stepwise : HandForm::collapsed)
                .backward;
    steps.erase(steps.begin(), std::ranges::find(steps, "dbnraw", &Step::makes) + 1);
    return steps;
}

Experiment backward_experiment() {
    const auto prepare = [] {
        return prepared<BackwardOptions>(
            [](BackwardOptions& options) -> std::vector<OwnOption> {
                return {{"--rows", "Numbers of rows to time, each with each number of columns", &options.rows, 2,
                         kMostElements},
                        {"--columns", "Numbers of columns to time", &options.columns, 1, kMostElements},
                        {"--rounds", "Rounds for each shape, type and divisor; fewer if they take long",
                         &options.rounds, 1, 1'000'000}};
            },
            backward);
    };
    return {.name = "backward",
            .note = "notes 1, 5",
            .about = "Three derivations: how exact, how fast",
            .seeds = 9,
            .prepare = prepare};
}

Document backward(const BackwardOptions& options, const Setup& setup) {
    check(options);
    Document document{"lab backward", "notes 1 and 5", "Three ways to batch norm's backward", {}, {}, {}, true};
    document.blocks.emplace_back(Text{
        "The gradient of a batch norm's input, derived three times by hand: whether the three are the same but for "
        "rounding, which of them rounds least and when, and how much time a shorter formula saves."});
    for (std::size_t form = 0; form < kForms.size(); ++form) {
        constexpr std::array kTitles = {
            "The chain, note 1:", "The small steps, one value at a time:", "The one line, note 5:"};
        Formulas formulas;
        for (const Step& step : steps_of(kForms[form], {}, 2, 1)) {
            formulas.formulas.emplace_back(step.in_float.name);
        }
        document.blocks.emplace_back(Text{kTitles[form]});
        document.blocks.emplace_back(std::move(formulas));
    }
    add_accuracy(document, setup);
    add_speed(document, options, setup.setting);
    return document;
}

}  // namespace byhand::lab

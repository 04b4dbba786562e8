#include "manual/glossary.h"

namespace byhand {

// A norm after the non-linearity, or on the output, has the same symbols: H0 is its input.
GlossaryRows batchnorm_rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "hprebn",
         .axes = {row, unit},
         .meaning = "the norm's input",
         .symbol = "H0",
         .rule = "hprebn is used twice, in bndiff and in bnmeani, and both gradients add up. A mean passes 1/n of its "
                 "gradient to every row.",
         .collapsed = "The nine steps of the norm combined: the paths through mean and variance reduce to two sums "
                      "over the rows, of dbnraw and of dbnraw·bnraw."},
        {.value = "bnmeani",
         .axes = {unit},
         .meaning = "the mean of each unit over the batch",
         .symbol = "μ",
         .rule = "It was subtracted from every row: the negative sum over the rows."},
        {.value = "bndiff",
         .axes = {row, unit},
         .meaning = "each unit's difference from its mean",
         .symbol = "H0 − μ",
         .rule = "bndiff is used twice, in bnraw and in bndiff2, and both gradients add up. x² has the derivative 2x."},
        {.value = "bndiff2",
         .axes = {row, unit},
         .meaning = "the square of that difference",
         .symbol = "(H0 − μ)²",
         .rule = "It was summed over the rows and divided by D: every row receives the gradient, divided by D."},
        {.value = "bnvar",
         .axes = {unit},
         .meaning = "the variance of each unit over the batch",
         .symbol = "σ²",
         .rule = "(x + ε)^(−1/2) has the derivative −½·(x + ε)^(−3/2)."},
        {.value = "bnvar_inv",
         .axes = {unit},
         .meaning = "one over the standard deviation of each unit",
         .symbol = "1/√(σ²+ε)",
         .rule = kMultipliedIntoEveryRow},
        {.value = "bnraw",
         .axes = {row, unit},
         .meaning = "the normalised value: mean 0 and standard deviation 1 over the batch",
         .symbol = "HN",
         .rule = "It was multiplied by γ, and so is its gradient."},
        {.value = "bngain",
         .axes = {unit},
         .meaning = "the norm's gain γ, a factor for each unit",
         .symbol = "γ",
         .rule = kMultipliedIntoEveryRow},
        {.value = "bnbias",
         .axes = {unit},
         .meaning = "the norm's bias β, added to each unit",
         .symbol = "β",
         .rule = kAddedToEveryRow},
        {.value = "bnmean_running",
         .axes = {unit},
         .meaning = "the mean of each unit in evaluation, a moving average over the batches"},
        {.value = "bnvar_running",
         .axes = {unit},
         .meaning =
             "the variance (or standard deviation) of each unit in evaluation, a moving average over the batches"},
    };
    return kRows;
}

}  // namespace byhand

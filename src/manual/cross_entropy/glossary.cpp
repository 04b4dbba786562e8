#include "manual/glossary.h"

namespace byhand {

GlossaryRows cross_entropy_rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "logits",
         .axes = {row, character},
         .meaning = "a score for each possible next character",
         .symbol = "logits",
         .rule = "logits is used twice: directly, and in the maximum of its row. A maximum passes its gradient to the "
                 "largest element, the first in a tie.",
         .collapsed = "The eight steps from the loss combined: only the probabilities minus the one-hot target remain, "
                      "and each row sums to 0."},
        {.value = "logit_maxes",
         .axes = {row},
         .meaning = "the largest score in each row, subtracted so that exp can't overflow",
         .rule = "It was subtracted from every element of its row: the negative sum along the row.",
         .zero_gradient = true},
        {.value = "norm_logits",
         .axes = {row, character},
         .meaning = "the scores minus the largest of their row",
         .rule = "e^x is its own derivative."},
        {.value = "counts",
         .axes = {row, character},
         .meaning = "the exponentials of the scores: all positive",
         .rule = "counts is used twice, in probs and in counts_sum, and both gradients add up. A sum in the forward "
                 "pass is a broadcast in the backward pass."},
        {.value = "counts_sum",
         .axes = {row},
         .meaning = "the sum of each row's counts",
         .rule = "1/x has the derivative −1/x²."},
        {.value = "counts_sum_inv",
         .axes = {row},
         .meaning = "one over that sum",
         .rule = "One number per row multiplied all columns of counts: a broadcast in the forward pass is a sum in the "
                 "backward pass, along the row."},
        {.value = "probs",
         .axes = {row, character},
         .meaning = "the probability of each next character; every row sums to 1",
         .symbol = "Ŷ",
         .rule = "ln x has the derivative 1/x, elementwise."},
        {.value = "logprobs",
         .axes = {row, character},
         .meaning = "the logarithm of the probabilities",
         .rule = "The loss is the mean of −logprobs at the right answers: each of those counts −1/n, and all others "
                 "nothing."},
        {.value = "loss",
         .axes = {},
         .meaning = "the mean over the batch of −ln of the target's probability",
         .symbol = "L"},
    };
    return kRows;
}

}  // namespace byhand

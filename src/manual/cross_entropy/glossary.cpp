#include "manual/glossary.h"

namespace byhand {

GlossaryRows cross_entropy_rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "logits",
         .axes = {row, character},
         .meaning = "a score for each character that may come next",
         .symbol = "logits",
         .rule = "logits is used twice: as itself, and as the maximum of its row. A maximum hands its gradient to the "
                 "one element that it was, the first in a tie.",
         .collapsed = "Put the eight steps from the loss together: all cancels but the probabilities and the right "
                      "answer, of which each row's sum is 0."},
        {.value = "logit_maxes",
         .axes = {row},
         .meaning = "the largest score in each row, taken off so that exp can't overflow",
         .rule = "It was taken off every element of its row: the sum along the row, with a minus.",
         .zero_gradient = true},
        {.value = "norm_logits",
         .axes = {row, character},
         .meaning = "the scores less the largest of their row",
         .rule = "e^x is its own derivative."},
        {.value = "counts",
         .axes = {row, character},
         .meaning = "e to the power of the scores: all positive",
         .rule = "counts is used twice, in probs and in counts_sum, and both gradients add up. What was summed up "
                 "forwards is spread out backwards."},
        {.value = "counts_sum",
         .axes = {row},
         .meaning = "the sum of each row's counts",
         .rule = "1/x has the derivative −1/x²."},
        {.value = "counts_sum_inv",
         .axes = {row},
         .meaning = "one over that sum",
         .rule = "One number a row was multiplied into all columns of counts: what is spread out forwards is summed "
                 "up backwards, along the row."},
        {.value = "probs",
         .axes = {row, character},
         .meaning = "the probability of each character to come next; every row sums to 1",
         .symbol = "Ŷ",
         .rule = "ln x has the derivative 1/x, element by element."},
        {.value = "logprobs",
         .axes = {row, character},
         .meaning = "the logarithm of the probabilities",
         .rule = "The loss is the mean of −logprobs at the right answers: each of those counts −1/n, and all others "
                 "nothing."},
        {.value = "loss",
         .axes = {},
         .meaning = "the mean over the batch of −ln of the right answer's probability",
         .symbol = "L"},
    };
    return kRows;
}

}  // namespace byhand

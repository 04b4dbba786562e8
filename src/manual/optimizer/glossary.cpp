#include "manual/glossary.h"

namespace byhand {

// By role: the row of "exp_avg" describes exp_avg_W1.
GlossaryRows optimizer_rows() {
    static const std::vector<GlossaryRow> kRows = {
        {.value = "l2grad",
         .axes = {},
         .meaning = "the parameter's gradient plus the L2 term of the weight decay, λ·p",
         .is_role = true},
        {.value = "momentum",
         .axes = {},
         .meaning = "the momentum buffer: the sum of all gradients, each multiplied by μ in every later step",
         .is_role = true},
        {.value = "lookahead",
         .axes = {},
         .meaning = "Nesterov's direction: the gradient plus μ times the momentum, which already includes it",
         .is_role = true},
        {.value = "step_count", .axes = {}, .meaning = "t: the number of steps that AdamW has made"},
        {.value = "correction1",
         .axes = {},
         .meaning = "1 − β1^t: the sum of the weights in the mean of gradients, which is initially 0"},
        {.value = "correction2",
         .axes = {},
         .meaning = "1 − β2^t: the sum of the weights in the mean of squared gradients, which is initially 0"},
        {.value = "exp_avg",
         .axes = {},
         .meaning = "the first moment: the exponential moving average of the gradient, with β1",
         .is_role = true},
        {.value = "exp_avg_sq",
         .axes = {},
         .meaning = "the second moment: the exponential moving average of the squared gradient, with β2",
         .is_role = true},
        {.value = "mhat", .axes = {}, .meaning = "the first moment without its bias towards 0", .is_role = true},
        {.value = "vhat", .axes = {}, .meaning = "the second moment without its bias towards 0", .is_role = true},
    };
    return kRows;
}

}  // namespace byhand

#include "manual/glossary.h"

namespace byhand {

// By role: the row of "exp_avg" describes exp_avg_W1.
GlossaryRows optimizer_rows() {
    static const std::vector<GlossaryRow> kRows = {
        {.value = "l2grad",
         .axes = {},
         .meaning = "the parameter's gradient with the L2 term of the weight decay, λ·p, on top",
         .is_role = true},
        {.value = "momentum",
         .axes = {},
         .meaning = "the momentum buffer: the sum of all gradients, each shrunk by μ with every step since",
         .is_role = true},
        {.value = "lookahead",
         .axes = {},
         .meaning = "Nesterov's direction: the gradient and, by μ, the momentum that already has it",
         .is_role = true},
        {.value = "step_count", .axes = {}, .meaning = "t: how many steps AdamW has made"},
        {.value = "correction1",
         .axes = {},
         .meaning = "1 − β1^t: the weights in the mean of gradients, which began at 0, in all"},
        {.value = "correction2",
         .axes = {},
         .meaning = "1 − β2^t: the weights in the mean of squared gradients, which began at 0, in all"},
        {.value = "exp_avg",
         .axes = {},
         .meaning = "the first moment: the exponential mean of the gradient, by β1",
         .is_role = true},
        {.value = "exp_avg_sq",
         .axes = {},
         .meaning = "the second moment: the exponential mean of the gradient's square, by β2",
         .is_role = true},
        {.value = "mhat", .axes = {}, .meaning = "the first moment without its bias towards 0", .is_role = true},
        {.value = "vhat", .axes = {}, .meaning = "the second moment without its bias towards 0", .is_role = true},
    };
    return kRows;
}

}  // namespace byhand

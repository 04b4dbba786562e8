// A step of the network that is timed in isolation, whatever computes it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/network.h"
#include "byhand/view.h"

namespace byhand {

// Its name says what it computes and from what:
//   linear forward     x (n, in), W (in, out) and, with a bias, b (out)      → y (n, out)
//   linear dW          x, dy                                                 → dW (in, out)
//   linear dx          dy, W                                                 → dx (n, in)
//   batchnorm forward  x (n, H) and, of those that it has, γ and β (H)       → y; so layernorm and rmsnorm
//   batchnorm backward dy, x̂ (n, H), γ if it has it, 1/√(var + ε), var (H)   → dx, and the gradients of γ and β
//   layernorm backward dy, x̂, γ if it has it, 1/√(var + ε) (n)               → the same; so rmsnorm
//   tanh forward       x                                                     → h; so every activation
//   tanh backward      dh, and h or, if the derivative is computed from it, x  → dx; so every activation
//   residual forward   two terms                                             → their sum
//   dropout forward    x or dy, and the mask                                 → their product; so dropout backward
//   exp                x                                                     → exp(x)
//   cross-entropy      logits (n, V), Y (n)                                  → dlogits, and the loss
//   embedding gather   C (V, E), X (n, T)                                    → emb (n, T, E)
//   embedding scatter  demb, X                                               → dC
//   update             p, dp, the rate                                       → p − rate·dp, in place of p
struct TimedStep {
    std::string name;
    Operation operation;
    Shape shape;  // of the result
    std::vector<View> reads;
};

// An operation on operands that were copied into the layout of its implementation. It can be run repeatedly; an update
// goes on from its last result, any other operation has the same result each time, which `unpack` copies in rows.
struct PackedOperation {
    std::function<void()> run;
    std::function<void(float* to)> unpack;
};

}  // namespace byhand

// The backward pass of recipe notes, a hidden layer with batch norm and tanh. Fill in a function, save, and run
//
//     scripts/byhand exercise
//
// Any order will do: each function computes one gradient, `out`, from its inputs, and is checked on its own. A function
// that writes nothing is still to do. When all are right:  scripts/byhand train --model exercise
//
// An element is out(i, j), or out(i) of a vector, from 0; probs.size(0) is the number of rows, probs.size(1) that of
// columns. Every access is checked. Sizes in comments: B rows of a batch, T characters of context, E dimensions of the
// embedding, V characters of the vocabulary, H hidden units. In the code T is the type: float, then double.
//
// Stuck?  scripts/byhand exercise --hint dbnvar  shows what it reads, dbnvar:2 adds the rule, dbnvar:3 the formula.
#include <algorithm>
#include <cmath>

#include "exercise/steps.h"

using byhand::exercise::Indices;
using byhand::exercise::Norm;
using byhand::exercise::Tensor;

namespace {

// ---- loss and softmax: norm_logits = logits − logit_maxes, counts = e^norm_logits, counts_sum = Σ counts,
//      counts_sum_inv = 1/counts_sum, probs = counts·counts_sum_inv, logprobs = ln probs, loss = −Σ logprobs[i, Y[i]]/B

// dlogprobs (B, V) from Y (B).   docs/backprop.md#dlogprobs
template <class T>
void dlogprobs(Tensor<T> out, Indices Y) {}

// dprobs (B, V) from dlogprobs (B, V), probs (B, V).   docs/backprop.md#dprobs
template <class T>
void dprobs(Tensor<T> out, Tensor<const T> dlogprobs, Tensor<const T> probs) {}

// dcounts_sum_inv (B) from dprobs (B, V), counts (B, V).   docs/backprop.md#dcounts_sum_inv
template <class T>
void dcounts_sum_inv(Tensor<T> out, Tensor<const T> dprobs, Tensor<const T> counts) {}

// dcounts_sum (B) from dcounts_sum_inv (B), counts_sum (B).   docs/backprop.md#dcounts_sum
template <class T>
void dcounts_sum(Tensor<T> out, Tensor<const T> dcounts_sum_inv, Tensor<const T> counts_sum) {}

// dcounts (B, V) from dprobs (B, V), counts_sum_inv (B), dcounts_sum (B).   docs/backprop.md#dcounts
template <class T>
void dcounts(Tensor<T> out, Tensor<const T> dprobs, Tensor<const T> counts_sum_inv, Tensor<const T> dcounts_sum) {}

// dnorm_logits (B, V) from dcounts (B, V), counts (B, V).   docs/backprop.md#dnorm_logits
template <class T>
void dnorm_logits(Tensor<T> out, Tensor<const T> dcounts, Tensor<const T> counts) {}

// dlogit_maxes (B) from dnorm_logits (B, V).   docs/backprop.md#dlogit_maxes
template <class T>
void dlogit_maxes(Tensor<T> out, Tensor<const T> dnorm_logits) {}

// dlogits (B, V) from dnorm_logits (B, V), dlogit_maxes (B), logits (B, V).   docs/backprop.md#dlogits
template <class T>
void dlogits(Tensor<T> out, Tensor<const T> dnorm_logits, Tensor<const T> dlogit_maxes, Tensor<const T> logits) {}

// ---- the output layer: h = tanh(hpreact), logits = h·W2 + b2

// dh (B, H) from dlogits (B, V), W2 (H, V).   docs/backprop.md#dh
template <class T>
void dh(Tensor<T> out, Tensor<const T> dlogits, Tensor<const T> W2) {}

// dW2 (H, V) from h (B, H), dlogits (B, V).   docs/backprop.md#dw2
template <class T>
void dW2(Tensor<T> out, Tensor<const T> h, Tensor<const T> dlogits) {}

// db2 (V) from dlogits (B, V).   docs/backprop.md#db2
template <class T>
void db2(Tensor<T> out, Tensor<const T> dlogits) {}

// dhpreact (B, H) from dh (B, H), h (B, H).   docs/backprop.md#dhpreact
template <class T>
void dhpreact(Tensor<T> out, Tensor<const T> dh, Tensor<const T> h) {}

// ---- batch norm: bnmeani = Σ hprebn/B, bndiff = hprebn − bnmeani, bndiff2 = bndiff², bnvar = Σ bndiff2/norm.divisor,
//      bnvar_inv = (bnvar + norm.epsilon)^(−1/2), bnraw = bndiff·bnvar_inv, hpreact = bngain·bnraw + bnbias

// dbngain (H) from dhpreact (B, H), bnraw (B, H).   docs/backprop.md#dbngain
template <class T>
void dbngain(Tensor<T> out, Tensor<const T> dhpreact, Tensor<const T> bnraw) {}

// dbnbias (H) from dhpreact (B, H).   docs/backprop.md#dbnbias
template <class T>
void dbnbias(Tensor<T> out, Tensor<const T> dhpreact) {}

// dbnraw (B, H) from dhpreact (B, H), bngain (H).   docs/backprop.md#dbnraw
template <class T>
void dbnraw(Tensor<T> out, Tensor<const T> dhpreact, Tensor<const T> bngain) {}

// dbnvar_inv (H) from dbnraw (B, H), bndiff (B, H).   docs/backprop.md#dbnvar_inv
template <class T>
void dbnvar_inv(Tensor<T> out, Tensor<const T> dbnraw, Tensor<const T> bndiff) {}

// dbnvar (H) from dbnvar_inv (H), bnvar (H); norm.epsilon.   docs/backprop.md#dbnvar
template <class T>
void dbnvar(Tensor<T> out, Tensor<const T> dbnvar_inv, Tensor<const T> bnvar, Norm norm) {}

// dbndiff2 (B, H) from dbnvar (H); norm.divisor.   docs/backprop.md#dbndiff2
template <class T>
void dbndiff2(Tensor<T> out, Tensor<const T> dbnvar, Norm norm) {}

// dbndiff (B, H) from dbnraw (B, H), bnvar_inv (H), dbndiff2 (B, H), bndiff (B, H).   docs/backprop.md#dbndiff
template <class T>
void dbndiff(Tensor<T> out, Tensor<const T> dbnraw, Tensor<const T> bnvar_inv, Tensor<const T> dbndiff2,
             Tensor<const T> bndiff) {}

// dbnmeani (H) from dbndiff (B, H).   docs/backprop.md#dbnmeani
template <class T>
void dbnmeani(Tensor<T> out, Tensor<const T> dbndiff) {}

// dhprebn (B, H) from dbndiff (B, H), dbnmeani (H).   docs/backprop.md#dhprebn
template <class T>
void dhprebn(Tensor<T> out, Tensor<const T> dbndiff, Tensor<const T> dbnmeani) {}

// ---- the embedding and the hidden layer: emb = C[X], embcat is emb, its T rows joined, hprebn = embcat·W1 + b1

// dembcat (B, T·E) from dhprebn (B, H), W1 (T·E, H).   docs/backprop.md#dembcat
template <class T>
void dembcat(Tensor<T> out, Tensor<const T> dhprebn, Tensor<const T> W1) {}

// dW1 (T·E, H) from embcat (B, T·E), dhprebn (B, H).   docs/backprop.md#dw1
template <class T>
void dW1(Tensor<T> out, Tensor<const T> embcat, Tensor<const T> dhprebn) {}

// db1 (H) from dhprebn (B, H).   docs/backprop.md#db1
template <class T>
void db1(Tensor<T> out, Tensor<const T> dhprebn) {}

// demb (B, T, E) from dembcat (B, T·E).   docs/backprop.md#demb
template <class T>
void demb(Tensor<T> out, Tensor<const T> dembcat) {}

// dC (V, E) from demb (B, T, E), X (B, T).   docs/backprop.md#dc
template <class T>
void dC(Tensor<T> out, Tensor<const T> demb, Indices X) {}

// ---- the same in one formula each: softmax with its loss, and the whole norm

// dlogits (B, V) from logits (B, V), Y (B).   docs/backprop.md#softmax-and-cross-entropy-in-one
template <class T>
void dlogits_in_one(Tensor<T> out, Tensor<const T> logits, Indices Y) {}

// dhprebn (B, H) from dbnraw (B, H), bnraw (B, H), bnvar_inv (H), bnvar (H); norm.divisor and norm.epsilon.
// docs/backprop.md#batch-norm-in-one-line
template <class T>
void dhprebn_in_one(Tensor<T> out, Tensor<const T> dbnraw, Tensor<const T> bnraw, Tensor<const T> bnvar_inv,
                    Tensor<const T> bnvar, Norm norm) {}

// Registers the functions, in float and in double. (Leave out those that should not be checked.)
template <class T>
void add_all(byhand::exercise::Steps& steps) {
    steps.add("dlogprobs", dlogprobs<T>);
    steps.add("dprobs", dprobs<T>);
    steps.add("dcounts_sum_inv", dcounts_sum_inv<T>);
    steps.add("dcounts_sum", dcounts_sum<T>);
    steps.add("dcounts", dcounts<T>);
    steps.add("dnorm_logits", dnorm_logits<T>);
    steps.add("dlogit_maxes", dlogit_maxes<T>);
    steps.add("dlogits", dlogits<T>);
    steps.add("dh", dh<T>);
    steps.add("dW2", dW2<T>);
    steps.add("db2", db2<T>);
    steps.add("dhpreact", dhpreact<T>);
    steps.add("dbngain", dbngain<T>);
    steps.add("dbnbias", dbnbias<T>);
    steps.add("dbnraw", dbnraw<T>);
    steps.add("dbnvar_inv", dbnvar_inv<T>);
    steps.add("dbnvar", dbnvar<T>);
    steps.add("dbndiff2", dbndiff2<T>);
    steps.add("dbndiff", dbndiff<T>);
    steps.add("dbnmeani", dbnmeani<T>);
    steps.add("dhprebn", dhprebn<T>);
    steps.add("dembcat", dembcat<T>);
    steps.add("dW1", dW1<T>);
    steps.add("db1", db1<T>);
    steps.add("demb", demb<T>);
    steps.add("dC", dC<T>);
    steps.add_in_one("dlogits", dlogits_in_one<T>);
    steps.add_in_one("dhprebn", dhprebn_in_one<T>);
}

}  // namespace

void byhand_steps(byhand::exercise::Steps& steps) {
    add_all<float>(steps);
    add_all<double>(steps);
}

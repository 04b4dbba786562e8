#include "harness/rules.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/value.h"

namespace byhand {
namespace {

struct Rule {
    std::string_view name, text;
};

constexpr std::string_view kLeftFactor =
    "Of a product of matrices, the left factor's gradient is the result's times the right factor transposed: no other "
    "order fits the shapes.";
constexpr std::string_view kRightFactor =
    "Of a product of matrices, the right factor's gradient is the left factor transposed times the result's: that sums "
    "over the rows of the batch.";
constexpr std::string_view kAddedToEveryRow =
    "It was added to every row: what is spread out forwards is summed up backwards, over the rows.";

// Of W and b for every layer, of the rest without a layer's suffix.
constexpr std::array kRules = std::to_array<Rule>({
    {"dlogprobs",
     "The loss is the mean of −logprobs at the right answers: each of those counts −1/n, and all others nothing."},
    {"dprobs", "ln x has the derivative 1/x, element by element."},
    {"dcounts_sum_inv",
     "One number a row was multiplied into all columns of counts: what is spread out forwards is summed up backwards, "
     "along the row."},
    {"dcounts_sum", "1/x has the derivative −1/x²."},
    {"dcounts",
     "counts is used twice, in probs and in counts_sum, and both gradients add up. What was summed up forwards is "
     "spread "
     "out backwards."},
    {"dnorm_logits", "e^x is its own derivative."},
    {"dlogit_maxes", "It was taken off every element of its row: the sum along the row, with a minus."},
    {"dlogits",
     "logits is used twice: as itself, and as the maximum of its row. A maximum hands its gradient to the one element "
     "that it was, the first in a tie."},
    {"dh", kLeftFactor},
    {"dW", kRightFactor},
    {"db", kAddedToEveryRow},
    {"dhpreact", "tanh has the derivative 1 − tanh², and tanh(hpreact) is there already: h."},
    {"dbngain", "One number a unit was multiplied into all rows: summed up backwards, over the rows."},
    {"dbnbias", kAddedToEveryRow},
    {"dbnraw", "It was multiplied by γ, and so is its gradient."},
    {"dbnvar_inv", "One number a unit was multiplied into all rows: summed up backwards, over the rows."},
    {"dbnvar", "(x + ε)^(−1/2) has the derivative −½·(x + ε)^(−3/2)."},
    {"dbndiff2", "It was summed over the rows and divided by D: every row gets the gradient, divided by D."},
    {"dbndiff", "bndiff is used twice, in bnraw and in bndiff2, and both gradients add up. x² has the derivative 2x."},
    {"dbnmeani", "It was taken off every row: the sum over the rows, with a minus."},
    {"dhprebn",
     "hprebn is used twice, in bndiff and in bnmeani, and both gradients add up. A mean hands 1/n of its gradient to "
     "every row."},
    {"dembcat", kLeftFactor},
    {"demb", "Only the shape was changed: the same numbers, position by position."},
    {"dC",
     "A row of C is used wherever its character stands: it collects the gradients of all those places. Begin at zero, "
     "and add."},
});

constexpr std::array kInOne = std::to_array<Rule>({
    {"dlogits",
     "Put the eight steps from the loss together: all cancels but the probabilities and the right answer, of which "
     "each "
     "row's sum is 0."},
    {"dhprebn",
     "Put the nine steps of the norm together: of the ways through mean and variance two sums over the rows are left, "
     "that of dbnraw and that of dbnraw·bnraw."},
});

}  // namespace

std::string rule(const std::string& name, bool in_one) {
    Value value = value_of(name);
    value.layer = 0;
    const std::string of = value.name();
    const auto in = [&of](const auto& rules) {
        const auto found = std::ranges::find(rules, of, &Rule::name);
        return found != rules.end() ? std::string(found->text) : std::string();
    };
    return in_one ? in(kInOne) : in(kRules);
}

}  // namespace byhand

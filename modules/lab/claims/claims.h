// Note 4's claims of batch norm, each measured on trainings with it and without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/tensors.h"
#include "lab/experiments.h"
#include "lab/study.h"
#include "names/dataset.h"
#include "report/document.h"
#include "steps/runner.h"
#include "train/run.h"

namespace byhand::lab {

struct ClaimsOptions {
    std::vector<std::string> claims;  // of claim_names(); empty: all

    std::vector<OwnOption> own();
    bool wants(const std::string& claim) const;
};
inline constexpr std::size_t kFewestClaimSteps = 500;

std::vector<std::string> claim_names();

// Each of setup.recipes with its norm (before the non-linearity if it has none) and without any. Throws InputError if
// there are too few steps, or a recipe cannot be trained on these names. Preconditions: a recipe, and claims of
// claim_names().
Document claims(const ClaimsOptions& options, const Setup& setup);

// ---- A network in two forms that differ in the norm ----

// The form without has a bias in every layer: the norm makes some superfluous.
struct TwoForms {
    std::string name;
    std::vector<Recipe> forms;  // with the norm, without; with the vocabulary of the data
    Examples train, val;        // the recipe's split
};
TwoForms two_forms(Recipe recipe, const Material& material);

// A study of both forms of a network.
Study study_of(const TwoForms& network, const Setup& setup, std::string key, const std::string& title);
// The form's recipe in setup.steps, at this rate throughout or by default at its first.
Recipe recipe_for(const TwoForms& network, std::size_t form, const Setup& setup,
                  const std::optional<double>& rate = std::nullopt);
// For trainings of which only the minibatches' losses count: hardly anything is evaluated at the end.
Training for_its_curve(Recipe recipe);

// Each adds its studies to the document and returns its claims.
using Claims = std::vector<Claim>;
Claims by_rates(Document& document, const TwoForms& network, const Setup& setup, const ClaimsOptions& options);
Claims initial_weights(Document& document, const TwoForms& network, const Setup& setup);
Claims regularised(Document& document, const TwoForms& network, const Setup& setup);
Claims steadier_inputs(Document& document, const TwoForms& network, const Setup& setup);
Claims shifted_data(Document& document, const TwoForms& network, const Setup& setup);

// ---- What is read from curves ----

// The mean of the curve's last fifth (at least a window); infinite if the training was not finite or shorter than a
// window.
double final_loss(const Trained& trained);

// The first step after which the mean loss of a window is no larger than this; `all`, the steps that it was to take, if
// the loss is never reached or the training was not finite.
double steps_to(const Trained& trained, double loss, std::size_t all);

// The largest x whose y is below the limit; 0 if none is. Both of a size, x rising.
double largest_below(const std::vector<double>& x, const std::vector<double>& y, double limit);

// How far x may go without y leaving the lowest by more than `tolerance`, on both sides of it, in decades: between
// neighbours the crossing is interpolated on the logarithm of x, and at the ends of x it stops. Both of a size, x
// positive and rising; 0 if no y is finite.
double decades_within(const std::vector<double>& x, const std::vector<double>& y, double tolerance);

// Mean cross-entropy of `characters` by the frequencies that the characters have in `train`, with one added to each, in
// nats. Precondition: none is empty.
double frequency_loss(const std::vector<std::int64_t>& train, const std::vector<std::int64_t>& characters,
                      std::size_t vocabulary);

// ---- The inputs of a layer while the layers before it learn ----

// The deviation, over the moments of a training, of each unit's mean, summed over the units, by the sum of their mean
// deviations: in units of what a unit spreads over the batch. [moment][unit]. Precondition: two moments at least.
double wander_of(const std::vector<std::vector<double>>& means, const std::vector<std::vector<double>>& deviations);

// ---- Names of one kind to train on, of another to be tested on ----

// By their initial: those up to the middle one of the training part are of the first kind.
struct ShiftedNames {
    Examples train;       // of the first kind
    Examples own, other;  // never trained on: of the first kind, and of the second
};
ShiftedNames shifted_names(const Split& names, const Vocabulary& vocabulary, std::size_t context);

// The measure of Santurkar, Tsipras, Ilyas and Mądry (2018), definition 2.1: how the gradient of a layer changes when
// the layers before it are updated.

// ‖G − G′‖, the mean of the layers: G is the gradient to a layer's weights at the parameters of a step; G′ is the same
// on the same batch once all layers before it (the embedding is the first) have taken the step, and no other has.
// `runner` has the steps of stepwise_graph; `state` is a table equal to state(config).
double covariate_shift(Runner<double>& runner, const Tensors<float>& state, const Batch& batch, double rate);

}  // namespace byhand::lab

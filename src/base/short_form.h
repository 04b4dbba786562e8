// The words in which recipes and flags describe a network whose hidden layers are alike: "hidden", "norm", "residual".
// They expand to its list of operations where they are read, and the list folds back to them where it is written.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/network.h"

namespace byhand {

struct ShortForm {
    std::vector<std::size_t> hidden = {100};  // H of each hidden layer
    // The number of consecutive positions joined before each hidden linear. 0: all T before the first.
    std::size_t flatten = 0;
    bool hidden_bias = true;             // b of every hidden linear
    bool output_bias = true;             // b of the last linear
    bool tied = false;                   // the last linear's weights are the embedding's
    std::string activation = op::kTanh;  // of every hidden layer
    bool residual = false;               // each hidden layer as wide as the one below it adds that layer's result
    std::string norm = op::kBatchnorm;   // one of op::kNorms
    // Of the norm in a hidden layer; f is the activation.
    // before: linear → hprebn → … → hpreact → f → h;  after: linear → hpreact → f → hprebn → … → h;
    // none: linear → hpreact → f → h, and no norm on the output.
    std::string norm_place = "before";
    bool output_norm = false;  // a norm on the logits too

    bool operator==(const ShortForm&) const = default;
};

// The operations that it stands for. Throws InputError if it has `residual` and no layer is as wide as the one below
// it. Precondition: there are widths, none of them 0.
std::vector<OperationConfig> layers_of(const ShortForm& form);

// The short form of a list of operations; none if only the list can express it. Precondition here and below:
// check_layers.
std::optional<ShortForm> short_form_of(const std::vector<OperationConfig>& layers);

// ---- Changes of a list of operations ----
// Residuals go on adding the value that they added, or what a norm that is put behind it makes of it. The result may be
// no network: check_layers.

// Hidden layers of these widths: of any number if the list has a short form, else of as many as it has. False if it has
// another number of them; nothing is changed then. Throws InputError for a width of 0 and for no widths, and where
// layers_of does.
bool set_widths(std::vector<OperationConfig>& layers, const std::vector<std::size_t>& widths);

// The next three return the number of places that they found; with 0 nothing is changed.

// Replaces every activation.
std::size_t set_activation(std::vector<OperationConfig>& layers, const std::string& activation);

// Puts the norms of the hidden layers "before" or "after" their activations, where they are not yet; a layer without a
// norm gets one like the list's first, else of this kind. With "none" it leaves every norm out, that of the output too.
std::size_t place_norms(std::vector<OperationConfig>& layers, const std::string& place,
                        const std::string& kind = op::kBatchnorm);

// Ends each hidden layer that is as wide as the one below it, position for position, with a residual that adds that
// one's result, unless it has a residual.
std::size_t add_residuals(std::vector<OperationConfig>& layers);

// Replaces every norm by one of this kind, of op::kNorms, with its options.
void set_norm(std::vector<OperationConfig>& layers, const std::string& norm);

}  // namespace byhand

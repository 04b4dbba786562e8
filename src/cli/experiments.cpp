#include "cli/experiments.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "lab/backward/backward.h"
#include "lab/claims/claims.h"
#include "lab/columns.h"
#include "lab/conventions/conventions.h"
#include "lab/geometry/geometry.h"
#include "lab/invariance/invariance.h"
#include "lab/loss.h"
#include "lab/padding/padding.h"
#include "lab/placement/placement.h"
#include "lab/undo/undo.h"
#include "lab/walkthrough/walkthrough.h"

namespace byhand::cli {
namespace {

// Sizes in bytes of the processor's data caches, in increasing order; empty if Linux does not provide them.
std::vector<std::size_t> data_caches() {
    std::vector<std::size_t> sizes;
    for (int index = 0;; ++index) {
        const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
        std::ifstream size_file(folder + "size"), type_file(folder + "type");
        std::size_t size = 0;
        char unit = 0;
        std::string type;
        if (!(size_file >> size >> unit) || !(type_file >> type)) {
            break;
        }
        if (type != "Instruction") {
            sizes.push_back(size * (unit == 'M' ? std::size_t{1} << 20 : std::size_t{1} << 10));
        }
    }
    std::ranges::sort(sizes);
    return sizes;
}

// A list of finite numbers, separated by commas.
Option add_numbers(const Command& command, const char* name, std::vector<double>& values, const char* about) {
    constexpr double kLargest = 1e30;
    return command.option(name, values, about).list().number(-kLargest, kLargest);
}

// The number of seeds, from --seed on.
void add_seeds(const Command& command, lab::Seeds& seeds) {
    constexpr std::uint64_t kMost = 1000;
    command.option("--seeds", seeds.count, "Number of seeds, consecutive from --seed")
        .whole_number(1, kMost)
        .shows_default();
}

// The names of --data. Throws InputError.
lab::Material material_of(const NetworkOptions& options) {
    return {read_names_aloud(options.data, bad_lines(options)), data_path_of(options.data)};
}

// The experiments require batch norm and tanh, all but one also plain gradient descent. Throws InputError if the recipe
// has something else.
Recipe notes_recipe_of(const NetworkOptions& options, bool any_optimizer = false) {
    Recipe recipe = recipe_of(options);
    if (!any_optimizer && !is_plain(recipe.network.optimizer)) {
        throw InputError("recipe " + printable(recipe.name) +
                         ": has an optimizer, but this experiment requires plain gradient descent");
    }
    const auto is_changed = [](const OperationConfig& one) { return one.affine || one.epsilon || one.momentum; };
    if (recipe.network.norm.kind != NormKind::batch || std::ranges::any_of(recipe.network.layers, is_changed)) {
        throw InputError("recipe " + printable(recipe.name) +
                         ": this experiment requires batch norms, all of the same conventions");
    }
    for (const Operation& one : operations(recipe.network)) {
        const auto is_another = [&one](const auto& those, const char* ours) {
            return one.op != ours && std::ranges::count(those, one.op) > 0;
        };
        if (one.op == op::kFlatten && one.positions > 1) {
            throw InputError("recipe " + printable(recipe.name) +
                             ": flattens by parts, but this experiment requires layers that see the whole context");
        }
        if (one.op == op::kResidual || one.op == op::kDropout || one.layer.is_tied) {
            throw InputError("recipe " + printable(recipe.name) +
                             ": has a residual connection, a dropout or tied weights, but this experiment requires "
                             "layers in a chain, each with its own weights");
        }
        if (is_another(op::kNorms, op::kBatchnorm) || is_another(op::kActivations, op::kTanh)) {
            throw InputError("recipe " + printable(recipe.name) + ": has a " + one.op +
                             ", but this experiment requires layers with a batchnorm and a tanh");
        }
    }
    return recipe;
}

// For an experiment that changes the hidden layers or the norm. Throws InputError if the recipe lists its layers.
Recipe adjustable_recipe_of(const NetworkOptions& options) {
    Recipe recipe = notes_recipe_of(options);
    if (!recipe.network.layers.empty()) {
        throw InputError(
            "recipe " + printable(recipe.name) +
            R"(: lists its layers, which this experiment can't change; use a recipe with "hidden" and "norm")");
    }
    return recipe;
}

// The steps of one training; the recipe's own number may take hours.
void add_steps(const Command& command, std::size_t& steps) {
    constexpr std::uint64_t kMost = 10'000'000;
    command.option("--steps", steps, "Steps of each training, to which the recipe's schedule is scaled")
        .whole_number(1, kMost)
        .shows_default();
}

RunExperiment loss(const Command& command) {
    const auto network = std::make_shared<NetworkOptions>();
    const auto options = std::make_shared<lab::LossOptions>();
    constexpr double kLargest = 1e6;
    add_network_options(command, *network);
    add_seeds(command, options->seeds);
    add_steps(command, options->steps);
    add_numbers(command, "--scales", options->scales,
                "Standard deviations of the logits for which gradients are compared")
        .number(1e-9, kLargest)
        .shows_default();
    add_numbers(command, "--rate-factors", options->rate_factors,
                "Factors of the recipe's learning rates for training with the squared error")
        .number(1e-9, kLargest)
        .shows_default();
    return [network, options](const lab::Setting& setting) {
        options->recipe = adjustable_recipe_of(*network);
        options->seeds.first = network->flags.seed.value_or(options->seeds.first);
        return lab::loss(*options, material_of(*network), setting);
    };
}

RunExperiment invariance(const Command& command) {
    const auto options = std::make_shared<lab::InvarianceOptions>();
    const auto network = std::make_shared<NetworkOptions>();
    const auto alphas = std::make_shared<std::vector<double>>();
    constexpr double kLargest = 1e15;
    add_numbers(command, "--values", options->values, "Inputs of one unit, one per row").shows_default();
    command
        .option("--alpha", *alphas,
                "Factors of the values and of the layers' weights [values: 100; weights: 0.001 to 1000]")
        .list()
        .number(1 / kLargest, kLargest);
    command.option("--gain", options->gain, "γ of the unit").number(-kLargest, kLargest).shows_default();
    command.option("--bias", options->bias, "β of the unit").number(-kLargest, kLargest).shows_default();
    add_network_options(command, *network);
    return [=](const lab::Setting& setting) {
        if (!alphas->empty()) {
            options->scales = options->alphas = *alphas;
        }
        options->epsilon = network->flags.bn_eps.value_or(options->epsilon);
        options->recipes = {notes_recipe_of(*network)};
        if (!command.given("--recipe")) {
            options->recipes.push_back(read_recipe("makemore-deep"));  // a norm in every layer
        }
        return lab::invariance(*options, material_of(*network), setting);
    };
}

RunExperiment geometry(const Command& command) {
    constexpr std::uint64_t kMost = 1'000'000;
    struct Options {
        lab::GeometryOptions lab;
        NetworkOptions network;
    };
    const auto options = std::make_shared<Options>();
    command.option("--students", options->lab.students, "Number of students").whole_number(3, kMost).shows_default();
    command.option("--trained", options->lab.trained, "Steps of training before the layer is examined")
        .whole_number(0, kMost)
        .shows_default();
    command.option("--rows", options->lab.rows, "Number of the layer's examples")
        .whole_number(2, kMost)
        .shows_default();
    command.option("--steps", options->lab.steps, "Most steps of gradient descent")
        .whole_number(1, kMost)
        .shows_default();
    add_seeds(command, options->lab.seeds);
    add_network_options(command, options->network);
    return [options](const lab::Setting& setting) {
        options->lab.recipe = adjustable_recipe_of(options->network);
        options->lab.seeds.first = options->network.flags.seed.value_or(options->lab.seeds.first);
        return lab::geometry(options->lab, material_of(options->network), setting);
    };
}

RunExperiment columns(const Command& command) {
    const auto options = std::make_shared<lab::ColumnsOptions>();
    add_numbers(command, "--gain", options->gain, "γ of the three units").shows_default();
    add_numbers(command, "--bias", options->bias, "β of the three units").shows_default();
    command.option("--bn-eps", options->epsilon, "ε").number(0, 1e30).shows_default();
    return [options](const lab::Setting& setting) { return lab::columns(*options, setting); };
}

RunExperiment padding(const Command& command) {
    constexpr std::size_t kMostBytes = std::size_t{4} << 20;
    const auto options = std::make_shared<lab::PaddingOptions>();
    const auto file = std::make_shared<InputPath>();
    command
        .option("--file", *file,
                "Your own sequences: a row of numbers per line, after an optional word; pad for a row of padding; an "
                "empty line between sequences (docs/formats.md) [the note's]")
        .not_empty()
        .each([options](const std::string& path) {
            options->where = path;
            options->batch = lab::read_sequences(read_text(path, kMostBytes), path);
        });
    command.option("--bn-eps", options->epsilon, "ε").number(0, 1e30).shows_default();
    command.option("--seed", options->seed, "Seed of γ, β and the gradient for the backward pass")
        .whole_number(0)
        .shows_default();
    return [options, file](const lab::Setting& setting) { return lab::padding(*options, setting); };
}

RunExperiment placement(const Command& command) {
    const auto options = std::make_shared<lab::PlacementOptions>();
    const auto network = std::make_shared<NetworkOptions>();
    add_network_options(command, *network);
    command.remove("--norm");  // the experiment compares all places
    add_seeds(command, options->seeds);
    add_steps(command, options->steps);
    return [=](const lab::Setting& setting) {
        options->recipe = adjustable_recipe_of(*network);
        options->seeds.first = network->flags.seed.value_or(options->seeds.first);
        return lab::placement(*options, material_of(*network), setting);
    };
}

RunExperiment claims(const Command& command) {
    constexpr std::uint64_t kMost = 10'000'000;
    const auto options = std::make_shared<lab::ClaimsOptions>();
    const auto network = std::make_shared<NetworkOptions>();
    command.option("--claim", options->claims, "Only these claims, separated by commas")
        .list()
        .one_of(lab::claim_names());
    command.option("--steps", options->steps, "Steps of a training")
        .whole_number(lab::kFewestClaimSteps, kMost)
        .shows_default();
    add_seeds(command, options->seeds);
    add_network_options(command, *network);
    return [=](const lab::Setting& setting) {
        options->seeds.first = network->flags.seed.value_or(options->seeds.first);
        options->recipes = {adjustable_recipe_of(*network)};
        if (!command.given("--recipe")) {
            options->recipes.push_back(read_recipe("makemore-deep"));
        }
        return lab::claims(*options, material_of(*network), setting);
    };
}

RunExperiment undo(const Command& command) {
    const auto options = std::make_shared<lab::UndoOptions>();
    const auto network = std::make_shared<NetworkOptions>();
    add_network_options(command, *network);
    add_seeds(command, options->seeds);
    add_steps(command, options->steps);
    return [=](const lab::Setting& setting) {
        options->recipe = adjustable_recipe_of(*network);
        options->seeds.first = network->flags.seed.value_or(options->seeds.first);
        return lab::undo(*options, material_of(*network), setting);
    };
}

RunExperiment backward(const Command& command) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 26;
    const auto options = std::make_shared<lab::BackwardOptions>();
    add_seeds(command, options->seeds);
    command.option("--seed", options->seeds.first, "First seed of the data").whole_number(0).shows_default();
    command.option("--rows", options->rows, "Numbers of rows to time, each with each number of columns")
        .list()
        .whole_number(2, kMost)
        .shows_default();
    command.option("--columns", options->columns, "Numbers of columns to time")
        .list()
        .whole_number(1, kMost)
        .shows_default();
    command.option("--rounds", options->rounds, "Rounds for each shape, type and divisor; fewer if they take long")
        .whole_number(1, 1'000'000)
        .shows_default();
    return [options](const lab::Setting& setting) {
        lab::BackwardOptions with_caches = *options;
        with_caches.caches = data_caches();
        return lab::backward(with_caches, setting);
    };
}

RunExperiment conventions(const Command& command) {
    constexpr std::uint64_t kMost = 100'000;
    const auto options = std::make_shared<lab::ConventionsOptions>();
    command.option("--rows", options->rows, "Rows of a batch").whole_number(2, kMost).shows_default();
    command.option("--batches", options->batches, "Number of batches").whole_number(1, kMost).shows_default();
    command.option("--seed", options->seed, "Seed of the generator").whole_number(0).shows_default();
    return [options](const lab::Setting& setting) { return lab::conventions(*options, setting); };
}

RunExperiment walkthrough(const Command& command) {
    const auto network = std::make_shared<NetworkOptions>();
    const auto options = std::make_shared<lab::WalkthroughOptions>();
    const auto steps = std::make_shared<std::optional<std::size_t>>();
    constexpr std::uint64_t kMost = 10'000'000, kMostNames = 1000;
    add_network_options(command, *network);
    command.option("--row", options->row, "Row of the batch to follow").whole_number(0).shows_default();
    command
        .option("--steps", *steps,
                "Steps of the training before the names, to which the recipe's schedule is scaled [its own, at most "
                "20000]")
        .whole_number(1, kMost);
    command.option("-n", options->names, "Number of names").whole_number(1, kMostNames).shows_default();
    return [=](const lab::Setting& setting) {
        options->recipe = notes_recipe_of(*network, /*any_optimizer=*/true);
        options->steps = steps->value_or(std::clamp<std::size_t>(options->recipe.steps, 1, options->steps));
        return lab::walkthrough(*options, material_of(*network), setting);
    };
}

constexpr std::array kExperiments = {
    Experiment{"loss", "note 1", "A squared error with cross-entropy's gradient", loss},
    Experiment{"invariance", "note 2", "Weights times α: the norm's output is unchanged", invariance},
    Experiment{"geometry", "notes 2, 4", "Inputs of unequal scale: long narrow valleys", geometry},
    Experiment{"columns", "note 3", "5 rows, 3 units: every value of a batch norm", columns},
    Experiment{"padding", "note 3", "Padded sequences: masked norm, layer norm", padding},
    Experiment{"placement", "note 4", "Before the non-linearity, after it, or none", placement},
    Experiment{"claims", "note 4", "Faster, larger rates, regularised, steadier?", claims},
    Experiment{"undo", "note 4", "γ = σ and β = μ: does training undo the norm?", undo},
    Experiment{"backward", "notes 1, 5", "Three derivations: how exact, how fast", backward},
    Experiment{"conventions", "notes 1 to 5", "The notes, PyTorch, Keras, lectures, cs231n", conventions},
    Experiment{"walkthrough", "note 1", "One training step in order, ending in names", walkthrough},
};

}  // namespace

std::span<const Experiment> experiments() {
    return kExperiments;
}

}  // namespace byhand::cli

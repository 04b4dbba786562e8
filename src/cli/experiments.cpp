#include "cli/experiments.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "cli/caches.h"
#include "cli/experiment_options.h"
#include "cli/files.h"
#include "cli/numbers.h"
#include "lab/backward/backward.h"
#include "lab/claims/claims.h"
#include "lab/columns/columns.h"
#include "lab/conventions/conventions.h"
#include "lab/geometry/geometry.h"
#include "lab/invariance/invariance.h"
#include "lab/loss/loss.h"
#include "lab/padding/padding.h"
#include "lab/placement/placement.h"
#include "lab/undo/undo.h"
#include "lab/walkthrough/walkthrough.h"

namespace byhand::cli {
namespace {

// Of one training; a recipe's own may take hours.
void add_steps(CLI::App& command, std::size_t& steps) {
    constexpr std::uint64_t kMost = 10'000'000;
    command.add_option("--steps", steps, "Of each training: the recipe's schedule, in so many steps")
        ->check(whole_number(1, kMost))
        ->capture_default_str();
}

RunExperiment loss(CLI::App& command) {
    const auto network = std::make_shared<NetworkOptions>();
    const auto options = std::make_shared<lab::LossOptions>();
    constexpr double kLargest = 1e6;
    add_network_options(command, *network);
    add_seeds(command, options->seeds);
    add_steps(command, options->steps);
    add_numbers(command, "--scales", options->scales, "Deviations of the logits at which gradients are compared")
        ->check(number_between(1e-9, kLargest))
        ->capture_default_str();
    add_numbers(command, "--rate-factors", options->rate_factors,
                "The squared error is trained by the recipe's rates times each of these")
        ->check(number_between(1e-9, kLargest))
        ->capture_default_str();
    return [network, options](const lab::Setting& setting) {
        options->recipe = recipe_of(*network);
        options->seeds.first = network->seed.value_or(options->seeds.first);
        return lab::loss(*options, material_of(*network), setting);
    };
}

RunExperiment invariance(CLI::App& command) {
    const auto options = std::make_shared<lab::InvarianceOptions>();
    const auto network = std::make_shared<NetworkOptions>();
    const auto alphas = std::make_shared<std::vector<double>>();
    constexpr double kLargest = 1e15;
    add_numbers(command, "--values", options->values, "What goes into one unit, a row each")->capture_default_str();
    command
        .add_option("--alpha", *alphas,
                    "What the values, and the layers' weights, are multiplied by [values: 100; weights: 0.001 to 1000]")
        ->delimiter(',')
        ->check(number_between(1 / kLargest, kLargest));
    command.add_option("--gain", options->gain, "γ of the unit")
        ->check(number_between(-kLargest, kLargest))
        ->capture_default_str();
    command.add_option("--bias", options->bias, "β of the unit")
        ->check(number_between(-kLargest, kLargest))
        ->capture_default_str();
    add_network_options(command, *network);
    const CLI::Option* recipe = command.get_option("--recipe");
    return [=](const lab::Setting& setting) {
        if (!alphas->empty()) {
            options->scales = options->alphas = *alphas;
        }
        options->epsilon = network->bn_eps.value_or(options->epsilon);
        options->recipes = {recipe_of(*network)};
        if (recipe->count() == 0) {
            options->recipes.push_back(read_recipe("makemore-deep"));  // a norm in every layer
        }
        return lab::invariance(*options, material_of(*network), setting);
    };
}

RunExperiment geometry(CLI::App& command) {
    constexpr std::uint64_t kMost = 1'000'000;
    struct Options {
        lab::GeometryOptions lab;
        NetworkOptions network;
    };
    const auto options = std::make_shared<Options>();
    command.add_option("--students", options->lab.students, "So many students")
        ->check(whole_number(3, kMost))
        ->capture_default_str();
    command.add_option("--trained", options->lab.trained, "Steps of training before the layer is looked at")
        ->check(whole_number(0, kMost))
        ->capture_default_str();
    command.add_option("--rows", options->lab.rows, "Examples that the layer is given")
        ->check(whole_number(2, kMost))
        ->capture_default_str();
    command.add_option("--steps", options->lab.steps, "Of gradient descent, at most")
        ->check(whole_number(1, kMost))
        ->capture_default_str();
    add_seeds(command, options->lab.seeds);
    add_network_options(command, options->network);
    return [options](const lab::Setting& setting) {
        options->lab.recipe = recipe_of(options->network);
        options->lab.seeds.first = options->network.seed.value_or(options->lab.seeds.first);
        return lab::geometry(options->lab, material_of(options->network), setting);
    };
}

RunExperiment columns(CLI::App& command) {
    const auto options = std::make_shared<lab::ColumnsOptions>();
    add_numbers(command, "--gain", options->gain, "γ of the three units")->capture_default_str();
    add_numbers(command, "--bias", options->bias, "β of the three units")->capture_default_str();
    command.add_option("--bn-eps", options->epsilon, "ε")->check(number_between(0, 1e30))->capture_default_str();
    return [options](const lab::Setting& setting) { return lab::columns(*options, setting); };
}

RunExperiment padding(CLI::App& command) {
    constexpr std::size_t kMostBytes = std::size_t{4} << 20;
    const auto options = std::make_shared<lab::PaddingOptions>();
    command
        .add_option("--file", options->where,
                    "Sequences of your own, instead of the note's: a row of numbers a line, with a word before them "
                    "if you like, pad for a row of padding, an empty line between sequences (docs/formats.md)")
        ->check(some_text())
        ->each([options](const std::string& path) {
            options->batch = lab::read_sequences(read_text(path, kMostBytes), path);
        });
    command.add_option("--bn-eps", options->epsilon, "ε")->check(number_between(0, 1e30))->capture_default_str();
    command.add_option("--seed", options->seed, "Draws γ, β and the gradient for the backward pass")
        ->check(whole_number(0))
        ->capture_default_str();
    return [options](const lab::Setting& setting) { return lab::padding(*options, setting); };
}

RunExperiment placement(CLI::App& command) {
    const auto options = std::make_shared<lab::PlacementOptions>();
    const auto network = std::make_shared<NetworkOptions>();
    add_network_options(command, *network);
    command.remove_option(command.get_option("--norm"));  // every place has its turn
    add_seeds(command, options->seeds);
    add_steps(command, options->steps);
    return [=](const lab::Setting& setting) {
        options->recipe = recipe_of(*network);
        options->seeds.first = network->seed.value_or(options->seeds.first);
        return lab::placement(*options, material_of(*network), setting);
    };
}

RunExperiment claims(CLI::App& command) {
    constexpr std::uint64_t kMost = 10'000'000;
    const auto options = std::make_shared<lab::ClaimsOptions>();
    const auto network = std::make_shared<NetworkOptions>();
    command.add_option("--claim", options->claims, "Only these claims, with commas between")
        ->delimiter(',')
        ->check(CLI::IsMember(lab::claim_names()));
    command.add_option("--steps", options->steps, "Steps of a training")
        ->check(whole_number(lab::kFewestClaimSteps, kMost))
        ->capture_default_str();
    add_seeds(command, options->seeds);
    add_network_options(command, *network);
    const CLI::Option* recipe = command.get_option("--recipe");
    return [=](const lab::Setting& setting) {
        options->seeds.first = network->seed.value_or(options->seeds.first);
        options->recipes = {recipe_of(*network)};
        if (recipe->count() == 0) {
            options->recipes.push_back(read_recipe("makemore-deep"));
        }
        return lab::claims(*options, material_of(*network), setting);
    };
}

RunExperiment undo(CLI::App& command) {
    const auto options = std::make_shared<lab::UndoOptions>();
    const auto network = std::make_shared<NetworkOptions>();
    add_network_options(command, *network);
    add_seeds(command, options->seeds);
    add_steps(command, options->steps);
    return [=](const lab::Setting& setting) {
        options->recipe = recipe_of(*network);
        options->seeds.first = network->seed.value_or(options->seeds.first);
        return lab::undo(*options, material_of(*network), setting);
    };
}

RunExperiment backward(CLI::App& command) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 26;
    const auto options = std::make_shared<lab::BackwardOptions>();
    add_seeds(command, options->seeds);
    command.add_option("--seed", options->seeds.first, "The first seed of the data")
        ->check(whole_number(0))
        ->capture_default_str();
    command.add_option("--rows", options->rows, "Rows to be timed, each with every number of columns")
        ->delimiter(',')
        ->check(whole_number(2, kMost))
        ->capture_default_str();
    command.add_option("--columns", options->columns, "Columns to be timed")
        ->delimiter(',')
        ->check(whole_number(1, kMost))
        ->capture_default_str();
    command
        .add_option("--rounds", options->rounds, "Rounds for each shape, type and divisor; fewer where they take long")
        ->check(whole_number(1, 1'000'000))
        ->capture_default_str();
    return [options](const lab::Setting& setting) {
        lab::BackwardOptions with_caches = *options;
        with_caches.caches = data_caches();
        return lab::backward(with_caches, setting);
    };
}

RunExperiment conventions(CLI::App& command) {
    constexpr std::uint64_t kMost = 100'000;
    const auto options = std::make_shared<lab::ConventionsOptions>();
    command.add_option("--rows", options->rows, "Rows of a batch")
        ->check(whole_number(2, kMost))
        ->capture_default_str();
    command.add_option("--batches", options->batches, "So many batches")
        ->check(whole_number(1, kMost))
        ->capture_default_str();
    command.add_option("--seed", options->seed, "Of the generator")->check(whole_number(0))->capture_default_str();
    return [options](const lab::Setting& setting) { return lab::conventions(*options, setting); };
}

RunExperiment walkthrough(CLI::App& command) {
    const auto network = std::make_shared<NetworkOptions>();
    const auto options = std::make_shared<lab::WalkthroughOptions>();
    const auto steps = std::make_shared<std::optional<std::size_t>>();
    constexpr std::uint64_t kMost = 10'000'000, kMostNames = 1000;
    add_network_options(command, *network);
    command.add_option("--row", options->row, "The row of the batch that is followed")
        ->check(whole_number(0))
        ->capture_default_str();
    command
        .add_option(
            "--steps", *steps,
            "Of the training before the names: the recipe's schedule, in so many steps [its own, at most 20000]")
        ->check(whole_number(1, kMost));
    command.add_option("-n", options->names, "How many names")
        ->check(whole_number(1, kMostNames))
        ->capture_default_str();
    return [=](const lab::Setting& setting) {
        options->recipe = recipe_of(*network);
        options->steps = steps->value_or(std::clamp<std::size_t>(options->recipe.steps, 1, options->steps));
        return lab::walkthrough(*options, material_of(*network), setting);
    };
}

constexpr std::array kExperiments = {
    Experiment{"loss", "note 1", "A squared error with cross-entropy's gradient", loss},
    Experiment{"invariance", "note 2", "Weights times α: what the norm hands on stays", invariance},
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

#include "checks/gradcheck.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/error.h"
#include "checks/documents.h"
#include "cli/by_name.h"
#include "cli/commands.h"
#include "cli/network_options.h"
#include "cli/progress.h"
#include "cli/report_options.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "harness/drawn.h"
#include "manual/formulas.h"
#include "manual/stepwise.h"
#include "names/dataset.h"

namespace byhand::cli {
namespace {

// Enough for a norm to be well conditioned, and few enough for thousands of forward passes.
constexpr std::size_t kRows = 7;
constexpr std::size_t kElements = 32;

struct GradcheckOptions {
    NetworkOptions network;
    std::vector<std::string> models = {"stepwise", "collapsed"};
    std::optional<std::size_t> elements;
    std::string tensor = "*";
    ReportOptions report;
};

// kElements, or fewer, so that all forward passes together take a few seconds.
std::size_t elements_for(const NetworkConfig& network, std::size_t rows, std::size_t gradients) {
    constexpr double kMultiplications = 1e10;
    constexpr double kPassesAnElement = 7;
    const double all = static_cast<double>(gradients) * kPassesAnElement * static_cast<double>(rows) *
                       static_cast<double>(parameter_count(network));
    return std::clamp(static_cast<std::size_t>(kMultiplications / all), std::size_t{2}, kElements);
}

int gradcheck(const GradcheckOptions& options) {
    const ReportFile report(options.report);
    Recipe recipe = recipe_of(options.network);
    if (!options.network.flags.batch) {
        recipe.batch = std::min(recipe.batch, kRows);
    }
    Run run = prepare(std::move(recipe), read_names_aloud(options.network.data, bad_lines(options.network)),
                      data_path_of(options.network.data));
    const NetworkConfig& network = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    DrawnBatch batch(rows, network.context);
    draw_batch(batch, run.train, run.generator);
    const Tensors<float> state = drawn_state(network, run.recipe.seed);

    const Graph stepwise = stepwise_graph(network, rows);
    const auto checks = [&](const std::string& name) { return matches(options.tensor, name); };
    const auto gradients = static_cast<std::size_t>(std::ranges::count_if(stepwise.backward, checks, &Step::makes));
    if (gradients == 0) {
        throw InputError(fmt::format("--tensor: no gradient of this network matches {}; byhand explain lists them all",
                                     quoted(options.tensor)));
    }
    const std::size_t elements = options.elements.value_or(elements_for(network, rows, gradients));
    std::vector<CheckedModel> models;
    const std::vector<std::string> names = distinct(options.models);
    Progress progress(names.size(), std::nullopt, "checking");
    for (const std::string& model : names) {
        progress.step(models.size());
        const GradcheckConfig config{.elements = elements, .seed = run.recipe.seed, .checks = checks};
        models.push_back({model, byhand::gradcheck(model == "stepwise" ? stepwise : collapsed_graph(network, rows),
                                                   state, batch.view(), config)});
    }
    progress.finish();
    const GradcheckHeader header{run.recipe.name, rows, elements, run.recipe.seed};
    report.write(gradcheck_document(header, models, source_of));
    return agree(models) ? kFine : kDisagrees;
}

}  // namespace

void add_gradcheck(const Command& program) {
    const Command command = program.add_command("gradcheck", kGradcheckAbout);
    const auto options = std::make_shared<GradcheckOptions>();
    add_network_options(command, options->network);
    command.option("--model", options->models, "Hand-written networks to check: stepwise, collapsed")
        .list()
        .one_of({"stepwise", "collapsed"})
        .shows_default();
    command
        .option(
            "--elements", options->elements,
            fmt::format("Elements to check in each gradient, drawn at random [{}, fewer in large networks]", kElements))
        .whole_number(1, 1'000'000'000);
    command.option("--tensor", options->tensor, "Check only the gradients that match, as 'dW*'")
        .completes(value_names)
        .shows_default()
        .not_empty();
    add_report_options(command, options->report, Judged::yes);
    command.footer(fmt::format(
        "Parameters are drawn from --seed, so that no gain is 1 and no bias 0, which\nwould hide mistakes.\n"
        "Without --batch, at most {} rows of the recipe's first batch are used.",
        kRows));
    command.on_run([options] { return gradcheck(*options); });
}

}  // namespace byhand::cli

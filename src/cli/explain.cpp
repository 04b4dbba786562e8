#include "harness/explain.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/network_options.h"
#include "cli/report_options.h"
#include "cli/source.h"
#include "documents/explain.h"
#include "harness/isolated/step_inputs.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "names/batches.h"

namespace byhand::cli {
namespace {

struct ExplainOptions {
    NetworkOptions network;
    std::string name;
    ReportOptions report;
};

const Explanation& explanation_of(const std::vector<Explanation>& all, const std::string& name) {
    std::vector<std::string> known;
    for (const Explanation& one : all) {
        if (one.name == name) {
            return one;
        }
        known.push_back(one.name);
    }
    throw InputError(
        fmt::format("the network has no value {}{} (byhand explain lists them all)", name, the_nearest(name, known)));
}

int explain(const ExplainOptions& options) {
    const ReportFile report(options.report);
    Run run = run_of(options.network);
    const NetworkConfig& network = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    const Graph steps = stepwise_graph(network, rows);
    const std::vector<Explanation> all = byhand::explain(steps);
    // The first batch, forward and backward.
    DrawnBatch batch(rows, network.context);
    draw_batch(batch, run.train, run.generator);
    const auto rate = static_cast<float>(rate_at(run.recipe, 0));
    const std::unique_ptr<Implementation> implementation = make_step_implementation(steps);
    implementation->load(run.initial);
    implementation->run(batch.view(), rate);
    const std::vector<View> values = with_inputs(implementation->views(), batch.view(), network.context, &rate);
    const Presentation how{.recipe = run.recipe.name,
                           .torch_version = {},
                           .network = network,
                           .glossary = steps.glossary,
                           .characters = printable_characters(run.vocabulary),
                           .source = source_of,
                           .shows = {}};
    report.write(options.name.empty() ? explain_document(all, values, how)
                                      : explain_document(explanation_of(all, options.name), values, how));
    return kFine;
}

}  // namespace

void add_explain(const Command& program) {
    const Command command =
        program.add_command("explain", "Explain a value or gradient: formula, code, numbers, known mistakes");
    const auto options = std::make_shared<ExplainOptions>();
    command.option("NAME", options->name, "Value or gradient, as dbnvar [the whole network, in order]").not_empty();
    add_network_options(command, options->network);
    add_report_options(command, options->report);
    command.on_run([options] { return explain(*options); });
}

}  // namespace byhand::cli

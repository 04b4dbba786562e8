#include "harness/explain.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/nearest.h"
#include "cli/by_name.h"
#include "cli/commands.h"
#include "cli/network_options.h"
#include "cli/report_options.h"
#include "cli/say.h"
#include "documents/explain.h"
#include "harness/isolated/step_inputs.h"
#include "manual/formulas.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "names/dataset.h"

namespace byhand::cli {
namespace {

struct ExplainOptions {
    NetworkOptions network;
    std::string name;
    std::optional<std::size_t> row;
    ReportOptions report;
};

// "batchnorm" for bnmeani; empty for an input.
std::string operation_of(const Explanation& one) {
    const auto formula = std::ranges::find(formulas(), one.function, &Formula::function);
    return formula == formulas().end() ? "" : formula->operation;
}

// All values, those of an operation, or the one of this name.
std::vector<Explanation> selected(std::vector<Explanation> all, const std::string& name) {
    std::vector<Explanation> chosen;
    std::vector<std::string> known;
    for (Explanation& one : all) {
        known.insert(known.end(), {one.name, operation_of(one)});
        if (name.empty() || one.name == name || known.back() == name) {
            chosen.push_back(std::move(one));
        }
    }
    if (chosen.empty()) {
        const bool is_elsewhere = std::ranges::find(formulas(), name, &Formula::operation) != formulas().end();
        throw InputError(fmt::format(
            "the network has no value or operation {}{} (byhand explain lists them)", name,
            is_elsewhere ? "; --recipe and the options of the network choose another" : the_nearest(name, known)));
    }
    return chosen;
}

int explain(const ExplainOptions& options) {
    const ReportFile report(options.report);
    if (const ReportWord* const word = find_word(options.name)) {
        report.write(explain_word(*word));
        return kFine;
    }
    Run run = run_of(options.network);
    const NetworkConfig& network = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    const Graph steps = stepwise_graph(network, rows);
    const std::vector<Explanation> chosen = selected(byhand::explain(steps, known_mistakes()), options.name);
    // The first batch, forward and backward.
    DrawnBatch batch(rows, network.context);
    draw_batch(batch, run.train, run.generator);
    const auto rate = static_cast<float>(rate_at(run.recipe, 0));
    const std::unique_ptr<Model> implementation = make_step_model(steps, Keep::all);
    implementation->load(run.initial);
    implementation->run(batch.view(), rate);
    const std::vector<View> values = with_inputs(implementation->views(), batch.view(), network.context, &rate);
    const Presentation how{.recipe = run.recipe.name,
                           .rows = rows,
                           .network = network,
                           .glossary = steps.glossary,
                           .characters = printable_characters(run.vocabulary),
                           .source = source_of};
    std::optional<FollowedRow> followed;
    if (options.row) {
        if (*options.row >= rows) {
            throw InputError(
                fmt::format("--row: the batch has no row {}; its rows are 0 to {}", *options.row, rows - 1));
        }
        followed = {*options.row,
                    row_in_words(*options.row, {network, steps.glossary, how.characters, batch.X, batch.Y})};
    }
    report.write(chosen.front().name == options.name ? explain_document(chosen.front(), values, how, followed)
                                                     : explain_document(chosen, options.name, values, how, followed));
    return kFine;
}

}  // namespace

void add_explain(const Command& program) {
    const Command command =
        program.add_command("explain", "Explain a value, a gradient or a word of a report, as undecided");
    const auto options = std::make_shared<ExplainOptions>();
    command
        .option("NAME", options->name,
                "Value or gradient, as dbnvar, operation, as batchnorm, or a report's word, as undecided [the whole "
                "network, in order]")
        .completes(value_names)
        .not_empty();
    command.option("--row", options->row, "Row of the first batch whose numbers are shown").whole_number(0);
    add_network_options(command, options->network);
    add_report_options(command, options->report);
    command.on_run([options] { return explain(*options); });
}

}  // namespace byhand::cli

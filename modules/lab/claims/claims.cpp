#include "lab/claims/claims.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "lab/claims/bench.h"
#include "report/rows.h"

namespace byhand::lab {
namespace {

// Claims that go by the same trainings stand together.
struct Group {
    std::vector<std::string> claims;
    Plan (*plan)(const Bench& bench);
};

const std::vector<Group>& groups() {
    static const std::vector<Group> all = {
        {{"faster", "rates"}, plan_rates}, {{"weights"}, plan_weights}, {{"regularised"}, plan_regularised},
        {{"inputs"}, plan_inputs},         {{"shift"}, plan_shift},
    };
    return all;
}

// All trainings of the wanted claims at once, so that no core waits for the last of a claim.
std::vector<Section> run(const Bench& bench, const Material& material, const Setting& setting) {
    std::vector<Plan> plans;
    std::vector<Training> trainings;
    for (const Group& group : groups()) {
        if (std::ranges::any_of(group.claims, [&](const std::string& claim) { return bench.wanted.contains(claim); })) {
            plans.push_back(group.plan(bench));
            std::ranges::copy(plans.back().trainings, std::back_inserter(trainings));
        }
    }
    const std::vector<Trained> trained = train_all(trainings, material, setting);
    std::vector<Section> sections;
    std::size_t first = 0;
    for (const Plan& plan : plans) {
        std::ranges::move(plan.sections(std::span(trained).subspan(first, plan.trainings.size())),
                          std::back_inserter(sections));
        first += plan.trainings.size();
    }
    return sections;
}

// All claims on one network after the other, each under its name.
Table overview(const Table& claims, const Bench& bench) {
    Table table = columns_of(claims, {"name", "brief", "with", "without", "outcome"});
    const std::vector<std::vector<Cell>> rows = std::exchange(table.rows, {});
    for (const Network& network : bench.networks) {
        table.rows.push_back({network.name, "", "", "", ""});
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (claims.rows[i].front().shown == network.name) {
                table.rows.push_back(rows[i]);
            }
        }
    }
    return table;
}

// What a section claims and how it is measured, each once, and its verdicts.
void add_verdicts(Document& document, const Section& section) {
    std::vector<Claim> all = section.claims;
    all.insert(all.end(), section.further.begin(), section.further.end());
    std::vector<std::string> lines;
    for (const Claim& claim : all) {
        std::string line = fmt::format("“{}”: {}.", claim.sentence, claim.measure);
        if (std::ranges::find(lines, line) == lines.end()) {
            lines.push_back(std::move(line));
        }
    }
    Table verdicts = columns_of(table_of(all), {"network", "brief", "difference", "standard_error", "outcome"});
    verdicts.title = "with less without, seed by seed";
    verdicts.columns.front().title = "";
    document.blocks.emplace_back(Text{fmt::format("{}", fmt::join(lines, "\n"))});
    document.blocks.emplace_back(std::move(verdicts));
}

std::string opening(const Bench& bench) {
    std::string names;
    for (const Network& network : bench.networks) {
        names += (names.empty() ? "" : " and ") + network.name;
    }
    return fmt::format(
        "Note 4 says what batch norm buys: training is faster and takes larger rates, depends less on the initial "
        "weights and is slightly regularised, for the inputs of a layer no longer shift while the layers before it "
        "learn. It is measured on {}, with the norm and without any, all else the same: initial values, minibatches, "
        "rates. (Biases that the norm makes superfluous are added where there is none.)\n"
        "Each figure is a mean over {} seed{} ± the standard deviation. Verdicts compare both networks seed by seed: a "
        "claim holds if the mean difference favours it by more than {:.0f} standard errors, and does not hold if it "
        "contradicts it by as much; otherwise no difference is shown. One seed decides nothing.",
        names, bench.seeds.size(), bench.seeds.size() == 1 ? "" : "s", kErrorsThatCount);
}

}  // namespace

std::vector<std::string> claim_names() {
    std::vector<std::string> names;
    for (const Group& group : groups()) {
        names.insert(names.end(), group.claims.begin(), group.claims.end());
    }
    return names;
}

Document claims(const ClaimsOptions& options, const Material& material, const Setting& setting) {
    if (options.steps < kFewestClaimSteps) {
        throw InputError(fmt::format("--steps: a training of the claims has at least {} steps", kFewestClaimSteps));
    }
    const std::vector<std::string> wanted = options.claims.empty() ? claim_names() : options.claims;
    Bench bench{{}, list(options.seeds), options.steps, {wanted.begin(), wanted.end()}};
    for (const Recipe& recipe : options.recipes) {
        bench.networks.push_back(network_of(recipe, material));
    }
    const std::vector<Section> sections = run(bench, material, setting);
    std::vector<Claim> all, further;
    for (const Section& section : sections) {
        all.insert(all.end(), section.claims.begin(), section.claims.end());
        further.insert(further.end(), section.further.begin(), section.further.end());
    }
    const Table table = table_of(all);
    Document document{"lab claims", "note 4", "What batch norm buys", {}, {}, {}, true};
    document.data["claims"] = json_of_rows(table);
    document.data["further"] = json_of_rows(table_of(further));
    document.blocks.emplace_back(Text{opening(bench)});
    // The norm that is there or not: in training, back, and in evaluation.
    document.blocks.emplace_back(Formulas{
        {"batchnorm_normalise", "batchnorm_scale_shift", "batchnorm_affine_backward", "batchnorm_evaluate_raw"}});
    document.blocks.emplace_back(overview(table, bench));
    for (const Section& section : sections) {
        std::ranges::copy(section.blocks, std::back_inserter(document.blocks));
        add_verdicts(document, section);
        std::ranges::copy(section.plots, std::back_inserter(document.plots));
    }
    return document;
}

}  // namespace byhand::lab

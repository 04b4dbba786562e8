#include "lab/claims/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "lab/claims/bench.h"
#include "lab/figures.h"

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

Bench bench_of(const ClaimsOptions& options, const Material& material) {
    Bench bench;
    bench.networks.reserve(options.recipes.size());
    for (const Recipe& recipe : options.recipes) {
        bench.networks.push_back(network_of(recipe, material));
    }
    bench.seeds = list(options.seeds);
    bench.steps = options.steps;
    for (const std::string& claim : options.claims.empty() ? claim_names() : options.claims) {
        bench.wanted.insert(claim);
    }
    return bench;
}

// All trainings of the plans at once, so that no core waits for the last of a claim.
std::vector<Section> carried_out(const std::vector<Plan>& plans, const Bench& bench, const Material& material,
                                 const Setting& setting) {
    std::vector<Training> trainings;
    for (const Plan& plan : plans) {
        trainings.insert(trainings.end(), plan.trainings.begin(), plan.trainings.end());
    }
    const std::vector<Trained> trained = train_all(trainings, material, setting);
    std::vector<Section> sections;
    std::size_t first = 0;
    for (const Plan& plan : plans) {
        for (Section& section : plan.tell(bench, std::span(trained).subspan(first, plan.trainings.size()))) {
            sections.push_back(std::move(section));
        }
        first += plan.trainings.size();
    }
    return sections;
}

Json json_of(const std::vector<double>& values) {
    const MeanAndDeviation figures = mean_and_deviation(values);
    Json all = Json::array();
    for (const double value : values) {
        all.push_back(number(value));
    }
    return {{"mean", number(figures.mean)}, {"deviation", number(figures.deviation)}, {"values", all}};
}

Json json_of(const Row& row) {
    const Verdict verdict = verdict_of(row);
    return {{"name", row.name},
            {"network", row.network},
            {"claim", row.claim},
            {"measure", row.measure},
            {"with", json_of(row.with)},
            {"without", json_of(row.without)},
            {"difference", number(verdict.difference)},
            {"standard_error", number(verdict.error)},
            {"verdict", words_of(verdict.outcome)}};
}

std::string shown(const std::vector<double>& values, const Row& row) {
    return with_spread(values, decimals_for(row.with, row.without)).shown;
}

// All claims on one network after the other, each under its name.
Table table_of(const std::vector<Section>& sections, const Bench& bench) {
    Table table{"", {"claim", "measure", words_of(Arm::with), words_of(Arm::without), "verdict"}, {}};
    for (const Network& network : bench.networks) {
        table.rows.push_back({network.name, "", "", "", ""});
        for (const Section& section : sections) {
            for (const Row& row : section.rows) {
                if (row.network == network.name) {
                    const int decimals = decimals_for(row.with, row.without);
                    table.rows.push_back({row.name, row.brief, with_spread(row.with, decimals),
                                          with_spread(row.without, decimals), brief(verdict_of(row).outcome)});
                }
            }
        }
    }
    return table;
}

// What a section's verdicts go by.
Table verdicts_of(const Section& section) {
    Table table{"with less without, seed by seed", {"", "measure", "difference", "standard error", "verdict"}, {}};
    for (const Row& row : section.rows) {
        const Verdict verdict = verdict_of(row);
        const int decimals = decimals_for(row.with, row.without) + 1;
        table.rows.push_back({row.network, row.brief, fixed(verdict.difference, decimals),
                              fixed(verdict.error, decimals), brief(verdict.outcome)});
    }
    return table;
}

// Those claims of a section that are not borne out, with their figures.
Text not_borne_out(const Section& section) {
    std::string words;
    for (const Row& row : section.rows) {
        const Outcome outcome = verdict_of(row).outcome;
        if (outcome != Outcome::holds) {
            words += fmt::format("{}On {}, {}, “{}”: {} ({} with the norm, {} without).", words.empty() ? "" : "\n",
                                 row.network, row.measure, row.claim, words_of(outcome), shown(row.with, row),
                                 shown(row.without, row));
        }
    }
    return Text{words.empty() ? "Every measure here bears its claim out." : words};
}

std::string names_of(const Bench& bench) {
    std::string names;
    for (const Network& network : bench.networks) {
        names += (names.empty() ? "" : " and ") + network.name;
    }
    return names;
}

std::string opening(const Bench& bench) {
    const std::size_t seeds = bench.seeds.size();
    return fmt::format(
        "Note 4 says what batch norm buys: training is faster and takes larger rates, depends less on the initial "
        "weights and is slightly regularised, for the inputs of a layer no longer shift while the layers before it "
        "learn. It is measured on {}, with the norm and without any, all else the same: initial values, minibatches, "
        "rates. (Biases that the norm makes superfluous are added where there is none.)\n"
        "A figure is the mean over {} seed{} ± their deviation. Verdicts compare with and without seed by seed: a "
        "claim holds where the mean difference is more than {:.0f} standard errors to its side, and does not hold "
        "where it is as far to the other; in between there is no difference beyond the spread. One seed decides "
        "nothing.",
        names_of(bench), seeds, seeds == 1 ? "" : "s", kErrorsThatCount);
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
    const Bench bench = bench_of(options, material);
    std::vector<Plan> plans;
    for (const Group& group : groups()) {
        if (std::ranges::any_of(group.claims, [&](const std::string& claim) { return bench.wanted.contains(claim); })) {
            plans.push_back(group.plan(bench));
        }
    }
    std::vector<Section> sections = carried_out(plans, bench, material, setting);
    Document document{"lab claims", "note 4", "What batch norm buys", {}, {}, {}, true};
    document.blocks.emplace_back(Text{opening(bench)});
    // The norm that is there or not: in training, back, and in evaluation.
    document.blocks.emplace_back(Formulas{
        {"batchnorm_normalise", "batchnorm_scale_shift", "batchnorm_affine_backward", "batchnorm_evaluate_raw"}});
    document.blocks.emplace_back(table_of(sections, bench));
    document.data["claims"] = Json::array();
    for (Section& section : sections) {
        for (const Row& row : section.rows) {
            document.data["claims"].push_back(json_of(row));
        }
        std::ranges::move(section.blocks, std::back_inserter(document.blocks));
        document.blocks.emplace_back(verdicts_of(section));
        document.blocks.emplace_back(not_borne_out(section));
        std::ranges::move(section.conclusion, std::back_inserter(document.blocks));
        std::ranges::move(section.plots, std::back_inserter(document.plots));
    }
    return document;
}

}  // namespace byhand::lab

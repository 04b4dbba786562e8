#include "lab/conventions/conventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "judge/finding.h"
#include "lab/agreement.h"
#include "lab/conventions/study.h"
#include "lab/figures.h"
#include "names/random.h"

namespace byhand::lab {
namespace {

const std::vector<double> kGain = {0.5, 2, -1.5}, kBias = {0.25, -1, 3};

std::vector<NormInput<double>> batches_of(const ConventionsOptions& options) {
    TorchGenerator g = torch_seeded(options.seed);
    const std::size_t count = options.rows * kUnits;
    std::vector<NormInput<double>> batches(options.batches);
    std::vector<float> drawn(count);
    for (NormInput<double>& batch : batches) {
        batch = {options.rows, kUnits, {}, {}, kGain, kBias};
        randn(g, drawn);
        for (std::size_t at = 0; at < count; ++at) {
            const std::size_t j = at % kUnits;
            // Numbers of float: so float and double begin with the same.
            batch.x.push_back(static_cast<double>(
                static_cast<float>(kUnitMeans[j] + kUnitDeviations[j] * static_cast<double>(drawn[at]))));
        }
        randn(g, drawn);
        batch.dy = as<double>(drawn);
    }
    return batches;
}

// ---- what differs ----

const char* words_of(Divisor divisor) {
    return divisor == Divisor::n ? "n" : "n − 1";
}

std::string epsilon_of(const NormConfig& norm) {
    if (norm.epsilon == 0) {
        return "none";
    }
    return fmt::format("{:g} {}", norm.epsilon, norm.epsilon_place == EpsilonPlace::inside ? "in √" : "+ σ");
}

void tell_definitions(Document& document, const std::vector<Convention>& all) {
    Table batch{"in training, forwards and backwards", {"", "divisor", "ε"}, {}};
    Table running{"for evaluation", {"", "divisor", "kept as", "begins at", "momentum", "goes by"}, {}};
    for (const Convention& one : all) {
        const bool by_all = one.norm.evaluation == EvaluationFigures::training_set;
        batch.rows.push_back({one.name, words_of(one.norm.batch_divisor), epsilon_of(one.norm)});
        running.rows.push_back({one.name, words_of(one.norm.running_divisor),
                                one.norm.running_spread == RunningSpread::variance ? "variance" : "deviation",
                                by_all ? Cell("") : significant(one.first_spread, 1), one.momentum_says,
                                by_all ? "all rows" : "running"});
    }
    document.blocks.emplace_back(std::move(batch));
    document.blocks.emplace_back(std::move(running));
    std::string sources = "Where this is said:";
    for (const Convention& one : all) {
        for (const std::string& source : one.sources) {
            sources += fmt::format("\n{}: {}", one.name, source);
        }
    }
    document.blocks.emplace_back(Text{std::move(sources)});
}

// ---- by how much ----

struct Apart {
    double largest = 0;  // |a − b|
    double share = 0;    // of the largest |b| of the same unit
};

Apart apart(const std::vector<double>& a, const std::vector<double>& b) {
    Apart found{largest_difference(a, b), 0};
    for (std::size_t j = 0; j < kUnits; ++j) {
        double difference = 0, size = 0;
        for (std::size_t at = j; at < a.size(); at += kUnits) {
            difference = std::max(difference, std::abs(a[at] - b[at]));
            size = std::max(size, std::abs(b[at]));
        }
        found.share = std::max(found.share, difference / size);
    }
    return found;
}

struct Part {
    const char* column;
    const char* field;
    Apart apart;
};

std::vector<Part> parts_of(const Convention& convention, const ConventionRun<double>& run, const Convention& reference,
                           const ConventionRun<double>& by_reference) {
    return {{"forward", "forward", apart(run.y, by_reference.y)},
            {"backward", "backward", apart(run.dx, by_reference.dx)},
            {"run. mean", "running_mean", apart(run.running_mean, by_reference.running_mean)},
            {"run. var.", "running_variance",
             apart(as_variances(convention, run.running_spread), as_variances(reference, by_reference.running_spread))},
            {"evaluation", "evaluation", apart(run.evaluated, by_reference.evaluated)}};
}

struct DifferenceTables {
    Table largest, share;
};

DifferenceTables difference_tables(const std::string& largest, const std::string& share) {
    return {{largest, {""}, {}}, {share, {""}, {}}};
}

// By name, in the order of the rows.
using Differences = std::vector<std::pair<std::string, std::vector<Part>>>;

// A row in both tables, and its figures as fields.
void add_row(DifferenceTables& tables, const std::string& name, const std::vector<Part>& parts, Json& field) {
    std::vector<Cell> row = {name}, row_of_shares = row;
    const bool first = tables.largest.rows.empty();
    for (const Part& part : parts) {
        if (first) {
            tables.largest.columns.emplace_back(part.column);
            tables.share.columns.emplace_back(part.column);
        }
        row.push_back(significant(part.apart.largest, 2));
        row_of_shares.push_back(percent(part.apart.share));
        field["differences"][part.field] = part.apart.largest;
        field["shares"][part.field] = part.apart.share;
    }
    tables.largest.rows.push_back(std::move(row));
    tables.share.rows.push_back(std::move(row_of_shares));
}

Differences tell_differences(Document& document, const ConventionStudy& study) {
    Differences all;
    DifferenceTables tables =
        difference_tables("largest difference from PyTorch's", "the same, as a share of the unit's largest in PyTorch");
    for (std::size_t i = 0; i < study.runs.size(); ++i) {
        const Convention& one = study.conventions[i];
        const NormConfig& norm = one.norm;
        Json field = {{"name", one.name},
                      {"batch_divisor", norm.batch_divisor == Divisor::n ? "n" : "n-1"},
                      {"running_divisor", norm.running_divisor == Divisor::n ? "n" : "n-1"},
                      {"running", norm.running_spread == RunningSpread::variance ? "variance" : "deviation"},
                      {"begins_at", one.first_spread},
                      {"momentum", one.momentum_says},
                      {"weight_of_new", norm.momentum},
                      {"epsilon", norm.epsilon},
                      {"epsilon_place", norm.epsilon_place == EpsilonPlace::inside ? "inside" : "outside"},
                      {"evaluation", norm.evaluation == EvaluationFigures::running ? "running" : "training-set"},
                      {"sources", one.sources}};
        all.emplace_back(one.name, parts_of(one, study.runs[i], study.conventions.front(), study.runs.front()));
        add_row(tables, one.name, all.back().second, field);
        field["running_mean"] = study.runs[i].running_mean;
        field["running_variance"] = as_variances(one, study.runs[i].running_spread);
        document.data["conventions"].push_back(std::move(field));
    }
    document.blocks.emplace_back(std::move(tables.largest));
    document.blocks.emplace_back(std::move(tables.share));
    return all;
}

// PyTorch's with one thing changed: which of them makes the difference?
Differences tell_single_changes(Document& document, const ConventionStudy& study) {
    Differences all;
    std::vector<Convention> changed(7, study.conventions.front());
    changed[0].name = "n − 1 in the batch";
    changed[0].norm.batch_divisor = Divisor::n_minus_1;
    changed[1].name = "n in the running figure";
    changed[1].norm.running_divisor = Divisor::n;
    changed[2].name = "running deviation";
    changed[2].norm.running_spread = RunningSpread::deviation;
    changed[3].name = "running variance from 0";
    changed[3].first_spread = 0;
    changed[4].name = "0.001 of the new";
    changed[4].norm.momentum = 0.001;
    changed[5].name = "ε = 1e-3";
    changed[5].norm.epsilon = 1e-3;
    changed[6].name = "ε outside the root";
    changed[6].norm.epsilon_place = EpsilonPlace::outside;
    DifferenceTables tables = difference_tables("", "PyTorch's with one thing changed: shares, as above");
    for (const Convention& one : changed) {
        Json field = {{"changed", one.name}};
        all.emplace_back(
            one.name, parts_of(one, run_convention(one, study.batches), study.conventions.front(), study.runs.front()));
        add_row(tables, one.name, all.back().second, field);
        document.data["one_change"].push_back(std::move(field));
    }
    document.blocks.emplace_back(std::move(tables.share));
    return all;
}

// ---- the reference ----

ConventionRun<double> asked_of_torch(const Convention& convention, const std::vector<NormInput<double>>& batches,
                                     const torch_ref::Factory& torch) {
    ConventionRun<double> run;
    run.running_mean.assign(kUnits, 0);
    run.running_spread.assign(kUnits, convention.first_spread);
    const auto ask = [&](const std::string& name, const NormInput<double>& in) {
        std::vector<View> values = views_of(in);
        values.push_back({"bnmean_running", {in.H}, DType::float64, run.running_mean.data()});
        values.push_back({"bnvar_running", {in.H}, DType::float64, run.running_spread.data()});
        return torch.single_operation(op::kBatchnorm, convention.norm, in.n, in.H)->evaluate(name, values);
    };
    const auto update = [&](const NormInput<double>& in) {
        run.running_mean = ask("new_bnmean_running", in);
        run.running_spread = ask("new_bnvar_running", in);
    };
    const bool by_all = convention.norm.evaluation == EvaluationFigures::training_set;
    for (const NormInput<double>& in : batches) {
        std::ranges::copy(ask("hpreact", in), std::back_inserter(run.y));
        std::ranges::copy(ask("dhprebn", in), std::back_inserter(run.dx));
        if (!by_all) {
            update(in);
        }
    }
    if (by_all) {
        update(stacked(batches));
    }
    run.evaluated = ask("eval_hpreact", batches.back());
    return run;
}

void tell_agreement(Document& document, const std::vector<Convention>& all,
                    const std::vector<NormInput<double>>& batches, const torch_ref::Factory& torch) {
    std::vector<NormInput<float>> in_float;
    std::vector<NormInput<Rounded>> bounds;
    in_float.reserve(batches.size());
    bounds.reserve(batches.size());
    for (const NormInput<double>& batch : batches) {
        in_float.push_back(as<float>(batch));
        bounds.push_back(as<Rounded>(batch));
    }
    std::vector<Agreement> agreements;
    agreements.reserve(all.size());
    for (const Convention& one : all) {
        agreements.push_back(agreement(one.name, numbers_of(run_convention(one, in_float)),
                                       numbers_of(run_convention(one, bounds)),
                                       numbers_of(asked_of_torch(one, batches, torch))));
    }
    document.blocks.emplace_back(Text{
        "Each of them by LibTorch as well: y, dx, running statistics and evaluation, all batches. PyTorch's row is "
        "torch::nn::BatchNorm1d itself; the others have a module of torch:: operations, with gradients by "
        "autograd."});
    document.blocks.emplace_back(table_of("float by hand against LibTorch in double", agreements));
    document.agrees = document.agrees && all_hold(agreements);
}

// ---- the end ----

// The one of `all` with the largest share in that field: "7.4 % (its name)".
std::string furthest(const Differences& all, std::string_view field) {
    const auto share = [field](const Differences::value_type& one) {
        return std::ranges::find(one.second, field, &Part::field)->apart.share;
    };
    const auto largest = std::ranges::max_element(all, {}, share);
    return fmt::format("{:.1f} % ({})", 100 * share(*largest), largest->first);
}

void conclude(Document& document, const Differences& all, const Differences& changes) {
    document.blocks.emplace_back(Text{fmt::format(
        "So batch norm is not one function. Furthest from PyTorch's, as a share of a unit's largest value: {} "
        "forwards, {} backwards, {} in evaluation. Of single changes the largest are {} forwards, {} backwards, {} in "
        "evaluation.",
        furthest(all, "forward"), furthest(all, "backward"), furthest(all, "evaluation"), furthest(changes, "forward"),
        furthest(changes, "backward"), furthest(changes, "evaluation"))});
}

}  // namespace

Document conventions(const ConventionsOptions& options, const Setting& setting) {
    if (options.rows < 2 || options.batches == 0) {
        throw InputError("conventions takes at least 2 rows in a batch, and at least one batch");
    }
    ConventionStudy study{conventions_of_the_field(), batches_of(options), {}};
    study.runs.reserve(study.conventions.size());
    for (const Convention& one : study.conventions) {
        study.runs.push_back(run_convention(one, study.batches));
    }
    Document document{"lab conventions", "notes 1 to 5", "One name, several batch norms", {}, {}, {}, true};
    document.blocks.emplace_back(Text{
        fmt::format("{} batches of {} rows through 3 units, whose true deviations are 0.05, 2 and 30, by batch norm "
                    "as the notes and the field define it. All are the same few functions: only their "
                    "conventions differ. What does that change?",
                    options.batches, options.rows)});
    document.blocks.emplace_back(Formulas{{"batchnorm_variance", "batchnorm_inverse_deviation", "running_mean_update",
                                           "running_spread_update", "batchnorm_evaluate_raw"}});
    tell_definitions(document, study.conventions);
    const Differences differences = tell_differences(document, study);
    const Differences changes = tell_single_changes(document, study);
    if (setting.torch != nullptr) {
        tell_agreement(document, study.conventions, study.batches, *setting.torch);
    }
    tell_memory(document, study);
    tell_small_batches(document, options.seed);
    tell_questions(document, study);
    conclude(document, differences, changes);
    return document;
}

}  // namespace byhand::lab

// Note 3's batch, column by column: every value of a batch norm, forward and backward.
#include <fmt/format.h>

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "judge/finding.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/operation.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kRows = 5, kUnits = 3;

struct ColumnsOptions {
    std::vector<double> gain = {0.5, 2, -1}, bias = {0.25, -1, 3};  // γ and β of the three units, none of them 1 or 0
    double epsilon = 1e-5;

    std::vector<OwnOption> own() {
        return {{"--gain", "γ of the three units", &gain},
                {"--bias", "β of the three units", &bias},
                {"--bn-eps", "ε", &epsilon, 0}};
    }
};

// Five rows of pre-activations.
const std::vector<double> kBatch = {7, 5, 4, 2, 3, 4, 1, 2, 3, 7, 5, 6, 3, 3, 4};

const std::vector<std::string> kForward = {"hprebn",    "bnmeani", "bndiff", "bndiff2", "bnvar",
                                           "bnvar_inv", "bnraw",   "bngain", "bnbias",  "hpreact"};
const std::vector<std::string> kBackward = {"dhpreact", "dbngain",  "dbnbias", "dbnraw",   "dbnvar_inv",
                                            "dbnvar",   "dbndiff2", "dbndiff", "dbnmeani", "dhprebn"};

// The gradient of the result is dy[i, j] = (i + 1)·(j − 1) + 1.
Tensors<double> inputs(const ColumnsOptions& options) {
    std::vector<double> dy;
    for (std::size_t i = 0; i < kRows; ++i) {
        for (std::size_t j = 0; j < kUnits; ++j) {
            dy.push_back(static_cast<double>(i + 1) * (static_cast<double>(j) - 1) + 1);
        }
    }
    return batchnorm_inputs(kBatch, dy, options.gain, options.bias);
}

// The values of every unit, a row of the batch each; those that a unit has once stand in the first.
Table values_table(const std::string& title, const std::vector<std::string>& names, const Tensors<double>& numbers) {
    Table table{title, {"", "row 1", "row 2", "row 3", "row 4", "row 5"}, {}};
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
        for (const std::string& name : names) {
            const std::span<const double> values = numbers[name];
            std::vector<Cell>& row = table.rows.emplace_back(1, fmt::format("{} of unit {}", name, unit + 1));
            for (std::size_t at = unit; at < kRows * kUnits; at += kUnits) {
                row.push_back(at < values.size() ? fixed(values[at], 4) : Cell(""));
            }
        }
    }
    return table;
}

// Returns the largest sum of a column of dhprebn.
double add_divisor(Document& document, const Tensors<double>& given, const NormConfig& norm, const Setting& setting) {
    const bool by_n = norm.batch_divisor == Divisor::n;
    const char* words = by_n ? "divisor n = 5" : "divisor n − 1 = 4";
    const Graph graph = operation_graph(op::kBatchnorm, norm, kRows, kUnits);
    const Tensors<double> made = forward_and_backward(graph, given);
    Json& data = document.data["divisors"][by_n ? "n" : "n-1"];
    for (const auto& [names, title] :
         {std::pair{&kForward, "forward"}, {&kBackward, "backward from a gradient chosen for the example"}}) {
        document.blocks.emplace_back(values_table(fmt::format("{}, {}", words, title), *names, made));
        for (const std::string& name : *names) {
            data[name] = made.copy_of(name);
        }
    }
    std::vector<double> sums(kUnits);
    for (std::size_t at = 0; at < kRows * kUnits; ++at) {
        sums[at % kUnits] += made["dhprebn"][at];
    }
    if (setting.torch != nullptr) {
        std::vector<Agreement> agreements;
        compare(agreements, "", graph, given, *setting.torch->single_operation(op::kBatchnorm, norm, kRows, kUnits),
                {"hpreact", "dbngain", "dbnbias", "dhprebn"});
        add_agreements(document, fmt::format("float by hand against LibTorch in double, {}", words), agreements);
    }
    return largest_magnitude(sums);
}

Document columns(const ColumnsOptions& options, const Setup& setup) {
    if (options.gain.size() != kUnits || options.bias.size() != kUnits) {
        throw InputError("--gain and --bias take three numbers each, one for each unit of the note's batch");
    }
    Document document{"lab columns", "note 3", "Column by column", {}, {}, {}, true};
    document.blocks.emplace_back(
        Text{"Five rows of a batch pass through three units. No number of one column enters another."});
    NormConfig norm{.epsilon = options.epsilon};
    const Graph graph = operation_graph(op::kBatchnorm, norm, kRows, kUnits);
    document.blocks.emplace_back(formulas_of(graph.forward));
    double largest = 0;
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        norm.batch_divisor = divisor;
        largest = larger(largest, add_divisor(document, inputs(options), norm, setup.setting));
    }
    document.blocks.emplace_back(formulas_of(graph.backward));
    constexpr double kRounding = 1e-12;
    document.blocks.emplace_back(as_conclusion(fmt::format(
        "Adding the same number to every row changes no deviation from the mean, so each column of dhprebn sums to 0: "
        "{}, by {:.1g} at most.",
        largest <= kRounding ? "it does but for rounding" : "here it does not", largest)));
    return document;
}

}  // namespace

Experiment columns_experiment() {
    return {
        .name = "columns", .note = "note 3", .about = "5 rows, 3 units: every value of a batch norm", .prepare = [] {
            return prepared(columns);
        }};
}

}  // namespace byhand::lab

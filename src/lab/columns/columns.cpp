#include "lab/columns/columns.h"

#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "lab/agreement.h"
#include "lab/norm_steps.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kRows = 5, kUnits = 3;

// Note 3: five rows of pre-activations.
const std::vector<double> kBatch = {7, 5, 4, 2, 3, 4, 1, 2, 3, 7, 5, 6, 3, 3, 4};

NormInput<double> input_of(const ColumnsOptions& options) {
    NormInput<double> in{kRows, kUnits, kBatch, {}, options.gain, options.bias};
    for (std::size_t i = 0; i < kRows; ++i) {
        for (std::size_t j = 0; j < kUnits; ++j) {
            in.dy.push_back(static_cast<double>(i + 1) * (static_cast<double>(j) - 1) + 1);
        }
    }
    return in;
}

// A value of the norm for the tables: of each row, or one of the whole column.
struct Shown {
    const char* name;
    const std::vector<double>* values;
};

// The value of one column, down the rows.
Table column_table(std::size_t unit, const std::vector<Shown>& values) {
    Table table{fmt::format("unit {}", unit + 1), {""}, {}};
    for (std::size_t i = 0; i < kRows; ++i) {
        table.columns.emplace_back(fmt::format("row {}", i + 1));
    }
    for (const Shown& shown : values) {
        const bool of_rows = shown.values->size() == kRows * kUnits;
        std::vector<Cell>& row = table.rows.emplace_back();
        row.emplace_back(shown.name);
        for (std::size_t i = 0; i < kRows; ++i) {
            if (of_rows) {
                row.push_back(fixed((*shown.values)[i * kUnits + unit], 4));
            } else {
                row.push_back(i == 0 ? fixed((*shown.values)[unit], 4) : Cell(""));
            }
        }
    }
    return table;
}

void tell(Document& document, const NormInput<double>& in, Divisor divisor, double epsilon, const Setting& setting) {
    NormConfig norm;
    norm.batch_divisor = divisor;
    norm.epsilon = epsilon;
    const NormForward<double> f = norm_forward(in, norm);
    const NormBackward<double> b = norm_backward(in, f, norm);
    const std::string words = divisor == Divisor::n ? "divisor n = 5" : "divisor n − 1 = 4";
    document.blocks.emplace_back(Text{fmt::format("With {}, forwards:", words)});
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
        document.blocks.emplace_back(column_table(unit, {{"hprebn", &in.x},
                                                         {"bnmeani", &f.bnmeani},
                                                         {"bndiff", &f.bndiff},
                                                         {"bndiff2", &f.bndiff2},
                                                         {"bnvar", &f.bnvar},
                                                         {"bnvar_inv", &f.bnvar_inv},
                                                         {"bnraw", &f.bnraw},
                                                         {"γ", &in.gain},
                                                         {"β", &in.bias},
                                                         {"hpreact", &f.y}}));
    }
    document.blocks.emplace_back(
        Text{fmt::format("With {}, backwards from a gradient made up for the purpose:", words)});
    for (std::size_t unit = 0; unit < kUnits; ++unit) {
        document.blocks.emplace_back(column_table(unit, {{"dhpreact", &in.dy},
                                                         {"dbngain", &b.dbngain},
                                                         {"dbnbias", &b.dbnbias},
                                                         {"dbnraw", &b.dbnraw},
                                                         {"dbnvar_inv", &b.dbnvar_inv},
                                                         {"dbnvar", &b.dbnvar},
                                                         {"dbndiff2", &b.dbndiff2},
                                                         {"dbndiff", &b.dbndiff},
                                                         {"dbnmeani", &b.dbnmeani},
                                                         {"dhprebn", &b.dx}}));
    }
    const std::string key = divisor == Divisor::n ? "n" : "n-1";
    document.data["divisors"][key] = {{"bnmeani", f.bnmeani}, {"bnvar", f.bnvar},     {"bnraw", f.bnraw},
                                      {"hpreact", f.y},       {"dbngain", b.dbngain}, {"dbnbias", b.dbnbias},
                                      {"dhprebn", b.dx}};
    if (setting.torch == nullptr) {
        return;
    }
    const NormInput<float> in32 = as<float>(in);
    const NormForward<float> f32 = norm_forward(in32, norm);
    const NormBackward<float> b32 = norm_backward(in32, f32, norm);
    const NormInput<Rounded> bounds = as<Rounded>(in);
    const NormForward<Rounded> f_bounds = norm_forward(bounds, norm);
    const NormBackward<Rounded> b_bounds = norm_backward(bounds, f_bounds, norm);
    const auto torch = setting.torch->single_operation(op::kBatchnorm, norm, in.n, in.H);
    const auto compared = [&, values = views_of(in)](const std::string& name, const std::vector<float>& by_hand,
                                                     const std::vector<Rounded>& limits) {
        return agreement(name, by_hand, limits, torch->evaluate(name, values));
    };
    const std::vector<Agreement> agreements = {
        compared("hpreact", f32.y, f_bounds.y),
        compared("dbngain", b32.dbngain, b_bounds.dbngain),
        compared("dbnbias", b32.dbnbias, b_bounds.dbnbias),
        compared("dhprebn", b32.dx, b_bounds.dx),
    };
    document.blocks.emplace_back(
        table_of(fmt::format("float by hand against LibTorch in double, {}", words), agreements));
    document.agrees = document.agrees && all_hold(agreements);
}

}  // namespace

Document columns(const ColumnsOptions& options, const Setting& setting) {
    if (options.gain.size() != kUnits || options.bias.size() != kUnits) {
        throw InputError("--gain and --bias take three numbers each, one for each unit of the note's batch");
    }
    Document document{"lab columns", "note 3", "Column by column", {}, {}, {}, true};
    document.blocks.emplace_back(
        Text{"Five rows of a batch go through three units. Each unit has a mean and a deviation of its own, taken down "
             "its column over the rows, and then its own γ and β. No number of one column enters another."});
    document.blocks.emplace_back(
        Formulas{{"batchnorm_mean", "batchnorm_difference", "batchnorm_square", "batchnorm_variance",
                  "batchnorm_inverse_deviation", "batchnorm_normalise", "batchnorm_scale_shift"}});
    const NormInput<double> in = input_of(options);
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        tell(document, in, divisor, options.epsilon, setting);
    }
    document.blocks.emplace_back(Formulas{
        {"batchnorm_gain_backward", "batchnorm_bias_backward", "batchnorm_raw_backward",
         "batchnorm_inverse_deviation_backward", "batchnorm_variance_backward", "batchnorm_square_sum_backward",
         "batchnorm_difference_backward", "batchnorm_mean_backward", "batchnorm_input_backward"}});
    document.blocks.emplace_back(Text{
        "Each column of dhprebn sums to 0: to add the same to every row changes no deviation from the mean, so the "
        "loss does not see it."});
    return document;
}

}  // namespace byhand::lab

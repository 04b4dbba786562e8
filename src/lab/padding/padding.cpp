#include "lab/padding/padding.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "base/utf8.h"
#include "lab/agreement.h"
#include "lab/padding/text.h"

namespace byhand::lab {
namespace {

// Note 3, after self-attention.
constexpr const char* kNote =
    "Hi      6.5   2.41  3.21\n"
    "Probal  2.21  0.4   3.6\n"
    "\n"
    "How     7.5   9.2   1.5\n"
    "are     2.2   1.1   6.7\n"
    "you     2.9   6     9\n"
    "today   9.9   2.3   6.5\n";
constexpr std::size_t kHow = 4;  // its row

// Its other two sentences have three words each; it gives no numbers for them: these are made up.
constexpr const char* kControl =
    "3.1  7.4  0.8\n"
    "5.6  1.9  4.2\n"
    "8.3  2.7  6.1\n"
    "\n"
    "1.2  5.5  3.9\n"
    "6.8  0.6  7.3\n"
    "4.4  8.1  2.5\n";

std::string counted(std::size_t count, const char* thing) {
    return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

void introduce(Document& document, const PaddingFindings& found, const std::string& where) {
    document.blocks.emplace_back(Text{
        "Sequences of unequal length are filled up with rows of zeros to the longest. Stacked into one batch, those "
        "rows enter every column's mean and deviation. To compare: the padded norm, batch norm over all rows; the "
        "masked norm, batch norm over the real rows alone; and layer norm, each row by itself."});
    document.blocks.emplace_back(Formulas{{"masked_batchnorm_mean", "masked_batchnorm_difference", "batchnorm_square",
                                           "masked_batchnorm_variance", "batchnorm_inverse_deviation",
                                           "batchnorm_normalise", "masked_batchnorm_scale_shift", "row_mean",
                                           "layernorm_difference", "row_square", "row_inverse_root", "row_normalise"}});
    document.blocks.emplace_back(Text{
        "The last five make the layer norm: lnmean is the mean of x, lndiff = x − lnmean, lnvar the mean of lndiff², "
        "lnvar_inv = 1/√(lnvar + ε), and lnraw = lndiff·lnvar_inv."});
    const SequenceBatch& batch = found.batch;
    document.blocks.emplace_back(Text{
        fmt::format("The batch is {}: {}, filled up to {} of {}. Of its {} {} padding.", where,
                    counted(batch.sequences, "sequence"), counted(batch.length, "row"), counted(batch.width, "number"),
                    counted(batch.rows(), "row"), found.pads() == 1 ? "1 is" : fmt::format("{} are", found.pads()))});
}

void note_on_how(Document& document, const PaddingFindings& found) {
    const std::size_t at = kHow * found.batch.width;
    document.blocks.emplace_back(
        Text{fmt::format("The note writes (7.5 − μ)/σ = 0.3 for How in the first column and marks it as hypothetical. "
                         "By divisor n it is {:.3f} with the padding and {:.3f} without; by n − 1 {:.3f} and {:.3f}.",
                         found.by_n.padded.bnraw[at], found.by_n.masked.bnraw[at], found.by_n_minus_1.padded.bnraw[at],
                         found.by_n_minus_1.masked.bnraw[at])});
}

// The masked norm and layer norm, in float, against LibTorch's on the real rows alone, in double.
std::vector<Agreement> agreements(const PaddingFindings& found, double epsilon, const torch_ref::Factory& torch) {
    const Mask& mask = found.batch.mask;
    const NormInput<float> in32 = as<float>(found.in);
    const NormInput<Rounded> bounds = as<Rounded>(found.in);
    const NormInput<double> real = packed(found.in, mask);
    std::vector<Agreement> all;
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        const NormConfig norm = padding_conventions(divisor, epsilon);
        const auto f = masked_forward(in32, mask, norm);
        const auto b = masked_backward(in32, mask, f, norm);
        const auto f_bounds = masked_forward(bounds, mask, norm);
        const auto b_bounds = masked_backward(bounds, mask, f_bounds, norm);
        const auto reference = torch.single_operation(op::kBatchnorm, norm, real.n, real.H);
        const std::vector<View> values = views_of(real);
        const std::string name = divisor == Divisor::n ? "masked, n: " : "masked, n − 1: ";
        all.push_back(
            agreement(name + "y", packed(f.y, mask), packed(f_bounds.y, mask), reference->evaluate("hpreact", values)));
        all.push_back(agreement(name + "dγ", b.dbngain, b_bounds.dbngain, reference->evaluate("dbngain", values)));
        all.push_back(agreement(name + "dβ", b.dbnbias, b_bounds.dbnbias, reference->evaluate("dbnbias", values)));
        all.push_back(agreement(name + "dx", packed(b.dx, mask), packed(b_bounds.dx, mask),
                                reference->evaluate("dhprebn", values)));
    }
    const NormInput<float> real32 = packed(in32, mask);
    const NormInput<Rounded> real_bounds = packed(bounds, mask);
    const auto f = layer_forward(real32, epsilon);
    const auto b = layer_backward(real32, f);
    const auto f_bounds = layer_forward(real_bounds, epsilon);
    const auto b_bounds = layer_backward(real_bounds, f_bounds);
    const auto reference = torch.single_operation("layernorm", {.epsilon = epsilon}, real.n, real.H);
    const std::vector<View> values = views_of(real, "ln");
    all.push_back(agreement("layer norm: y", f.y, f_bounds.y, reference->evaluate("hpreact", values)));
    all.push_back(agreement("layer norm: dγ", b.dlngain, b_bounds.dlngain, reference->evaluate("dlngain", values)));
    all.push_back(agreement("layer norm: dβ", b.dlnbias, b_bounds.dlnbias, reference->evaluate("dlnbias", values)));
    all.push_back(agreement("layer norm: dx", b.dx, b_bounds.dx, reference->evaluate("dhpreln", values)));
    return all;
}

std::vector<double> row_of(const std::vector<double>& rows, std::size_t i, std::size_t H) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(i * H);
    return {begin, begin + static_cast<std::ptrdiff_t>(H)};
}

Json rows_json(const PaddingFindings& found) {
    const std::size_t H = found.batch.width;
    Json list = Json::array();
    std::size_t packed_row = 0;
    for (std::size_t i = 0; i < found.batch.rows(); ++i) {
        Json row = {{"sequence", i / found.batch.length + 1},
                    {"word", found.batch.words[i]},
                    {"padding", found.batch.mask[i] == 0},
                    {"x", row_of(found.batch.x, i, H)},
                    {"dy", row_of(found.in.dy, i, H)}};
        for (const bool bessel : {false, true}) {
            const PaddingFigures& figures = bessel ? found.by_n_minus_1 : found.by_n;
            const std::string end = bessel ? "_unbiased" : "";
            row["padded" + end] = row_of(figures.padded.bnraw, i, H);
            row["masked" + end] = row_of(figures.masked.bnraw, i, H);
            row["off" + end] = figures.off[i];
            row["dx_padded" + end] = row_of(figures.dx_padded, i, H);
            row["dx_masked" + end] = row_of(figures.dx_masked, i, H);
            row["dx_from_padding" + end] = row_of(figures.sent_padded, i, H);
        }
        if (found.batch.mask[i] != 0) {
            row["layer"] = row_of(found.layer.lnraw, packed_row++, H);
        }
        list.push_back(std::move(row));
    }
    return list;
}

}  // namespace

Document padding(const PaddingOptions& options, const Setting& setting) {
    const bool note = !options.batch;
    const PaddingFindings found =
        padding_findings(note ? read_sequences(kNote, "the note") : *options.batch, options.epsilon, options.seed);
    Document document{"lab padding", "note 3", "Batch norm on padded sequences", {}, {}, {}, true};
    document.data = {{"mean_padded", found.by_n.padded.bnmeani},
                     {"std_padded", found.by_n.std_padded},
                     {"std_padded_unbiased", found.by_n_minus_1.std_padded},
                     {"mean_masked", found.by_n.masked.bnmeani},
                     {"std_masked", found.by_n.std_masked},
                     {"std_masked_unbiased", found.by_n_minus_1.std_masked},
                     {"gain", found.in.gain},
                     {"bias", found.in.bias},
                     {"rows", rows_json(found)}};
    introduce(document, found, note ? "the note's two sentences" : printable(options.where));
    tell_statistics(document, found);
    if (note) {
        note_on_how(document, found);
        tell_control(document,
                     padding_findings(read_sequences(kControl, "the control"), options.epsilon, options.seed));
    }
    tell_shares(document, found);
    tell_gradients(document, found);
    document.blocks.emplace_back(
        Formulas{{"masked_batchnorm_gain_backward", "masked_batchnorm_bias_backward", "masked_batchnorm_raw_backward",
                  "batchnorm_inverse_deviation_backward", "batchnorm_variance_backward",
                  "masked_batchnorm_square_sum_backward", "batchnorm_difference_backward", "batchnorm_mean_backward",
                  "masked_batchnorm_input_backward", "layernorm_backward"}});
    tell_attention(document, found);
    if (setting.torch != nullptr) {
        const std::vector<Agreement> with_torch = agreements(found, options.epsilon, *setting.torch);
        document.blocks.emplace_back(
            table_of("float by hand against LibTorch in double on the real rows alone", with_torch));
        document.agrees = all_hold(with_torch);
    }
    conclude(document, found);
    return document;
}

}  // namespace byhand::lab

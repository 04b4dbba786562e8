#include "lab/padding/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/json.h"
#include "judge/finding.h"
#include "lab/figures.h"
#include "lab/padding/tables.h"

namespace byhand::lab {
namespace {

// "0.41·masked + 0.13"
std::string line_of(const PaddingFigures& figures, std::size_t column) {
    const NormForward<double>&padded = figures.padded, &masked = figures.masked;
    const double slope = padded.bnvar_inv[column] / masked.bnvar_inv[column];
    const double offset = (masked.bnmeani[column] - padded.bnmeani[column]) * padded.bnvar_inv[column];
    return fmt::format("{:.4f}·masked {} {:.4f}", slope, offset < 0 ? "−" : "+", std::abs(offset));
}

// How far the law that tell_shares states is off what was measured, relative to the size of a column's numbers.
double off_the_law(const std::vector<AtShare>& shares) {
    double largest = 0;
    const AtShare& alone = shares.front();
    for (const AtShare& point : shares) {
        for (std::size_t j = 0; j < alone.mean.size(); ++j) {
            const double s = point.share, mean = alone.mean[j], std = alone.std[j];
            const double square = mean * mean + std * std, variance = (1 - s) * (std * std + s * mean * mean);
            if (square > 0) {
                largest = std::max({largest, std::abs(point.mean[j] - (1 - s) * mean) / std::sqrt(square),
                                    std::abs(point.std[j] * point.std[j] - variance) / square});
            }
        }
    }
    return largest;
}

std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> differences(a.size());
    std::ranges::transform(a, b, differences.begin(), std::minus());
    return differences;
}

double largest_size(const std::vector<double>& values) {
    return largest_difference(values, std::vector<double>(values.size(), 0));
}

}  // namespace

void tell_statistics(Document& document, const PaddingFindings& found) {
    const SequenceBatch& batch = found.batch;
    document.blocks.emplace_back(statistics_table(found));
    if (found.real.size() > kRowsShown || batch.width > kColumnsShown) {
        document.blocks.emplace_back(
            Text{fmt::format("The tables show at most {} of the {} real rows and {} of the {} columns; --json has all.",
                             kRowsShown, found.real.size(), kColumnsShown, batch.width)});
    }
    document.blocks.emplace_back(
        Text{"Every real row normalised, before γ and β: with the padding in the statistics, without it, and by layer "
             "norm, whose divisor is always H."});
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        for (std::size_t j = 0; j < std::min(kColumnsShown, batch.width); ++j) {
            document.blocks.emplace_back(normalised_table(found, j, divisor));
        }
    }
    document.blocks.emplace_back(off_table(found));
    document.blocks.emplace_back(layer_table(found));
    if (found.pads() > 0) {
        document.blocks.emplace_back(Text{fmt::format(
            "Within one batch the real rows of a column are off along one line: in column 1, divisor n, padded = {}. γ "
            "and β could take that back; but it is another line for every share of padding. The rows of padding "
            "themselves stay 0 through the masked norm alone: layer norm makes β of them, the padded norm "
            "β − γ·μ/√(σ² + ε).",
            line_of(found.by_n, 0))});
    }
}

void tell_shares(Document& document, const PaddingFindings& found) {
    document.blocks.emplace_back(Text{
        "The same real rows with more and more rows of zeros below them. Of a column with mean μ and deviation σ, a "
        "share s of padding makes the mean (1 − s)·μ and the variance (1 − s)·(σ² + s·μ²), by divisor n:"});
    document.blocks.emplace_back(share_table(found));
    const double off_law = off_the_law(found.shares);
    document.blocks.emplace_back(Text{fmt::format(
        "Over all columns and shares the measured figures are off that law by at most {:.1g} of the size of the "
        "numbers.",
        off_law)});
    document.plots = share_plots(found);
    Json list = Json::array();
    for (std::size_t i = 0; i < found.shares.size(); ++i) {
        const AtShare &point = found.shares[i], &unbiased = found.shares_n_minus_1[i];
        list.push_back({{"share", point.share},
                        {"pads", point.pads},
                        {"mean", point.mean},
                        {"std", point.std},
                        {"std_unbiased", unbiased.std},
                        {"off", point.off},
                        {"off_unbiased", unbiased.off},
                        {"worst", point.most},
                        {"worst_unbiased", unbiased.most}});
    }
    document.data["shares"] = std::move(list);
    document.data["off_law"] = off_law;
}

void tell_gradients(Document& document, const PaddingFindings& found) {
    document.blocks.emplace_back(
        Text{"Backwards, with γ and the gradient of the result drawn by --seed. First a loss that reads the real rows "
             "alone: what arrives in each row by the masked norm, by the padded one, and how far apart they are. The "
             "last column is what the results of the padding send into each row through the padded norm where the "
             "loss reads them too."});
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        document.blocks.emplace_back(gradient_table(found, divisor));
    }
}

// A row of zeros has a score of 0 with every row.
void tell_attention(Document& document, const PaddingFindings& found) {
    const SequenceBatch& batch = found.batch;
    const std::size_t L = batch.length, H = batch.width;
    for (std::size_t s = 0; s < batch.sequences; ++s) {
        const unsigned char* mask = batch.mask.data() + s * L;
        const std::size_t real = unmasked_rows(mask, L);
        if (real == 0 || real == L) {
            continue;
        }
        std::vector<double> all(H), words(H);
        batchnorm_mean(all.data(), batch.x.data() + s * L * H, L, H);
        masked_batchnorm_mean(words.data(), batch.x.data() + s * L * H, mask, L, H);
        Table table{fmt::format("what softmax attention makes of a row of padding of sequence {}", s + 1), {""}, {}};
        std::vector<Cell> unmasked = {"no mask"}, keys = {"padding masked as keys"};
        for (std::size_t j = 0; j < std::min(kColumnsShown, H); ++j) {
            table.columns.emplace_back(fmt::format("column {}", j + 1));
            unmasked.push_back(significant(all[j], 5));
            keys.push_back(significant(words[j], 5));
        }
        table.rows = {unmasked, keys};
        document.blocks.emplace_back(Text{
            "The note takes it for granted that rows of padding are still zero after self-attention. They are only "
            "where "
            "attention masks them: a row of zeros has a score of 0 with every row, so softmax weighs all of them alike "
            "and it comes out as their mean. To mask the padding as keys, as is usual, only changes which mean; the "
            "row must be set to 0 itself. (Scores without biases; values as they stand.)"});
        document.blocks.emplace_back(std::move(table));
        document.data["attention"] = {{"sequence", s + 1}, {"no_mask", all}, {"keys_masked", words}};
        return;
    }
}

void tell_control(Document& document, const PaddingFindings& control) {
    double apart = 0;
    for (const PaddingFigures* figures : {&control.by_n, &control.by_n_minus_1}) {
        apart = std::max({apart, largest_difference(figures->padded.bnmeani, figures->masked.bnmeani),
                          largest_difference(figures->padded.bnvar, figures->masked.bnvar),
                          largest_difference(figures->padded.bnraw, figures->masked.bnraw),
                          largest_difference(figures->dx_padded, figures->dx_masked)});
    }
    document.blocks.emplace_back(Text{fmt::format(
        "The control: the note's other two sentences have three words each, so none of their {} rows is padding. (The "
        "note gives no numbers for them; these are made up.) Means, variances, normalised values and gradients of the "
        "padded and of the masked norm are {}.",
        control.batch.rows(), apart == 0 ? "the same to the bit" : fmt::format("up to {:.1g} apart", apart))});
    document.data["control"] = {{"rows", control.batch.rows()},
                                {"x", control.batch.x},
                                {"mean_padded", control.by_n.padded.bnmeani},
                                {"std_padded", control.by_n.std_padded},
                                {"mean_masked", control.by_n.masked.bnmeani},
                                {"std_masked", control.by_n.std_masked},
                                {"largest_difference", apart}};
}

void conclude(Document& document, const PaddingFindings& found) {
    if (found.pads() == 0) {
        document.blocks.emplace_back(Text{
            fmt::format("No row of this batch is padding: the padded and the masked norm are one (the worst row is off "
                        "by {:g}), and nothing can be falsified.",
                        std::ranges::max(found.by_n.off))});
        return;
    }
    const Mask& mask = found.batch.mask;
    const PaddingFigures &n = found.by_n, &bessel = found.by_n_minus_1;
    const double off = root_mean_square(packed(n.off, mask)), off_bessel = root_mean_square(packed(bessel.off, mask));
    const auto worst = static_cast<std::size_t>(std::ranges::max_element(n.off) - n.off.begin());
    const double share = static_cast<double>(found.pads()) / static_cast<double>(found.batch.rows());
    std::string words = fmt::format(
        "{} of padding put the real rows off by {:.3f} of a deviation in the root mean square, the worst of them, {}, "
        "by {:.3f}; {} would put them off by {:.3f}. By n − 1 it is {:.3f}, {:.3f} and {:.3f}. ",
        percent(share).shown, off, short_word(found, worst), n.off[worst], percent(found.shares.back().share).shown,
        found.shares.back().off, off_bessel, std::ranges::max(bessel.off), found.shares_n_minus_1.back().off);
    words += std::max(off, off_bessel) > 0 ? "So the note's claim holds here: rows of padding falsify the statistics. "
                                           : "So the note's claim does not hold here: the padding changes nothing. ";

    const std::vector<double> right = packed(n.dx_masked, mask), wrong = packed(n.dx_padded, mask);
    const double gradient_off = norm(difference(wrong, right)) / norm(right);
    const double from_padding = norm(packed(n.sent_padded, mask)) / norm(right);
    const double kept = std::max(largest_size(n.sent_masked), largest_size(bessel.sent_masked));
    words += fmt::format(
        "Backwards, the padded norm's gradient of the real rows is off the masked one's by {:.3g} times its size, and "
        "padding that the loss reads sends them another {:.3g} times it; through the masked norm it sends {}. ",
        gradient_off, from_padding, kept == 0 ? "nothing" : fmt::format("up to {:.1g}", kept));
    words += fmt::format(
        "Layer norm takes nothing from other rows and needs no mask for its figures, but it is another function, not "
        "batch norm mended: its values are {:.3f} from the masked norm's in the root mean square.",
        root_mean_square(difference(found.layer.lnraw, packed(n.masked.bnraw, mask))));
    document.blocks.emplace_back(Text{words});
    document.data["gradient_off"] = number(gradient_off);
    document.data["gradient_from_padding"] = number(from_padding);
}

}  // namespace byhand::lab

#include "lab/padding/padding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "base/utf8.h"
#include "judge/finding.h"
#include "lab/agreement.h"
#include "lab/figures.h"
#include "lab/padding/findings.h"
#include "manual/batchnorm/masked.h"
#include "report/rows.h"

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

// ---- the rows ----

// Tables show so many rows and columns of the batch; --json has them all.
constexpr std::size_t kRowsShown = 24, kColumnsShown = 4;
constexpr int kDigits = 5, kDecimals = 4;

std::size_t columns_shown(const Findings& found) {
    return std::min(kColumnsShown, found.H());
}

// The word of a row, cut to fit a table.
std::string short_word(const Findings& found, std::size_t row) {
    constexpr std::size_t kMost = 12;
    std::u32string word = from_utf8(found.batch.words[row]);
    if (word.size() > kMost) {
        word.resize(kMost - 1);
        word += U'…';
    }
    return to_utf8(word);
}

// A row for each real row, with cells(its row in the batch, its row among the real ones).
Table table_of_real_rows(const Findings& found, const std::string& title, std::vector<Column> columns,
                         const std::function<std::vector<Cell>(std::size_t row, std::size_t packed_row)>& cells) {
    columns.insert(columns.begin(), Column(""));
    Table table{title, std::move(columns), {}};
    for (std::size_t i = 0; i < std::min(kRowsShown, found.real.size()); ++i) {
        std::vector<Cell>& row = table.rows.emplace_back(1, short_word(found, found.real[i]));
        std::ranges::copy(cells(found.real[i], i), std::back_inserter(row));
    }
    return table;
}

Json rows_json(const Findings& found) {
    const std::size_t H = found.H();
    Json list = Json::array();
    std::size_t packed_row = 0;
    for (std::size_t i = 0; i < found.batch.rows(); ++i) {
        const bool is_padding = found.batch.mask[i] == 0;
        Json row = {{"sequence", i / found.batch.length + 1},
                    {"word", found.batch.words[i]},
                    {"padding", is_padding},
                    {"x", row_of(found.batch.x, i, H)},
                    {"dy", row_of(found.in["dhpreact"], i, H)}};
        for (const ByDivisor& by : found.by) {
            row["padded" + std::string(by.end)] = row_of(by.padded["bnraw"], i, H);
            row["masked" + std::string(by.end)] = row_of(by.masked["bnraw"], i, H);
            row["off" + std::string(by.end)] = by.off[i];
            row["dx_padded" + std::string(by.end)] = row_of(by.padded["dhprebn"], i, H);
            row["dx_masked" + std::string(by.end)] = row_of(by.masked["dhprebn"], i, H);
            row["dx_from_padding" + std::string(by.end)] = row_of(by.sent_padded, i, H);
        }
        if (!is_padding) {
            row["layer"] = row_of(found.layer["lnraw"], packed_row++, H);
        }
        list.push_back(std::move(row));
    }
    return list;
}

void add_statistics(Document& document, const Findings& found) {
    const auto& [by_n, by_n_minus_1] = found.by;
    Table table{"mean and deviation of each column", {""}, {}};
    for (std::size_t j = 0; j < columns_shown(found); ++j) {
        table.columns.emplace_back(fmt::format("column {}", j + 1));
    }
    for (const auto& [title, key, values] : {std::tuple{"mean, padded", "mean_padded", &by_n.padded["bnmeani"]},
                                             {"mean, masked", "mean_masked", &by_n.masked["bnmeani"]},
                                             {"deviation, padded", "std_padded", &by_n.std_padded},
                                             {"deviation, masked", "std_masked", &by_n.std_masked},
                                             {"… by n − 1, padded", "std_padded_unbiased", &by_n_minus_1.std_padded},
                                             {"… by n − 1, masked", "std_masked_unbiased", &by_n_minus_1.std_masked}}) {
        document.data[key] = *values;
        std::vector<Cell>& row = table.rows.emplace_back(1, title);
        for (std::size_t j = 0; j < columns_shown(found); ++j) {
            row.push_back(significant((*values)[j], kDigits));
        }
    }
    document.data["gain"] = found.in["bngain"];
    document.data["bias"] = found.in["bnbias"];
    document.data["rows"] = rows_json(found);
    document.blocks.emplace_back(std::move(table));
    if (found.real.size() > kRowsShown || found.H() > kColumnsShown) {
        document.blocks.emplace_back(
            Text{fmt::format("The tables show at most {} of the {} real rows and {} of the {} columns; --json has all.",
                             kRowsShown, found.real.size(), kColumnsShown, found.H())});
    }
}

void add_normalised(Document& document, const Findings& found) {
    const ByDivisor &by_n = found.by[0], &by_n_minus_1 = found.by[1];
    document.blocks.emplace_back(
        Text{"Every real row normalised, before γ and β: with the padding in the statistics, without it, and by layer "
             "norm, whose divisor is always H."});
    for (const ByDivisor& by : found.by) {
        const Rows &padded = by.padded["bnraw"], &masked = by.masked["bnraw"];
        for (std::size_t j = 0; j < columns_shown(found); ++j) {
            document.blocks.emplace_back(table_of_real_rows(
                found, fmt::format("column {}, {}", j + 1, by.words), {"x", "padded", "masked", "off by", "layer norm"},
                [&](std::size_t i, std::size_t packed_row) {
                    const std::size_t at = i * found.H() + j;
                    return std::vector{significant(found.batch.x[at], kDigits), fixed(padded[at], kDecimals),
                                       fixed(masked[at], kDecimals), fixed(padded[at] - masked[at], kDecimals),
                                       fixed(found.layer["lnraw"][packed_row * found.H() + j], kDecimals)};
                }));
        }
    }
    document.blocks.emplace_back(
        table_of_real_rows(found, "how wrong padding makes each real row: root mean square over its columns",
                           {"divisor n", "divisor n − 1"}, [&](std::size_t i, std::size_t) {
                               return std::vector{fixed(by_n.off[i], kDecimals), fixed(by_n_minus_1.off[i], kDecimals)};
                           }));
    document.blocks.emplace_back(
        table_of_real_rows(found, "layer norm: mean and deviation of each real row, divisor H", {"mean", "deviation"},
                           [&](std::size_t, std::size_t packed_row) {
                               return std::vector{significant(found.layer["lnmean"][packed_row], kDigits),
                                                  significant(std::sqrt(found.layer["lnvar"][packed_row]), kDigits)};
                           }));
    if (found.pads() > 0) {
        const Numbers<double>&padded = by_n.padded, &masked = by_n.masked;
        const double inverse = padded["bnvar_inv"][0];
        const double offset = (masked["bnmeani"][0] - padded["bnmeani"][0]) * inverse;
        document.blocks.emplace_back(Text{fmt::format(
            "Within one batch the real rows of a column are off along one line: in column 1, divisor n, padded = "
            "{:.4f}·masked {} {:.4f}. γ and β could undo that, but the line differs with every share of padding. The "
            "rows of padding themselves stay 0 in the masked norm only: layer norm makes them β, the padded norm "
            "β − γ·μ/√(σ² + ε).",
            inverse / masked["bnvar_inv"][0], offset < 0 ? "−" : "+", std::abs(offset))});
    }
}

void add_note_on_how(Document& document, const Findings& found) {
    const auto of = [&](const Numbers<double>& numbers) { return numbers["bnraw"][kHow * found.H()]; };
    const auto& [by_n, by_n_minus_1] = found.by;
    document.blocks.emplace_back(
        Text{fmt::format("The note writes (7.5 − μ)/σ = 0.3 for How in the first column and marks it as hypothetical. "
                         "By divisor n it is {:.3f} with the padding and {:.3f} without; by n − 1 {:.3f} and {:.3f}.",
                         of(by_n.padded), of(by_n.masked), of(by_n_minus_1.padded), of(by_n_minus_1.masked))});
}

void add_control(Document& document, const Findings& control) {
    double apart = 0;
    for (const ByDivisor& by : control.by) {
        for (const char* name : {"bnmeani", "bnvar", "bnraw", "dhprebn"}) {
            apart = std::max(apart, largest_difference(by.padded[name], by.masked[name]));
        }
    }
    const ByDivisor& by_n = control.by[0];
    document.blocks.emplace_back(Text{fmt::format(
        "The control: the note's other two sentences have three words each, so none of their {} rows is padding. (The "
        "note gives no numbers for them; these are made up.) Means, variances, normalised values and gradients of the "
        "padded and of the masked norm are {}.",
        control.batch.rows(), apart == 0 ? "the same to the bit" : fmt::format("up to {:.1g} apart", apart))});
    document.data["control"] = {{"rows", control.batch.rows()},
                                {"x", control.batch.x},
                                {"mean_padded", by_n.padded["bnmeani"]},
                                {"std_padded", by_n.std_padded},
                                {"mean_masked", by_n.masked["bnmeani"]},
                                {"std_masked", by_n.std_masked},
                                {"largest_difference", apart}};
}

// ---- more and more padding ----

// From no padding to 90 % of all rows, in steps of 5 % or of one row where that is more.
std::vector<std::size_t> pads_to_try(std::size_t real) {
    std::vector<std::size_t> all;
    for (int percent = 0; percent <= 90; percent += 5) {
        const double share = static_cast<double>(percent) / 100;
        const auto pads = static_cast<std::size_t>(std::lround(static_cast<double>(real) * share / (1 - share)));
        if (all.empty() || pads > all.back()) {
            all.push_back(pads);
        }
    }
    return all;
}

Table share_table(const Findings& found) {
    const std::string first = short_word(found, found.real.front());
    Table table{
        fmt::format("with more and more padding, divisor n; mean, deviation and {} normalised are column 1's", first),
        {{"padding", "share"},
         {"rows of it", "pads"},
         {"mean", ""},
         {"deviation", ""},
         {first, ""},
         {"off by", "off"},
         {"worst row", "worst"}},
        {}};
    for (const char* key : {"percent", "mean", "std", "std_unbiased", "off_unbiased", "worst_unbiased"}) {
        table.columns.emplace_back("", key, Align::hidden);
    }
    for (const std::size_t pads : pads_to_try(found.real.size())) {
        const Padded by_n = padded(found, pads, found.by[0]), by_n_minus_1 = padded(found, pads, found.by[1]);
        const double share = static_cast<double>(pads) / static_cast<double>(found.real.size() + pads);
        table.rows.push_back({percent(share), whole(pads), significant(by_n.mean[0], kDigits),
                              significant(by_n.std[0], kDigits), fixed(by_n.first[0], kDecimals),
                              fixed(by_n.off, kDecimals), fixed(by_n.worst, kDecimals), Cell("", 100 * share),
                              Cell("", by_n.mean), Cell("", by_n.std), Cell("", by_n_minus_1.std),
                              Cell("", by_n_minus_1.off), Cell("", by_n_minus_1.worst)});
    }
    return table;
}

// How far the law that add_shares states is off what was measured, relative to the size of a column's numbers.
double off_the_law(const Json& shares) {
    double largest = 0;
    for (const Json& point : shares) {
        for (std::size_t j = 0; j < point.at("mean").size(); ++j) {
            const auto of = [j](const Json& at, const char* key) { return at.at(key).at(j).get<double>(); };
            const double s = point.at("share").get<double>(), mean = of(shares.at(0), "mean"),
                         std = of(shares.at(0), "std");
            const double square = mean * mean + std * std, variance = (1 - s) * (std * std + s * mean * mean);
            if (square > 0) {
                largest = std::max({largest, std::abs(of(point, "mean") - (1 - s) * mean) / std::sqrt(square),
                                    std::abs(of(point, "std") * of(point, "std") - variance) / square});
            }
        }
    }
    return largest;
}

// What is left of a figure of the rows without padding; nothing where that is 0.
void add_series(Plot& plot, const std::string& name, const Json& shares, const char* key, std::size_t column) {
    const auto whole = shares.at(0).at(key).at(column).get<double>();
    if (whole == 0) {
        return;
    }
    Series& series = plot.series.emplace_back(Series{name, {}, {}, {}, {}, Style::both});
    for (const Json& point : shares) {
        series.x.push_back(point.at("percent").get<double>());
        series.y.push_back(point.at(key).at(column).get<double>() / whole);
    }
}

void add_shares(Document& document, const Findings& found) {
    const Table table = share_table(found);
    const Json shares = json_of_rows(table);
    const double off_law = off_the_law(shares);
    document.blocks.emplace_back(Text{
        "The same real rows with more and more rows of zeros below them. Of a column with mean μ and deviation σ, a "
        "share s of padding makes the mean (1 − s)·μ and the variance (1 − s)·(σ² + s·μ²), by divisor n:"});
    document.blocks.emplace_back(table);
    document.blocks.emplace_back(Text{fmt::format(
        "Over all columns and shares the measured figures are off that law by at most {:.1g} of the size of the "
        "numbers.",
        off_law)});
    document.data["shares"] = shares;
    document.data["off_law"] = off_law;
    Plot left{"What padding leaves of a column's figures", "padding, % of all rows", "of the masked figure", {}};
    const std::vector<double>& means = found.by[0].masked["bnmeani"];
    const auto some = std::ranges::max_element(means, {}, [](double mean) { return std::abs(mean); });
    add_series(left, "mean, any column", shares, "mean", static_cast<std::size_t>(some - means.begin()));
    for (std::size_t j = 0; j < columns_shown(found); ++j) {
        add_series(left, fmt::format("deviation {}", j + 1), shares, "std", j);
    }
    if (!left.series.empty()) {
        document.plots.push_back(std::move(left));
    }
    document.plots.push_back({"How wrong it makes the real rows",
                              "padding, % of all rows",
                              "off by, in deviations",
                              {series_of(table, "percent", "off", "all, root mean square", Style::both),
                               series_of(table, "percent", "worst", "worst row", Style::both)}});
}

// ---- gradients, attention, LibTorch ----

void add_gradients(Document& document, const Findings& found) {
    document.blocks.emplace_back(
        Text{"Backward, with γ and the gradient of the result drawn by --seed. First a loss that reads the real rows "
             "only: what arrives in each row by the masked norm, by the padded one, and how far apart they are. The "
             "last column is what the results of the padding send into each row through the padded norm where the "
             "loss reads them too."});
    for (const ByDivisor& by : found.by) {
        Table table{fmt::format("sizes of the gradients that arrive in each row, {}", by.words),
                    {"", "masked", "padded", "off by", "from padding"},
                    {}};
        const Rows &masked = by.masked["dhprebn"], &padded = by.padded["dhprebn"];
        for (std::size_t i = 0; i < std::min(kRowsShown, found.batch.rows()); ++i) {
            std::vector<Cell>& row = table.rows.emplace_back(1, short_word(found, i));
            for (const Rows& rows : {masked, padded, difference(padded, masked), by.sent_padded}) {
                row.push_back(significant(norm(row_of(rows, i, found.H())), kDigits));
            }
        }
        document.blocks.emplace_back(std::move(table));
    }
    document.blocks.emplace_back(
        Formulas{{"masked_batchnorm_gain_backward", "masked_batchnorm_bias_backward", "masked_batchnorm_raw_backward",
                  "batchnorm_inverse_deviation_backward", "batchnorm_variance_backward",
                  "masked_batchnorm_square_sum_backward", "batchnorm_difference_backward", "batchnorm_mean_backward",
                  "masked_batchnorm_input_backward", "layernorm_backward"}});
}

// Of the first sequence with both padding and real rows. A row of zeros has a score of 0 with every row.
void add_attention(Document& document, const Findings& found) {
    const SequenceBatch& batch = found.batch;
    const std::size_t L = batch.length, H = batch.width;
    for (std::size_t s = 0; s < batch.sequences; ++s) {
        const unsigned char* mask = batch.mask.data() + s * L;
        if (const std::size_t real = unmasked_rows(mask, L); real == 0 || real == L) {
            continue;
        }
        std::vector<double> all(H), words(H);
        batchnorm_mean(all.data(), batch.x.data() + s * L * H, L, H, L);
        masked_batchnorm_mean(words.data(), batch.x.data() + s * L * H, mask, L, H);
        Table table{fmt::format("what softmax attention makes of a row of padding of sequence {}", s + 1),
                    {""},
                    {{"no mask"}, {"padding masked as keys"}}};
        for (std::size_t j = 0; j < columns_shown(found); ++j) {
            table.columns.emplace_back(fmt::format("column {}", j + 1));
            table.rows[0].push_back(significant(all[j], kDigits));
            table.rows[1].push_back(significant(words[j], kDigits));
        }
        document.blocks.emplace_back(Text{
            "The note assumes that rows of padding are still zero after self-attention. They are only where attention "
            "masks them: a row of zeros has a score of 0 with every row, so softmax gives all the same weight and the "
            "row becomes their mean. Masking the padding as keys, as is usual, only changes which mean; the row must "
            "be set to 0 itself. (Scores without biases; values as they stand.)"});
        document.blocks.emplace_back(std::move(table));
        document.data["attention"] = {{"sequence", s + 1}, {"no_mask", all}, {"keys_masked", words}};
        return;
    }
}

// The masked norm and layer norm, in float, against LibTorch's on the real rows, in double.
void compare_with_torch(Document& document, const Findings& found, const torch_ref::Factory& torch) {
    const Mask& mask = found.batch.mask;
    const Numbers<double> real = packed(found.in, mask);
    const std::size_t n = found.real.size(), H = found.H();
    std::vector<Agreement> all;
    const auto compare = [&](const std::string& what, const InFloat& ours, const ReferenceOperations& operations,
                             const Numbers<double>& given, const std::array<const char*, 4>& names) {
        constexpr std::array kWhat = {"y", "dγ", "dβ", "dx"};
        for (std::size_t i = 0; i < names.size(); ++i) {
            const std::vector<float>& made = ours.made[names[i]];
            const std::vector<Rounded>& bounds = ours.bounds[names[i]];
            const bool with_padding = made.size() > n * H;
            all.push_back(agreement(what + kWhat[i], with_padding ? packed(made, mask) : made,
                                    with_padding ? packed(bounds, mask) : bounds,
                                    evaluate(operations, names[i], given)));
        }
    };
    for (const ByDivisor& by : found.by) {
        compare(by.norm.batch_divisor == Divisor::n ? "masked, n: " : "masked, n − 1: ",
                in_float(masked_graph(by.norm, mask, H), found.in),
                *torch.single_operation(op::kBatchnorm, by.norm, n, H), real,
                {"hpreact", "dbngain", "dbnbias", "dhprebn"});
    }
    const double epsilon = found.by[0].norm.epsilon;
    const Numbers<double> given = for_layer_norm(real);
    compare("layer norm: ", in_float(layer_graph(epsilon, n, H), given),
            *torch.single_operation(op::kLayernorm, {.epsilon = epsilon}, n, H), given,
            {"hpreact", "dlngain", "dlnbias", "dhpreln"});
    add_agreements(document, "float by hand against LibTorch in double on the real rows", all);
}

// ---- the page ----

void add_introduction(Document& document, const Findings& found, const std::string& where) {
    const auto counted = [](std::size_t count, const char* thing) {
        return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
    };
    document.blocks.emplace_back(Text{
        "Sequences of unequal length are filled up with rows of zeros to the longest. Stacked into one batch, those "
        "rows enter every column's mean and deviation. Compared here: the padded norm, batch norm over all rows; the "
        "masked norm, batch norm over the real rows only; and layer norm, each row by itself."});
    document.blocks.emplace_back(Formulas{{"masked_batchnorm_mean", "masked_batchnorm_difference", "batchnorm_square",
                                           "masked_batchnorm_variance", "batchnorm_inverse_deviation",
                                           "batchnorm_normalise", "masked_batchnorm_scale_shift", "row_mean",
                                           "layernorm_difference", "row_square", "row_inverse_root", "row_normalise"}});
    document.blocks.emplace_back(Text{
        "The last five make the layer norm: lnmean is the mean of x, lndiff = x − lnmean, lnvar the mean of lndiff², "
        "lnvar_inv = 1/√(lnvar + ε), and lnraw = lndiff·lnvar_inv."});
    const SequenceBatch& batch = found.batch;
    document.blocks.emplace_back(
        Text{fmt::format("The batch is {}: {}, filled up to {} of {}. Padding: {} of its {}.", where,
                         counted(batch.sequences, "sequence"), counted(batch.length, "row"),
                         counted(batch.width, "number"), found.pads(), counted(batch.rows(), "row"))});
}

void add_conclusion(Document& document, const Findings& found) {
    const auto& [by_n, by_n_minus_1] = found.by;
    if (found.pads() == 0) {
        document.blocks.emplace_back(as_conclusion(
            fmt::format("No row of this batch is padding: the padded and the masked norm are the same (the worst "
                        "row is off by {:g}), and the claim is not tested.",
                        std::ranges::max(by_n.off))));
        return;
    }
    const Mask& mask = found.batch.mask;
    const auto off = [&](const ByDivisor& by) { return root_mean_square(packed(by.off, mask)); };
    const auto worst = static_cast<std::size_t>(std::ranges::max_element(by_n.off) - by_n.off.begin());
    const double share = static_cast<double>(found.pads()) / static_cast<double>(found.batch.rows());
    const std::size_t most = pads_to_try(found.real.size()).back();
    const double most_share = static_cast<double>(most) / static_cast<double>(found.real.size() + most);
    const Rows right = packed(by_n.masked["dhprebn"], mask), wrong = packed(by_n.padded["dhprebn"], mask);
    const double gradient_off = norm(difference(wrong, right)) / norm(right);
    const double from_padding = norm(packed(by_n.sent_padded, mask)) / norm(right);
    double kept = 0;
    for (const ByDivisor& by : found.by) {
        kept = std::max(kept, largest_difference(by.sent_masked, Rows(by.sent_masked.size(), 0)));
    }
    document.blocks.emplace_back(as_conclusion(fmt::format(
        "The note's claim that rows of padding falsify the statistics {}: {} of padding put the real rows off by "
        "{:.3f} of a deviation in the root mean square, the worst of them, {}, by {:.3f}; {} would put them off by "
        "{:.3f}. By n − 1 it is {:.3f}, {:.3f} and {:.3f}. Backward, the padded norm's gradient of the real rows is "
        "off the masked one's by {:.3g} times its size, and padding that the loss reads sends them another {:.3g} "
        "times it, through the masked norm at most {:.1g}. Layer norm takes nothing from other rows and needs no mask, "
        "but it is another function, not a corrected batch norm: its values are {:.3f} from the masked norm's in the "
        "root mean square.",
        std::max(off(by_n), off(by_n_minus_1)) > 0 ? "holds here" : "does not hold here", percent(share).shown,
        off(by_n), short_word(found, worst), by_n.off[worst], percent(most_share).shown, padded(found, most, by_n).off,
        off(by_n_minus_1), std::ranges::max(by_n_minus_1.off), padded(found, most, by_n_minus_1).off, gradient_off,
        from_padding, kept, root_mean_square(difference(found.layer["lnraw"], packed(by_n.masked["bnraw"], mask))))));
    document.data["gradient_off"] = number(gradient_off);
    document.data["gradient_from_padding"] = number(from_padding);
}

}  // namespace

Document padding(const PaddingOptions& options, const Setting& setting) {
    const bool note = !options.batch;
    const Findings found =
        findings(note ? read_sequences(kNote, "the note") : *options.batch, options.epsilon, options.seed);
    Document document{"lab padding", "note 3", "Batch norm on padded sequences", {}, {}, {}, true};
    add_introduction(document, found, note ? "the note's two sentences" : printable(options.where));
    add_statistics(document, found);
    add_normalised(document, found);
    if (note) {
        add_note_on_how(document, found);
        add_control(document, findings(read_sequences(kControl, "the control"), options.epsilon, options.seed));
    }
    add_shares(document, found);
    add_gradients(document, found);
    add_attention(document, found);
    if (setting.torch != nullptr) {
        compare_with_torch(document, found, *setting.torch);
    }
    add_conclusion(document, found);
    return document;
}

}  // namespace byhand::lab

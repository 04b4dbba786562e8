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
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/padding/findings.h"
#include "lab/study.h"
#include "manual/batchnorm/masked.h"

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
    document.blocks.emplace_back(table_of_real_rows(
        found, "column 1 of every real row normalised, before γ and β; layer norm's divisor is always H",
        {"x", "padded n", "masked n", "padded n−1", "masked n−1", "layer"}, [&](std::size_t i, std::size_t packed_row) {
            const std::size_t at = i * found.H();
            std::vector<Cell> row = {significant(found.batch.x[at], kDigits)};
            for (const ByDivisor& by : found.by) {
                row.push_back(fixed(by.padded["bnraw"][at], kDecimals));
                row.push_back(fixed(by.masked["bnraw"][at], kDecimals));
            }
            row.push_back(fixed(found.layer["lnraw"][packed_row * found.H()], kDecimals));
            return row;
        }));
    document.blocks.emplace_back(table_of_real_rows(
        found, "how wrong padding makes each real row: root mean square over its columns",
        {"divisor n", "divisor n − 1"}, [&](std::size_t i, std::size_t) {
            return std::vector{fixed(found.by[0].off[i], kDecimals), fixed(found.by[1].off[i], kDecimals)};
        }));
}

void add_note_on_how(Document& document, const Findings& found) {
    const auto of = [&](const Numbers<double>& numbers) { return numbers["bnraw"][kHow * found.H()]; };
    const auto& [by_n, by_n_minus_1] = found.by;
    document.blocks.emplace_back(
        Text{fmt::format("The note writes (7.5 − μ)/σ = 0.3 for How in the first column and marks it as hypothetical. "
                         "By divisor n it is {:.3f} with the padding and {:.3f} without; by n − 1 {:.3f} and {:.3f}.",
                         of(by_n.padded), of(by_n.masked), of(by_n_minus_1.padded), of(by_n_minus_1.masked))});
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

void add_shares(Document& document, const Findings& found) {
    Study study{.key = "shares",
                .title = "how wrong more and more padding makes the real rows, root mean square in deviations",
                .arms = {"divisor n", "divisor n − 1"},
                .measure = "off by, in deviations",
                .varied = "padding, % of all rows",
                .decimals = 4,
                .log_x = false};
    const std::vector<std::size_t> pads = pads_to_try(found.real.size());
    study.values = figures_of(pads, [&](std::size_t count) {
        return 100 * static_cast<double>(count) / static_cast<double>(found.real.size() + count);
    });
    add(document, {filled(study, [&](std::size_t arm, std::size_t value, std::size_t) {
            return off_by_padding(found, pads[value], found.by[arm]);
        })});
}

// ---- gradients, LibTorch ----

void add_gradients(Document& document, const Findings& found) {
    document.blocks.emplace_back(Text{
        "Backward, with γ and the gradient of the result drawn by --seed, of a loss that reads the real rows only. "
        "The last column is what the results of the padding send into each row through the padded norm if the loss "
        "reads them too."});
    const ByDivisor& by = found.by[0];
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
    document.blocks.emplace_back(
        Formulas{{"masked_batchnorm_gain_backward", "masked_batchnorm_bias_backward", "masked_batchnorm_raw_backward",
                  "batchnorm_inverse_deviation_backward", "batchnorm_variance_backward",
                  "masked_batchnorm_square_sum_backward", "batchnorm_difference_backward", "batchnorm_mean_backward",
                  "masked_batchnorm_input_backward", "layernorm_backward"}});
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
        off(by_n), short_word(found, worst), by_n.off[worst], percent(most_share).shown,
        off_by_padding(found, most, by_n), off(by_n_minus_1), std::ranges::max(by_n_minus_1.off),
        off_by_padding(found, most, by_n_minus_1), gradient_off, from_padding, kept,
        root_mean_square(difference(found.layer["lnraw"], packed(by_n.masked["bnraw"], mask))))));
    document.data["gradient_off"] = number(gradient_off);
    document.data["gradient_from_padding"] = number(from_padding);
}

}  // namespace

Experiment padding_experiment() {
    const auto prepare = [] {
        return prepared<PaddingOptions>(
            [](PaddingOptions& options) -> std::vector<OwnOption> {
                options.file.most_bytes = std::size_t{4} << 20;
                return {{"--file",
                         "Your own sequences: a row of numbers per line, after an optional word; pad for a row of "
                         "padding; an empty line between sequences (docs/formats.md) [the note's]",
                         &options.file},
                        {"--bn-eps", "ε", &options.epsilon, 0},
                        {"--seed", "Seed of γ, β and the gradient for the backward pass", &options.seed, 0}};
            },
            padding);
    };
    return {
        .name = "padding", .note = "note 3", .about = "Padded sequences: masked norm, layer norm", .prepare = prepare};
}

Document padding(const PaddingOptions& options, const Setup& setup) {
    const bool note = options.file.path.empty();
    const SequenceBatch batch =
        note ? read_sequences(kNote, "the note") : read_sequences(options.file.text, options.file.path);
    const Findings found = findings(batch, options.epsilon, options.seed);
    Document document{"lab padding", "note 3", "Batch norm on padded sequences", {}, {}, {}, true};
    add_introduction(document, found, note ? "the note's two sentences" : printable(options.file.path));
    add_statistics(document, found);
    add_normalised(document, found);
    if (note) {
        add_note_on_how(document, found);
    }
    add_shares(document, found);
    add_gradients(document, found);
    if (setup.setting.torch != nullptr) {
        compare_with_torch(document, found, *setup.setting.torch);
    }
    add_conclusion(document, found);
    return document;
}

}  // namespace byhand::lab

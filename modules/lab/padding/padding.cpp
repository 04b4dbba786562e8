#include "lab/padding/padding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "judge/finding.h"
#include "lab/figures.h"
#include "lab/operation.h"
#include "lab/study.h"
#include "manual/batchnorm/masked.h"
#include "names/random.h"

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

// ---- rows ----

using Rows = std::vector<double>;  // (n, H)
using Mask = std::vector<unsigned char>;

Rows row_of(std::span<const double> rows, std::size_t i, std::size_t H) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(i * H);
    return {begin, begin + static_cast<std::ptrdiff_t>(H)};
}

double root_mean_square(const std::vector<double>& values) {
    return values.empty() ? 0 : norm(values) / std::sqrt(static_cast<double>(values.size()));
}

// The rows whose mask is set.
template <class T>
std::vector<T> packed(const std::vector<T>& rows, const Mask& mask) {
    const std::size_t H = rows.size() / mask.size();
    std::vector<T> kept;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (mask[i / H] != 0) {
            kept.push_back(rows[i]);
        }
    }
    return kept;
}
Tensors<double> packed(const Tensors<double>& in, const Mask& mask) {
    return batchnorm_inputs(packed(in.copy_of("hprebn"), mask), packed(in.copy_of("dhpreact"), mask),
                            in.copy_of("bngain"), in.copy_of("bnbias"));
}

// 0 in the rows whose mask is set, or in those whose mask is not.
Rows without(Rows rows, const Mask& mask, bool set) {
    const std::size_t H = rows.size() / mask.size();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i] = (mask[i / H] != 0) == set ? 0 : rows[i];
    }
    return rows;
}

// ---- the norms ----

// The step that makes this value, by another function that takes the mask after what the step reads.
template <class... FunctionAndSizes>
void replace(Graph& graph, const std::string& makes, FunctionAndSizes... function_and_sizes) {
    for (StepList* list : {&graph.forward, &graph.backward}) {
        for (Step& step : *list) {
            if (step.makes == makes) {
                StepList other;
                add(other, makes, step.shape, step.reads, function_and_sizes...);
                step = other.front();
            }
        }
    }
}

// Batch norm over the rows whose mask is set. The mask must outlive the graph.
Graph masked_graph(const NormConfig& norm, const Mask& rows, std::size_t H) {
    const std::size_t n = rows.size();
    const unsigned char* const mask = rows.data();
    const Divisor divisor = norm.batch_divisor;
    Graph graph = operation_graph(op::kBatchnorm, norm, n, H);
    replace(graph, "bnmeani", BYHAND_FUNCTION(masked_batchnorm_mean), mask, n, H);
    replace(graph, "bndiff", BYHAND_FUNCTION(masked_batchnorm_difference), mask, n, H);
    replace(graph, "bnvar", BYHAND_FUNCTION(masked_batchnorm_variance), mask, n, H, divisor);
    replace(graph, "hpreact", BYHAND_FUNCTION(masked_batchnorm_scale_shift), mask, n, H);
    replace(graph, "dbngain", BYHAND_FUNCTION(masked_batchnorm_gain_backward), mask, n, H);
    replace(graph, "dbnbias", BYHAND_FUNCTION(masked_batchnorm_bias_backward), mask, n, H);
    replace(graph, "dbnraw", BYHAND_FUNCTION(masked_batchnorm_raw_backward), mask, n, H);
    replace(graph, "dbndiff2", BYHAND_FUNCTION(masked_batchnorm_square_sum_backward), mask, n, H, divisor);
    replace(graph, "dhprebn", BYHAND_FUNCTION(masked_batchnorm_input_backward), mask, n, H);
    return graph;
}

// Layer norm, with its backward pass in one line.
Graph layer_graph(double epsilon, std::size_t n, std::size_t H) {
    return operation_graph(op::kLayernorm, {.epsilon = epsilon}, n, H, HandForm::collapsed);
}

// What batch norm reads, by the names of layer norm.
Tensors<double> for_layer_norm(const Tensors<double>& in) {
    Tensors<double> renamed;
    for (View view : in.views()) {
        view.name = view.name == "hprebn"         ? "hpreln"
                    : view.name.starts_with("bn") ? "ln" + view.name.substr(2)
                                                  : view.name;
        renamed.put(view);
    }
    return renamed;
}

// "Padded" is batch norm over all rows, "masked" over the real ones.
struct ByDivisor {
    NormConfig norm;
    const char *words, *end;                   // "divisor n"; of the keys in the JSON
    Tensors<double> padded = {}, masked = {};  // where the loss reads the real rows only: dy is 0 in padding
    std::vector<double> off = {};              // of each row the root mean square of bnraw, padded − masked
    Rows sent_padded = {}, sent_masked = {};   // the gradient of the input where the loss reads the padding only
};

struct Findings {
    SequenceBatch batch;
    Tensors<double> in;             // its rows; γ, β and the gradient of the result are drawn
    std::vector<std::size_t> real;  // the rows that are no padding
    std::vector<ByDivisor> by;      // n, n − 1
    Tensors<double> layer;          // layer norm of the real rows

    std::size_t H() const { return batch.width; }
    std::size_t pads() const { return batch.rows() - real.size(); }
};

void find(ByDivisor& by, const Findings& found) {
    const Mask& mask = found.batch.mask;
    const Graph padded = operation_graph(op::kBatchnorm, by.norm, mask.size(), found.H());
    const Graph masked = masked_graph(by.norm, mask, found.H());
    Tensors<double> of_real = found.in, of_padding = found.in;
    std::ranges::copy(without(found.in.copy_of("dhpreact"), mask, false), of_real["dhpreact"].begin());
    std::ranges::copy(without(found.in.copy_of("dhpreact"), mask, true), of_padding["dhpreact"].begin());
    by.padded = forward_and_backward(padded, of_real);
    by.masked = forward_and_backward(masked, of_real);
    by.sent_padded = forward_and_backward(padded, of_padding).copy_of("dhprebn");
    by.sent_masked = forward_and_backward(masked, of_padding).copy_of("dhprebn");
    const Rows off = without(difference(by.padded["bnraw"], by.masked["bnraw"]), mask, false);
    for (std::size_t i = 0; i < mask.size(); ++i) {
        by.off.push_back(root_mean_square(row_of(off, i, found.H())));
    }
}

Findings findings(SequenceBatch batch, double epsilon, std::uint64_t seed) {
    Findings found{std::move(batch), {}, {}, {}, {}};
    TorchGenerator generator = torch_seeded(seed);
    const auto drawn = [&](std::size_t count) {
        std::vector<float> values(count);
        randn(generator, values);
        return as<double>(values);
    };
    const std::vector<double> gain = drawn(found.H()), bias = drawn(found.H());
    found.in = batchnorm_inputs(found.batch.x, drawn(found.batch.x.size()), gain, bias);
    const Mask& mask = found.batch.mask;
    for (std::size_t i = 0; i < mask.size(); ++i) {
        if (mask[i] != 0) {
            found.real.push_back(i);
        }
    }
    found.layer = for_layer_norm(packed(found.in, mask));
    run(layer_graph(epsilon, found.real.size(), found.H()).forward, found.layer);
    found.by = {{{.batch_divisor = Divisor::n, .epsilon = epsilon}, "divisor n", ""},
                {{.epsilon = epsilon}, "divisor n − 1", "_unbiased"}};
    for (ByDivisor& by : found.by) {
        find(by, found);
    }
    // Without an ε nothing is divided by a deviation of 0.
    for (const std::span<const double> variances : {found.by[0].masked["bnvar"], found.layer["lnvar"]}) {
        if (epsilon == 0 && std::ranges::find(variances, 0.0) != variances.end()) {
            throw InputError(
                "--bn-eps 0: a real row, or a column of the real rows, is one number throughout and can't be "
                "normalised; give an ε above 0");
        }
    }
    return found;
}

// ---- the document ----

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

Json rows_json(const Findings& found) {
    const std::size_t H = found.H();
    Json list = Json::array();
    std::size_t packed_row = 0;
    for (std::size_t i = 0; i < found.batch.rows(); ++i) {
        Json row = {{"sequence", i / found.batch.length + 1},
                    {"word", found.batch.words[i]},
                    {"padding", found.batch.mask[i] == 0},
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
        if (found.batch.mask[i] != 0) {
            row["layer"] = row_of(found.layer["lnraw"], packed_row++, H);
        }
        list.push_back(std::move(row));
    }
    return list;
}

// Its first column and, as the title says where it is a part, first rows; --json has them all.
void add_rows(Document& document, const Findings& found) {
    constexpr std::size_t kRowsShown = 24;
    constexpr int kDigits = 5, kDecimals = 4;
    const ByDivisor& by = found.by.front();
    const std::size_t shown = std::min(kRowsShown, found.real.size());
    const std::string part =
        shown < found.real.size() ? fmt::format(" (the first {} of {})", shown, found.real.size()) : "";
    Table table{"column 1 of the real rows" + part +
                    " normalised, divisor n; how far the padding puts a row off, root mean square",
                {"", "x", "padded", "masked", "layer norm", "row off by"},
                {}};
    const auto add = [&](const std::string& what, double x, double padded, double masked) {
        table.rows.push_back({what, significant(x, kDigits), fixed(padded, kDecimals), fixed(masked, kDecimals)});
    };
    for (std::size_t i = 0; i < shown; ++i) {
        const std::size_t row = found.real[i], at = row * found.H();
        add(short_word(found, row), found.batch.x[at], by.padded["bnraw"][at], by.masked["bnraw"][at]);
        table.rows.back().push_back(fixed(found.layer["lnraw"][i * found.H()], kDecimals));
        table.rows.back().push_back(fixed(by.off[row], kDecimals));
    }
    for (const auto& [what, value] : {std::pair{"mean", "bnmeani"}, {"variance", "bnvar"}}) {
        table.rows.push_back(
            {what, "", significant(by.padded[value][0], kDigits), significant(by.masked[value][0], kDigits), "", ""});
        for (const ByDivisor& one : found.by) {
            document.data[fmt::format("{}_padded{}", what, one.end)] = one.padded.copy_of(value);
            document.data[fmt::format("{}_masked{}", what, one.end)] = one.masked.copy_of(value);
        }
    }
    document.data["gain"] = found.in.copy_of("bngain");
    document.data["bias"] = found.in.copy_of("bnbias");
    document.data["rows"] = rows_json(found);
    document.blocks.emplace_back(std::move(table));
}

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

// The root mean square of bnraw, padded − masked, of all real rows with so many rows of zeros below them.
double off_by_padding(const Findings& found, std::size_t pads, const ByDivisor& by) {
    const std::size_t H = found.H(), real = found.real.size();
    const auto with = [&](std::size_t zeros) {
        Tensors<double> all = packed(found.in, found.batch.mask);
        std::vector<double> x = all.copy_of("hprebn");
        x.resize((real + zeros) * H);
        all.put({"hprebn", {real + zeros, H}}, x);
        run(operation_graph(op::kBatchnorm, by.norm, real + zeros, H).forward, all);
        std::vector<double> normalised = all.copy_of("bnraw");
        normalised.resize(real * H);
        return normalised;
    };
    return root_mean_square(difference(with(pads), with(0)));
}

void add_shares(Document& document, const Findings& found) {
    Study study{.key = "shares",
                .title = "how wrong more and more padding makes the real rows, root mean square in deviations",
                .arms = {found.by[0].words, found.by[1].words},
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

// The masked norm and layer norm, in float, against LibTorch's on the real rows, in double.
void compare_with_torch(Document& document, const Findings& found, const torch_ref::Factory& torch) {
    const Mask& mask = found.batch.mask;
    const Tensors<double> real = packed(found.in, mask);
    const std::size_t n = found.real.size(), H = found.H();
    const auto real_rows = [&](const auto& values) { return values.size() > n * H ? packed(values, mask) : values; };
    std::vector<Agreement> all;
    const auto compare = [&](const std::string& what, const Graph& graph, const Tensors<double>& in,
                             const ReferenceOperations& operations, const Tensors<double>& in_torch,
                             const std::vector<std::string>& names) {
        const InFloat ours = in_float(graph, in);
        for (const std::string& name : names) {
            all.push_back(agreement(what + name, real_rows(ours.made.copy_of(name)),
                                    real_rows(ours.bounds.copy_of(name)), evaluate(operations, name, in_torch)));
        }
    };
    for (const ByDivisor& by : found.by) {
        compare(std::string("masked, ") + by.words + ": ", masked_graph(by.norm, mask, H), found.in,
                *torch.single_operation(op::kBatchnorm, by.norm, n, H), real,
                {"hpreact", "dbngain", "dbnbias", "dhprebn"});
    }
    const double epsilon = found.by[0].norm.epsilon;
    const Tensors<double> given = for_layer_norm(real);
    compare("layer norm: ", layer_graph(epsilon, n, H), given,
            *torch.single_operation(op::kLayernorm, {.epsilon = epsilon}, n, H), given,
            {"hpreact", "dlngain", "dlnbias", "dhpreln"});
    add_agreements(document, "float by hand against LibTorch in double on the real rows", all);
}

void add_conclusion(Document& document, const Findings& found) {
    const ByDivisor &by_n = found.by[0], &by_n_minus_1 = found.by[1];
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
    const Rows right = packed(by_n.masked.copy_of("dhprebn"), mask),
               wrong = packed(by_n.padded.copy_of("dhprebn"), mask);
    const double gradient_off = norm(difference(wrong, right)) / norm(right);
    const double from_padding = norm(packed(by_n.sent_padded, mask)) / norm(right);
    double kept = 0;
    for (const ByDivisor& by : found.by) {
        kept = larger(kept, largest_magnitude(by.sent_masked));
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
        root_mean_square(difference(found.layer["lnraw"], packed(by_n.masked.copy_of("bnraw"), mask))))));
}

}  // namespace

Experiment padding_experiment() {
    return {.name = "padding", .note = "note 3", .about = "Padded sequences: masked norm, layer norm", .prepare = [] {
                return prepared(padding);
            }};
}

Document padding(const PaddingOptions& options, const Setup& setup) {
    const bool note = options.file.path.empty();
    const Findings found =
        findings(note ? read_sequences(kNote, "the note") : read_sequences(options.file.text, options.file.path),
                 options.epsilon, options.seed);
    const SequenceBatch& batch = found.batch;
    Document document{"lab padding", "note 3", "Batch norm on padded sequences", {}, {}, {}, true};
    document.blocks.emplace_back(Text{fmt::format(
        "Sequences of unequal length are filled up with rows of zeros to the longest. Compared here: the padded norm, "
        "batch norm over all rows; the masked norm, batch norm over the real rows only; and layer norm, each row by "
        "itself. The batch is {}: sequences: {}, rows of each: {}, numbers of a row: {}, rows of padding: {} of {}.",
        note ? "the note's two sentences" : printable(options.file.path), batch.sequences, batch.length, batch.width,
        found.pads(), batch.rows())});
    const Graph masked = masked_graph({}, batch.mask, batch.width);
    Formulas formulas = formulas_of(masked.forward);
    for (const char* of_rows :
         {"row_mean", "layernorm_difference", "row_square", "row_inverse_root", "row_normalise"}) {
        formulas.formulas.emplace_back(of_rows);
    }
    std::ranges::move(formulas_of(masked.backward).formulas, std::back_inserter(formulas.formulas));
    formulas.formulas.emplace_back("layernorm_backward");
    document.blocks.emplace_back(std::move(formulas));
    add_rows(document, found);
    add_shares(document, found);
    if (setup.setting.torch != nullptr) {
        compare_with_torch(document, found, *setup.setting.torch);
    }
    add_conclusion(document, found);
    return document;
}

}  // namespace byhand::lab

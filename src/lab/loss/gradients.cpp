#include "lab/loss/gradients.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/json.h"
#include "judge/finding.h"
#include "lab/agreement.h"
#include "lab/figures.h"
#include "lab/loss/steps.h"
#include "lab/norm_steps.h"
#include "names/random.h"

namespace byhand::lab {
namespace {

// Logits from a normal distribution of deviation 1, and right answers.
LossInput<double> drawn(std::size_t n, std::size_t V, std::uint64_t seed) {
    TorchGenerator generator = torch_seeded(seed);
    std::vector<float> logits(n * V);
    std::vector<std::int64_t> Y(n);
    randn(generator, logits);
    randint(generator, V, Y);
    return {n, V, as<double>(logits), Y};
}

// One row: one logit of this height, the others 0; it is the right answer's, or a wrong one's.
LossInput<double> saturated(std::size_t V, double height, bool right) {
    std::vector<double> logits(V, 0);
    logits.front() = height;
    return {1, V, logits, {right ? 0 : 1}};
}

Series series(const std::string& name, std::vector<double> x) {
    Series made;
    made.name = name;
    made.x = std::move(x);
    return made;
}

struct Gradients {
    std::vector<double> cross_entropy, notes_start, squared_error;
};

Gradients gradients_at(const LossInput<double>& in) {
    return {cross_entropy(in).dlogits, notes_start(in).dlogits, squared_error(in).dlogits};
}

void tell_scales(Document& document, const std::vector<double>& scales, LossInput<double> in) {
    const LossInput<double> unit = in;
    const auto n = static_cast<double>(in.n);
    Table table{fmt::format("Gradients of {} × {} logits drawn from a normal distribution: their norms, the note's as "
                            "the sum that it is, and their cosines with cross-entropy's",
                            in.n, in.V),
                {"deviation", "cross-entropy", "note's", "squared error", "cos note's", "cos sq. error"},
                {}};
    Series notes = series("note's start", scales), squared = series("squared error", scales);
    double lowest = 1, largest = 0;
    for (const double scale : scales) {
        std::ranges::transform(unit.logits, in.logits.begin(), [scale](double logit) { return scale * logit; });
        const Gradients g = gradients_at(in);
        const double to_note = cosine(g.notes_start, g.cross_entropy);
        const double to_squared = cosine(g.squared_error, g.cross_entropy);
        const double difference = largest_difference(g.notes_start, g.cross_entropy);
        table.rows.push_back({significant(scale, 4), significant(norm(g.cross_entropy), 3),
                              significant(n * norm(g.notes_start), 3), significant(norm(g.squared_error), 3),
                              fixed(to_note, 9), fixed(to_squared, 4)});
        notes.y.push_back(to_note);
        squared.y.push_back(to_squared);
        lowest = std::min(lowest, to_squared);
        largest = std::max(largest, difference);
        document.data["gradients"].push_back(
            {{"deviation", scale},
             {"norms",
              {{"cross_entropy", number(norm(g.cross_entropy))},
               {"notes_start", number(n * norm(g.notes_start))},
               {"squared_error", number(norm(g.squared_error))}}},
             {"cosines", {{"notes_start", number(to_note)}, {"squared_error", number(to_squared)}}},
             {"largest_difference", number(difference)}});
    }
    document.blocks.emplace_back(std::move(table));
    constexpr double kRounding = 1e-15;  // of elements of about 1/n, in double
    document.blocks.emplace_back(Text{fmt::format(
        "{}: of all elements at all of these logits none differs, once the note's are divided by n, by more than "
        "{:.1e}. The squared error's own gradient is another: its cosine goes down to {:.4f}.",
        largest <= kRounding
            ? fmt::format("The note's start is cross-entropy's gradient, but {} times as large, since it sums over the "
                          "rows where the mean divides by n",
                          in.n)
            : "The note's start is not cross-entropy's gradient",
        largest, lowest)});
    document.plots.push_back({.title = "Cosine with cross-entropy's gradient",
                              .x_label = "deviation of the logits",
                              .y_label = "",
                              .series = {notes, squared},
                              .log_x = true});
}

void tell_saturated(Document& document, std::size_t V) {
    const std::vector<double> heights = {0, 1, 2, 5, 10, 15, 20, 25, 30};
    Table table{
        fmt::format(
            "One row, one logit so far above the {} others, which are equal: norms of cross-entropy's and the "
            "squared error's gradient where it is the right answer's, norms and cosine where it is a wrong one's",
            V - 1),
        {"above by", "c.-e., right", "sq. e., right", "c.-e., wrong", "sq. e., wrong", "cosine"},
        {}};
    Series right_ce = series("right, cross-entropy", heights), right_se = series("right, squared error", heights),
           wrong_ce = series("wrong, cross-entropy", heights), wrong_se = series("wrong, squared error", heights);
    for (const double height : heights) {
        const Gradients right = gradients_at(saturated(V, height, true));
        const Gradients wrong = gradients_at(saturated(V, height, false));
        const double to_wrong = cosine(wrong.squared_error, wrong.cross_entropy);
        right_ce.y.push_back(norm(right.cross_entropy));
        right_se.y.push_back(norm(right.squared_error));
        wrong_ce.y.push_back(norm(wrong.cross_entropy));
        wrong_se.y.push_back(norm(wrong.squared_error));
        table.rows.push_back({significant(height, 4), significant(right_ce.y.back(), 2),
                              significant(right_se.y.back(), 2), significant(wrong_ce.y.back(), 2),
                              significant(wrong_se.y.back(), 2), fixed(to_wrong, 4)});
        document.data["saturated"].push_back(
            {{"above", height},
             {"right", {{"cross_entropy", number(right_ce.y.back())}, {"squared_error", number(right_se.y.back())}}},
             {"wrong",
              {{"cross_entropy", number(wrong_ce.y.back())},
               {"squared_error", number(wrong_se.y.back())},
               {"cosine", number(to_wrong)}}}});
    }
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(Text{fmt::format(
        "Sure and right, both gradients vanish, as they should. Sure and wrong, cross-entropy's stays: {:.2f} at {:g} "
        "above. The squared error's comes to {:.1e} there: each of its elements has the factor probs, and what it "
        "would "
        "have to raise has none. A network that is sure of a wrong answer does not learn from it by the squared error.",
        wrong_ce.y.back(), heights.back(), wrong_se.y.back())});
    document.plots.push_back({.title = "Gradient's norm where one logit stands above the others",
                              .x_label = "above by",
                              .y_label = "",
                              .series = {wrong_ce, wrong_se, right_ce, right_se},
                              .log_y = true});
}

void compare_with_torch(Document& document, LossInput<double> in, const torch_ref::Factory& torch) {
    constexpr double kDeviation = 3;
    for (double& logit : in.logits) {
        logit = static_cast<double>(static_cast<float>(kDeviation * logit));
    }
    const std::vector<View> values = {{"logits", {in.n, in.V}, DType::float64, in.logits.data()},
                                      {"Y", {in.n}, DType::int64, in.Y.data()}};
    const LossInput<float> in32{in.n, in.V, as<float>(in.logits), in.Y};
    const LossInput<Rounded> bounds{in.n, in.V, as<Rounded>(in.logits), in.Y};
    std::vector<Agreement> agreements;
    const auto add = [&](const std::string& name, const std::string& op, const LossOutput<float>& by_hand,
                         const LossOutput<Rounded>& bound) {
        const auto reference = torch.single_operation(op, {}, in.n, in.V);
        agreements.push_back(
            agreement(name + ", loss", {by_hand.loss}, {bound.loss}, reference->evaluate("loss", values)));
        agreements.push_back(
            agreement(name + ", dlogits", by_hand.dlogits, bound.dlogits, reference->evaluate("dlogits", values)));
    };
    add("cross-entropy", op::kCrossEntropy, cross_entropy(in32), cross_entropy(bounds));
    add("squared error", "squared_error", squared_error(in32), squared_error(bounds));
    document.blocks.emplace_back(
        table_of("float by hand against LibTorch in double, logits of deviation 3", agreements));
    document.agrees = document.agrees && all_hold(agreements);
}

}  // namespace

void tell_gradients(Document& document, const LossGradients& options, const Setting& setting) {
    const LossInput<double> in = drawn(options.n, options.V, options.seed);
    tell_scales(document, options.scales, in);
    tell_saturated(document, options.V);
    if (setting.torch != nullptr) {
        compare_with_torch(document, in, *setting.torch);
    }
}

}  // namespace byhand::lab

#include "lab/walkthrough/story.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/value.h"
#include "lab/figures.h"
#include "report/document.h"

namespace byhand::lab {
namespace {

// "Layer 2 of 3 (the output)".
std::string name_of(const Layer& layer, const Told& told) {
    return fmt::format("Layer {} of {}{}", layer.number, told.network.config.hidden.size() + 1,
                       layer.is_output ? " (the output)" : "");
}

Layer layer_of(const Chapter& chapter, const Told& told) {
    return layers(told.network.config)[chapter.layer];
}

const Step& step_by(const Chapter& chapter, const std::string& function) {
    return **std::ranges::find(chapter.steps, function, [](const Step* step) { return step->in_float.name; });
}

// The first unit's values down the batch. Precondition: the tensor is (B, H).
std::vector<double> first_column(const std::string& name, std::size_t width, const Told& told) {
    const std::span<const float> values = told.values[name];
    std::vector<double> column;
    column.reserve(told.network.rows);
    for (std::size_t i = 0; i < values.size(); i += width) {
        column.push_back(static_cast<double>(values[i]));
    }
    return column;
}

// Of the first unit over the batch, by the norm's own divisor.
MeanAndDeviation figures_of(const std::string& name, std::size_t width, const Told& told) {
    MeanAndDeviation figures = mean_and_deviation(first_column(name, width, told));
    if (told.network.config.norm.batch_divisor == Divisor::n) {
        const auto n = static_cast<double>(told.network.rows);
        figures.deviation *= std::sqrt((n - 1) / n);
    }
    return figures;
}

double largest(const std::string& name, const Told& told) {
    double most = 0;
    for (const float value : told.values[name]) {
        most = std::max(most, std::abs(static_cast<double>(value)));
    }
    return most;
}

std::string told_character(const Told& told) {
    return told.followed.character_in_words(told.followed.character());
}

std::string told_answer(const Told& told) {
    return told.followed.character_in_words(told.followed.evaluate());
}

// What no story is written for.
std::string other(const Chapter& chapter) {
    std::vector<std::string> functions;
    functions.reserve(chapter.steps.size());
    for (const Step* step : chapter.steps) {
        functions.push_back(step->in_float.name);
    }
    return fmt::format("Further steps: {}.", fmt::join(functions, ", "));
}

// ---- forward ----

std::string lookup(const Told& told) {
    const NetworkConfig& network = told.network.config;
    return fmt::format(
        "Lookup. Each character has a row of {} numbers in C. They are looked up, and the {} of an example laid side "
        "by "
        "side. Shown: C's row of the last character, {}, and where it has come to.",
        network.embedding, network.context, told_character(told));
}

std::string linear(const Chapter& chapter, const Told& told) {
    const Layer layer = layer_of(chapter, told);
    return fmt::format("{}, linear. Each of its {} units weighs the {} numbers that come in{}.", name_of(layer, told),
                       layer.outputs, layer.inputs, layer.has_bias ? " and adds its bias" : "");
}

std::string norm_forward_story(const Chapter& chapter, const Told& told) {
    const Layer layer = layer_of(chapter, told);
    const NormConfig& norm = told.network.config.norm;
    const MeanAndDeviation before = figures_of(chapter.steps.front()->reads.front(), layer.outputs, told);
    const MeanAndDeviation after = figures_of(step_by(chapter, "batchnorm_normalise").makes, layer.outputs, told);
    return fmt::format(
        "{}, batch norm. Each unit by itself, over the {} rows of the batch: its mean is taken off, and what is left "
        "divided by its deviation. {} comes in with mean {:.4f} and deviation {:.4f}, and goes out with {} and "
        "{:.4f}.{}",
        name_of(layer, told), told.network.rows, layer.is_output ? "The first character" : "Unit 0", before.mean,
        before.deviation, fixed(after.mean, 4).shown, after.deviation,
        norm.affine ? " Then γ and β, learned, give it the deviation and mean that serve best." : "");
}

std::string activation(const Chapter& chapter, const Told& told) {
    constexpr float kSaturated = 0.97F;
    const std::span<const float> h = told.values[chapter.steps.front()->makes];
    const auto out = std::ranges::count_if(h, [](float value) { return std::abs(value) > kSaturated; });
    return fmt::format(
        "{}, tanh. Every value is bent into −1 to 1; {:.1f} % of them lie beyond ±0.97, where it is flat.",
        name_of(layer_of(chapter, told), told), 100 * static_cast<double>(out) / static_cast<double>(h.size()));
}

std::string loss_forward(const Told& told) {
    const std::size_t V = told.network.config.vocabulary;
    const auto probability =
        static_cast<double>(told.values["probs"][told.followed.row * V + told.followed.evaluate()]);
    return fmt::format(
        "Loss. The scores become probabilities: each row's largest is taken off, so that exp can't overflow, and the "
        "exponentials are divided by their sum. The right answer of row {}, {}, has the probability {:.4f}, and −ln of "
        "it is {:.4f}. The loss is the mean of that over the rows: {:.4f}. To guess blindly costs ln {} = {:.4f}.",
        told.followed.row, told_answer(told), probability, -std::log(probability),
        static_cast<double>(told.values["loss"][0]), V, std::log(static_cast<double>(V)));
}

// ---- backward ----

// The largest difference of an element of dlogits from (Ŷ − Y)/n.
double away_from_one_line(const Told& told) {
    const std::span<const float> probs = told.values["probs"], dlogits = told.values["dlogits"];
    const std::size_t V = told.network.config.vocabulary;
    const auto n = static_cast<double>(told.network.rows);
    double most = 0;
    for (std::size_t i = 0; i < probs.size(); ++i) {
        const double right = static_cast<std::size_t>(told.followed.wording.Y[i / V]) == i % V ? 1 : 0;
        most = std::max(most, std::abs(static_cast<double>(dlogits[i]) - (static_cast<double>(probs[i]) - right) / n));
    }
    return most;
}

std::string loss_backward(const Told& told) {
    return fmt::format(
        "Back. From here on everything goes in mirror order; dX says how the loss changes with X, and has X's "
        "shape. The loss depends on the right answers' logarithms alone: −1/n there, 0 elsewhere. Through the steps of "
        "softmax it comes to dlogits, which is (Ŷ − Y)/n, as in note 1 (no element is further from it than {:.1g}): "
        "down with every wrong character by its probability, up with the right one.",
        away_from_one_line(told));
}

std::string linear_backward_story(const Chapter& chapter, const Told& told) {
    const Layer layer = layer_of(chapter, told);
    const std::string W = layer.W(), b = layer.b();
    std::string text = fmt::format("{}, linear. Its gradient goes {}.", name_of(layer, told),
                                   layer.has_bias ? "three ways: on to what came in, to the weights, and to the biases"
                                                  : "two ways: on to what came in, and to the weights");
    if (layer.has_bias && layer.norm == NormPlace::before) {
        text += fmt::format(
            " The norm takes the mean off, and with it any bias: of d{} no element is larger than {:.1g}, where d{} "
            "goes "
            "to {:.1g}.",
            b, largest(gradient_of(b), told), W, largest(gradient_of(W), told));
    }
    return text;
}

std::string norm_backward_story(const Chapter& chapter, const Told& told) {
    const Layer layer = layer_of(chapter, told);
    const std::string& dx = chapter.steps.back()->makes;
    double sum = 0;
    for (const double value : first_column(dx, layer.outputs, told)) {
        sum += value;
    }
    return fmt::format(
        "{}, batch norm. A row moves its unit's mean and variance too, and by them every other row: what it gets back "
        "is what it did itself, less what went by these two. To add the same to every row changes nothing, so each "
        "column of {} sums to 0 ({}: {:.1g}).",
        name_of(layer, told), dx, layer.is_output ? "the first" : "unit 0", sum);
}

std::string activation_backward(const Chapter& chapter, const Told& told) {
    const Step& step = *chapter.steps.front();
    double passed = 0;
    const std::span<const float> h = told.values[step.reads.back()];
    for (const float value : h) {
        passed += (1 - static_cast<double>(value) * static_cast<double>(value)) / static_cast<double>(h.size());
    }
    return fmt::format("{}, tanh. Where it is flat nothing comes through; on average {:.0f} % does.",
                       name_of(layer_of(chapter, told), told), 100 * passed);
}

std::string lookup_backward(const Told& told) {
    const std::vector<std::int64_t>& X = told.followed.wording.X;
    const auto used = std::ranges::count(X, static_cast<std::int64_t>(told.followed.character()));
    return fmt::format(
        "Lookup. A row of C collects from every place where its character was used: {} stands in {} of the batch's {} "
        "places.",
        told_character(told), used, X.size());
}

}  // namespace

std::string story_of_batch(const Told& told, std::size_t examples) {
    constexpr std::size_t kRows = 8;
    const std::size_t rows = told.network.rows;
    std::string text = fmt::format(
        "The batch. From the {} characters before, the next is to be guessed; '.' stands where a name begins and ends. "
        "{} examples are drawn from the {} of the training names:",
        told.network.config.context, rows, examples);
    for (std::size_t row = 0; row < std::min(rows, kRows); ++row) {
        text += (row == 0 ? "\n" : ", ") + row_in_words(row, told.followed.wording);
    }
    return text + (rows > kRows ? ", …" : ".") +
           fmt::format("\nFollowed is {}.", row_in_words(told.followed.row, told.followed.wording));
}

std::string forward_story(const Chapter& chapter, const Told& told) {
    switch (chapter.part) {
        case Part::lookup:
            return lookup(told);
        case Part::linear:
            return linear(chapter, told);
        case Part::norm:
            return norm_forward_story(chapter, told);
        case Part::activation:
            return activation(chapter, told);
        case Part::loss:
            return loss_forward(told);
        case Part::other:
            break;
    }
    return other(chapter);
}

std::string backward_story(const Chapter& chapter, const Told& told) {
    switch (chapter.part) {
        case Part::lookup:
            return lookup_backward(told);
        case Part::linear:
            return linear_backward_story(chapter, told);
        case Part::norm:
            return norm_backward_story(chapter, told);
        case Part::activation:
            return activation_backward(chapter, told);
        case Part::loss:
            return loss_backward(told);
        case Part::other:
            break;
    }
    return other(chapter);
}

}  // namespace byhand::lab

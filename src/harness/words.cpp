#include "harness/words.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/value.h"

namespace byhand {
namespace {

template <std::size_t N>
bool is_one_of(const std::string& name, const std::array<const char*, N>& names) {
    return std::ranges::find(names, name) != names.end();
}

// What every layer has: a value a row and unit, and figures a unit.
constexpr std::array kByRowAndUnit = {"hprebn", "bndiff", "bndiff2", "bnraw", "hpreact", "h"};
constexpr std::array kByUnit = {"bnmeani", "bnvar", "bnvar_inv", "bngain", "bnbias", "bnmean_running", "bnvar_running"};
// What the softmax makes: a value a row and character, and figures a row.
constexpr std::array kByRowAndCharacter = {"logits", "norm_logits", "counts", "probs", "logprobs"};
constexpr std::array kByRow = {"logit_maxes", "counts_sum", "counts_sum_inv"};

std::string digits(std::size_t n) {
    return std::to_string(n);
}

// Longer contexts are shown by their last characters.
constexpr std::size_t kMostShown = 16;

// What an index counts.
enum class Axis { row, position, dimension, input, embedded, unit, character };
using Axes = std::vector<Axis>;

constexpr const char* kCharacter = "character";

const char* in_words(Axis axis) {
    switch (axis) {
        case Axis::row:
            return "batch row";
        case Axis::position:
            return "position";
        case Axis::dimension:
            return "dimension";
        case Axis::input:
            return "position and dimension";
        case Axis::embedded:
        case Axis::character:
            return kCharacter;
        case Axis::unit:
            break;
    }
    return "unit";
}

class Speaker {
public:
    explicit Speaker(const Wording& wording) : wording_(wording), layers_(layers(wording.network)) {}

    // What the tensor's indices count. Nothing where the network has no such value.
    std::optional<Axes> axes(const std::string& tensor, std::size_t number) const {
        const std::string name = without_kind(tensor);
        const auto these = [number](Axes axes) { return number == axes.size() ? std::optional(axes) : std::nullopt; };
        if (name == "C") {
            return these({Axis::embedded, Axis::dimension});
        }
        if (name == "loss" || name == "rate") {
            return these({});
        }
        if (name == "emb") {
            return these({Axis::row, Axis::position, Axis::dimension});
        }
        if (name == "embcat") {
            return these({Axis::row, Axis::input});
        }
        if (is_one_of(name, kByRow)) {
            return these({Axis::row});
        }
        if (is_one_of(name, kByRowAndCharacter)) {
            return these({Axis::row, unit_of(layers_.back())});
        }
        const std::optional<Axes> found = axes_in_layer(name, number);
        return found ? these(*found) : std::nullopt;
    }

    // Nothing where the network has no such value.
    std::optional<std::string> place(const std::string& name, const std::vector<std::size_t>& index) const {
        const std::optional<Axes> known = axes(name, index.size());
        if (!known) {
            return std::nullopt;
        }
        const bool from_to = known->size() == 2 && known->front() != Axis::row && known->front() != Axis::embedded;
        std::string text = from_to ? "from " : "";
        for (std::size_t i = 0; i < index.size(); ++i) {
            text += (i == 0 ? "" : from_to ? " to " : ", ") + at((*known)[i], index[i]);
        }
        return text;
    }

    std::string row(std::size_t i) const {
        const std::size_t context = wording_.network.context;
        std::string text = "row " + digits(i);
        if (i >= wording_.Y.size() || (i + 1) * context > wording_.X.size()) {
            return text;
        }
        std::string before = context > kMostShown ? "…" : "";
        for (std::size_t t = context - std::min(context, kMostShown); t < context; ++t) {
            before += spelled(wording_.X[i * context + t]);
        }
        return text + " (`" + before + " → " + spelled(wording_.Y[i]) + "`)";
    }

private:
    // Of a value that more than one layer may have under this name, the one of so many axes.
    std::optional<Axes> axes_in_layer(const std::string& name, std::size_t number) const {
        for (const Layer& layer : layers_) {
            const Axis unit = unit_of(layer);
            if (name == layer.W()) {
                return Axes{layer.number == 1 ? Axis::input : Axis::unit, unit};
            }
            if (name == layer.b()) {
                return Axes{unit};
            }
            if (!name.ends_with(layer.suffix)) {
                continue;
            }
            const std::string bare = name.substr(0, name.size() - layer.suffix.size());
            if (is_one_of(bare, kByUnit) && number == 1) {
                return Axes{unit};
            }
            if (is_one_of(bare, kByRowAndUnit) && number == 2) {
                return Axes{Axis::row, unit};
            }
        }
        return std::nullopt;
    }

    // The output's units are characters.
    static Axis unit_of(const Layer& layer) { return layer.is_output ? Axis::character : Axis::unit; }

    std::string at(Axis axis, std::size_t i) const {
        switch (axis) {
            case Axis::row:
                return row(i);
            case Axis::position:
                return position(i);
            case Axis::dimension:
                return "dimension " + digits(i);
            case Axis::input:
                return input(i);
            case Axis::embedded:
                return "row " + character(i).value_or(digits(i));
            case Axis::character:
                return character(i).value_or("unit " + digits(i));
            case Axis::unit:
                break;
        }
        return "unit " + digits(i);
    }

    std::optional<std::string> character(std::size_t number) const {
        if (number >= wording_.characters.size()) {
            return std::nullopt;
        }
        return "'" + wording_.characters[number] + "'";
    }

    static std::string position(std::size_t i) { return "position " + digits(i + 1); }

    std::string input(std::size_t i) const {
        const std::size_t width = std::max<std::size_t>(wording_.network.embedding, 1);
        return position(i / width) + ", dimension " + digits(i % width);
    }

    std::string spelled(std::int64_t number) const {
        const auto i = static_cast<std::size_t>(number);
        return number >= 0 && i < wording_.characters.size() ? wording_.characters[i] : "?";
    }

    const Wording& wording_;
    std::vector<Layer> layers_;
};

}  // namespace

std::string in_words(const std::string& tensor, const std::vector<std::size_t>& index, const Wording& wording) {
    if (const auto place = Speaker(wording).place(tensor, index)) {
        return place->empty() ? tensor : tensor + " " + *place;
    }
    std::string text = tensor + " [";
    for (std::size_t i = 0; i < index.size(); ++i) {
        text += (i == 0 ? "" : ", ") + digits(index[i]);
    }
    return text + "]";
}

std::string row_in_words(std::size_t row, const Wording& wording) {
    return Speaker(wording).row(row);
}

std::vector<std::string> axes_in_words(const std::string& tensor, std::size_t axes, const Wording& wording) {
    const std::optional<Axes> known = Speaker(wording).axes(tensor, axes);
    std::vector<std::string> words(axes);
    for (std::size_t i = 0; i < axes; ++i) {
        words[i] = known ? in_words((*known)[i]) : "index " + digits(i + 1);
    }
    return words;
}

bool counts_characters(const std::string& axis) {
    return axis == kCharacter;
}

}  // namespace byhand

#include "harness/words.h"

#include <algorithm>

#include "base/value.h"

namespace byhand {
namespace {

// Longer contexts are shown by their last characters.
constexpr std::size_t kMostShown = 16;

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

    // As axes_of.
    std::optional<Axes> axes(const std::string& tensor, std::size_t number) const {
        const GlossaryRow* row = find_row(wording_.glossary, tensor);
        const std::string base_of_name = value_of(tensor).base;
        if (row != nullptr && row->value != base_of_name && row->value == role_of(base_of_name)) {
            return axes(without_role(without_kind(tensor)), number);
        }
        if (row == nullptr || row->axes.size() != number) {
            return std::nullopt;
        }
        if (std::ranges::find(row->axes, Axis::unit) == row->axes.end()) {
            const Value value = value_of(tensor);
            const bool is_there =
                value.layer == 0 || std::ranges::any_of(wording_.glossary, [&](const auto& operation) {
                    return operation.layer == value.layer &&
                           std::ranges::find(operation.rows, value.base, &GlossaryRow::value) != operation.rows.end();
                });
            return is_there ? std::optional(row->axes) : std::nullopt;
        }
        const std::string base(row->value), name = without_kind(tensor);
        const auto layer = std::ranges::find_if(
            layers_, [&](const Layer& l) { return name == l.value(base) || name == l.W() || name == l.b(); });
        return layer != layers_.end() ? std::optional(axes_in(*layer, row->axes)) : std::nullopt;
    }

    // Nothing where the network has no such value.
    std::optional<std::string> place(const std::string& name, const std::vector<std::size_t>& index) const {
        const std::optional<Axes> known = axes(name, index.size());
        if (!known) {
            return std::nullopt;
        }
        const bool from_to = known->size() == 2 && known->front() != Axis::row && known->front() != Axis::embedded;
        std::string text = from_to ? "from " : "";
        const std::size_t P = positions(name);
        for (std::size_t i = 0; i < index.size(); ++i) {
            const Axis axis = (*known)[i];
            text += i == 0 ? "" : from_to ? " to " : ", ";
            if (axis == Axis::row && P > 1) {
                text += row(index[i] / P);
                text += known->back() == Axis::input ? "" : ", " + position(index[i] % P);
            } else if (axis == Axis::input && i > 0 && P > 1) {  // of the positions that this row joins
                text += input(index[0] % P * layers_.front().inputs + index[i]);
            } else {
                text += at(axis, index[i]);
            }
        }
        return text;
    }

    std::string row(std::size_t i) const {
        const std::size_t context = wording_.network.context;
        if (i >= wording_.Y.size() || (i + 1) * context > wording_.X.size()) {
            return "row " + std::to_string(i);
        }
        std::string before = context > kMostShown ? "…" : "";
        for (std::size_t t = context - std::min(context, kMostShown); t < context; ++t) {
            before += spelled(wording_.X[i * context + t]);
        }
        return "row " + std::to_string(i) + " (`" + before + " → " + spelled(wording_.Y[i]) + "`)";
    }

    // For which each row of the batch has a row in that value.
    std::size_t positions(const std::string& name) const {
        const Value value = value_of(name);
        const std::string forward = Value{ValueKind::value, value.base, value.layer}.name();
        for (const Operation& one : operations(wording_.network)) {
            if (one.output == forward && one.op != op::kEmbedding) {
                return one.positions;
            }
        }
        const auto layer = std::ranges::find(layers_, value.layer, &Layer::number);
        return layer != layers_.end() ? layer->positions : 1;
    }

private:
    static Axes axes_in(const Layer& layer, Axes axes) {
        if (layer.is_output) {
            std::ranges::replace(axes, Axis::unit, Axis::character);
        }
        if (layer.number > 1) {
            std::ranges::replace(axes, Axis::input, Axis::unit);
        }
        return axes;
    }

    std::string at(Axis axis, std::size_t i) const {
        switch (axis) {
            case Axis::row:
                return row(i);
            case Axis::position:
                return position(i);
            case Axis::dimension:
                return "dimension " + std::to_string(i);
            case Axis::input:
                return input(i);
            case Axis::embedded:
                return "row " + character(i).value_or(std::to_string(i));
            case Axis::character:
                return character(i).value_or("unit " + std::to_string(i));
            case Axis::unit:
                break;
        }
        return "unit " + std::to_string(i);
    }

    std::optional<std::string> character(std::size_t number) const {
        if (number >= wording_.characters.size()) {
            return std::nullopt;
        }
        return "'" + wording_.characters[number] + "'";
    }

    static std::string position(std::size_t i) { return "position " + std::to_string(i + 1); }

    std::string input(std::size_t i) const {
        const std::size_t width = std::max<std::size_t>(wording_.network.embedding, 1);
        return position(i / width) + ", dimension " + std::to_string(i % width);
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
        text += (i == 0 ? "" : ", ") + std::to_string(index[i]);
    }
    return text + "]";
}

std::string row_in_words(std::size_t row, const Wording& wording) {
    return Speaker(wording).row(row);
}

std::optional<std::vector<Axis>> axes_of(const std::string& tensor, std::size_t axes, const Wording& wording) {
    return Speaker(wording).axes(tensor, axes);
}

std::vector<std::string> axes_in_words(const std::string& tensor, std::size_t axes, const Wording& wording) {
    const std::optional<Axes> known = axes_of(tensor, axes, wording);
    std::vector<std::string> words(axes);
    for (std::size_t i = 0; i < axes; ++i) {
        words[i] = !known ? "index " + std::to_string(i + 1)
                   : (*known)[i] == Axis::row && Speaker(wording).positions(tensor) > 1 ? "batch row and position"
                                                                                        : in_words((*known)[i]);
    }
    return words;
}

bool counts_characters(const std::string& axis) {
    return axis == kCharacter;
}

}  // namespace byhand

#include "harness/words.h"

#include <algorithm>
#include <array>
#include <optional>

namespace byhand {
namespace {

bool strip(std::string& name, const std::string& prefix) {
    if (!name.starts_with(prefix)) {
        return false;
    }
    name.erase(0, prefix.size());
    return true;
}

void strip_prefixes(std::string& name) {
    if (!strip(name, "new_")) {
        strip(name, "eval_");
    }
    if (name.size() > 1) {
        strip(name, "d");  // no value's own name begins with it
    }
}

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

class Speaker {
public:
    explicit Speaker(const Wording& wording) : wording_(wording), layers_(layers(wording.network)) {}

    // Nothing where the network has no such value.
    std::optional<std::string> place(std::string name, const std::vector<std::size_t>& index) const {
        strip_prefixes(name);
        const std::size_t axes = index.size();
        if (name == "C" && axes == 2) {
            const std::string row = character(index[0]).value_or(digits(index[0]));
            return "row " + row + ", dimension " + digits(index[1]);
        }
        if (name == "loss" || name == "rate") {
            return axes == 0 ? std::optional("") : std::nullopt;
        }
        if (name == "emb" && axes == 3) {
            return row(index[0]) + ", " + position(index[1]) + ", dimension " + digits(index[2]);
        }
        if (name == "embcat" && axes == 2) {
            return row(index[0]) + ", " + input(index[1]);
        }
        if (is_one_of(name, kByRow) && axes == 1) {
            return row(index[0]);
        }
        if (is_one_of(name, kByRowAndCharacter) && axes == 2) {
            return row(index[0]) + ", " + unit(layers_.back(), index[1]);
        }
        return place_in_layer(name, index);
    }

private:
    std::optional<std::string> place_in_layer(const std::string& name, const std::vector<std::size_t>& index) const {
        for (const Layer& layer : layers_) {
            if (name == layer.W() && index.size() == 2) {
                const std::string from = layer.number == 1 ? input(index[0]) : "unit " + digits(index[0]);
                return "from " + from + " to " + unit(layer, index[1]);
            }
            if (name == layer.b() && index.size() == 1) {
                return unit(layer, index[0]);
            }
            if (!name.ends_with(layer.suffix)) {
                continue;
            }
            const std::string bare = name.substr(0, name.size() - layer.suffix.size());
            if (is_one_of(bare, kByUnit) && index.size() == 1) {
                return unit(layer, index[0]);
            }
            if (is_one_of(bare, kByRowAndUnit) && index.size() == 2) {
                return row(index[0]) + ", " + unit(layer, index[1]);
            }
        }
        return std::nullopt;
    }

    std::optional<std::string> character(std::size_t number) const {
        if (number >= wording_.characters.size()) {
            return std::nullopt;
        }
        return "'" + wording_.characters[number] + "'";
    }

    // The output's units are characters.
    std::string unit(const Layer& layer, std::size_t i) const {
        const std::string plain = "unit " + digits(i);
        return layer.is_output ? character(i).value_or(plain) : plain;
    }

    static std::string position(std::size_t i) { return "position " + digits(i + 1); }

    std::string input(std::size_t i) const {
        const std::size_t width = std::max<std::size_t>(wording_.network.embedding, 1);
        return position(i / width) + ", dimension " + digits(i % width);
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

}  // namespace byhand

#include "train/sampler.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace byhand {

std::u32string sample_name(Trainable& model, std::size_t context, const Vocabulary& vocabulary, TorchGenerator& g,
                           const SampleOptions& options) {
    std::u32string name = options.prefix;
    std::vector<std::int64_t> X(context, 0);
    const auto move_on = [&X](std::int64_t character) {
        std::ranges::rotate(X, X.begin() + 1);
        X.back() = character;
    };
    for (const char32_t character : name) {
        move_on(vocabulary.index(character));
    }
    std::vector<float> weights(vocabulary.size());
    while (name.size() < kLongestSample) {
        model.logits(weights, X);
        for (float& weight : weights) {
            weight /= static_cast<float>(options.temperature);
        }
        const float max = *std::ranges::max_element(weights);
        float sum = 0;
        for (float& weight : weights) {
            weight = std::exp(weight - max);
            sum += weight;
        }
        for (float& weight : weights) {
            weight /= sum;
        }
        const std::size_t next = multinomial(g, weights);
        if (next == 0) {
            break;
        }
        name += vocabulary.characters[next];
        move_on(static_cast<std::int64_t>(next));
    }
    return name;
}

}  // namespace byhand

#include "train/losses.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace byhand {
namespace {

// The cross-entropies of rows in blocks, so that memory grows neither with the data nor with the alphabet.
class Mean {
public:
    Mean(Trainable& model, std::size_t vocabulary, const Measured& measured)
        : model_(model),
          measured_(measured),
          V_(vocabulary),
          block_(std::clamp<std::size_t>((std::size_t{1} << 24) / V_, 1, 4096)) {}

    // The number of rows of each `add` but the last; the logits of a row may depend on the number of rows in its block.
    std::size_t block() const { return block_; }

    void add(const Batch& batch, std::size_t context) {
        logits_.resize(batch.rows * V_);
        model_.logits(logits_, {batch.X, batch.rows * context});
        for (std::size_t i = 0; i < batch.rows; ++i) {
            const float* row = logits_.data() + i * V_;
            const double max = *std::max_element(row, row + V_);
            double sum = 0;
            for (std::size_t j = 0; j < V_; ++j) {
                sum += std::exp(row[j] - max);
            }
            total_ += max + std::log(sum) - row[batch.Y[i]];
        }
        rows_ += batch.rows;
        if (measured_) {
            measured_(rows_);
        }
    }

    double mean() const {
        return rows_ == 0 ? std::numeric_limits<double>::quiet_NaN() : total_ / static_cast<double>(rows_);
    }

private:
    Trainable& model_;
    const Measured& measured_;
    std::size_t V_, block_, rows_ = 0;
    std::vector<float> logits_;
    double total_ = 0;
};

}  // namespace

double mean_loss(Trainable& model, const Examples& examples, std::size_t vocabulary, const Measured& measured) {
    Mean mean(model, vocabulary, measured);
    for (std::size_t first = 0; first < examples.size(); first += mean.block()) {
        mean.add(examples.rows(first, std::min(mean.block(), examples.size() - first)).view(), examples.context);
    }
    return mean.mean();
}

double mean_loss(Trainable& model, const Names& names, const Vocabulary& vocabulary, std::size_t context,
                 const Measured& measured) {
    Mean mean(model, vocabulary.size(), measured);
    Examples waiting{.context = context};
    for (const std::u32string_view name : names) {
        add_examples(waiting, name, vocabulary);
        while (waiting.size() >= mean.block()) {
            mean.add(waiting.rows(0, mean.block()).view(), context);
            waiting.text.erase(waiting.text.begin(), waiting.text.begin() + static_cast<std::ptrdiff_t>(mean.block()));
        }
    }
    if (waiting.size() > 0) {
        mean.add(waiting.all().view(), context);
    }
    return mean.mean();
}

}  // namespace byhand

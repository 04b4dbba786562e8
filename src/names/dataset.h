// Names as examples: the T preceding characters, and the next one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/model.h"
#include "names/random.h"
#include "names/vocabulary.h"

namespace byhand {

// Rows of examples, in memory of their own.
struct ExampleRows {
    std::vector<std::int64_t> X;  // (rows, T)
    std::vector<std::int64_t> Y;  // (rows)

    Batch view() const { return {Y.size(), X.data(), Y.data()}; }
};

// Examples of one part of the names: a name of k characters yields k + 1 of them, its end included; the context before
// a name's first character consists of '.'.
struct Examples {
    std::size_t context = 0;  // T
    // The indices of '.', T times, then of each name's characters and the '.' at its end: each but the first T is the
    // target of one example. Far smaller than a context for each, so that batches are drawn from the cache.
    std::vector<std::uint32_t> text = {};

    std::size_t size() const { return text.size() - std::min(context, text.size()); }

    // One example: X (T), and Y.
    void copy(std::size_t row, std::int64_t* X, std::int64_t* Y) const {
        const std::uint32_t* target = text.data() + context + row;
        *Y = *target;
        std::int64_t same_name = -1;  // all bits, or none: before the '.' is another name
        for (std::size_t t = 1; t <= context; ++t) {
            const std::int64_t before = *(target - t);
            same_name &= -std::int64_t{before != 0};
            X[context - t] = before & same_name;
        }
    }
    // From first to first + count, in order.
    ExampleRows rows(std::size_t first, std::size_t count) const;
    ExampleRows all() const { return rows(0, size()); }
    // The first `count`, or all; names are shuffled before they are split.
    Examples first(std::size_t count) const;
};

struct Split {
    Names train, val, test;
    PythonGenerator generator = {};  // state after the shuffle
};

// Shuffled by CPython's random.seed(seed); random.shuffle(names), then cut at int(first_cut·n) and int(second_cut·n),
// the products in double. Precondition: 0 ≤ first_cut ≤ second_cut ≤ 1. Throws InputError if a part would be empty;
// `where` names the file in its message.
Split split_names(const Names& names, std::uint64_t seed, double first_cut, double second_cut,
                  const std::string& where = "names");

// Throws InputError if all of their contexts as rows would need more than 4 GiB. Preconditions: every character is in
// the vocabulary; the context is at least 1.
Examples examples_of(const Names& names, const Vocabulary& vocabulary, std::size_t context);

// Appends the examples of one name, in the context of `examples`. Preconditions as above.
void add_examples(Examples& examples, std::u32string_view name, const Vocabulary& vocabulary);

// How many of `names` also occur in `others`.
std::size_t also_in(const Names& names, const Names& others);

// Mean cross-entropy over `names`, in nats per character, of counts of neighbouring pairs in `train` with one added to
// each: the best that a table of V × V can do (makemore, part 1). Precondition: `names` is not empty, and every
// character is in the vocabulary.
double bigram_loss(const Names& names, const Names& train, const Vocabulary& vocabulary);

// ---- Minibatches, drawn with replacement ----

// Memory for one batch of B rows. Its pointers are valid until it is moved or destroyed.
struct DrawnBatch {
    std::vector<std::int64_t> rows;  // (B): the indices of the drawn examples
    std::vector<std::int64_t> X;     // (B, T)
    std::vector<std::int64_t> Y;     // (B)

    DrawnBatch(std::size_t batch, std::size_t context) : rows(batch), X(batch * context), Y(batch) {}
    Batch view() const { return {Y.size(), X.data(), Y.data()}; }
};

inline constexpr std::size_t kMostExamples = std::size_t{1} << 28;

// Draws torch.randint(0, examples.size(), (B,), generator=g) and gathers those rows. Allocates nothing. Preconditions:
// the batch was created for the context of the examples, of which there are at least one and fewer than kMostExamples.
void draw_batch(DrawnBatch& batch, const Examples& examples, TorchGenerator& g);

}  // namespace byhand

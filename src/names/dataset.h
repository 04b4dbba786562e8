// Names as examples: the T preceding characters, and the next one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/batch.h"
#include "names/random.h"
#include "names/vocabulary.h"

namespace byhand {

// Examples of one part of the names: a name of k characters yields k + 1 of them, its end included; the context before
// a name's first character consists of '.'.
struct Examples {
    std::size_t context = 0;      // T
    std::vector<std::int64_t> X;  // (size, T)
    std::vector<std::int64_t> Y;  // (size)

    std::size_t size() const { return Y.size(); }
    // Rows from first to first + rows, in order.
    Batch rows(std::size_t first, std::size_t rows) const {
        return {rows, X.data() + first * context, Y.data() + first};
    }
};

struct Split {
    std::vector<std::u32string> train, val, test;
    PythonGenerator generator = {};  // state after the shuffle
};

// Shuffled by CPython's random.seed(seed); random.shuffle(names), then cut at int(first_cut·n) and int(second_cut·n),
// the products in double. Precondition: 0 ≤ first_cut ≤ second_cut ≤ 1. Throws InputError if a part would be empty;
// `where` names the file in its message.
Split split_names(std::vector<std::u32string> names, std::uint64_t seed, double first_cut, double second_cut,
                  const std::string& where = "names");

// Throws InputError if they would need more than 4 GiB. Preconditions: every character is in the vocabulary; the
// context is at least 1.
Examples examples_of(const std::vector<std::u32string>& names, const Vocabulary& vocabulary, std::size_t context);

// Appends the examples of one name, in the context of `examples`. Preconditions as above.
void add_examples(Examples& examples, const std::u32string& name, const Vocabulary& vocabulary);

// How many of `names` also occur in `others`.
std::size_t also_in(const std::vector<std::u32string>& names, const std::vector<std::u32string>& others);

// Mean cross-entropy over `names`, in nats per character, of counts of neighbouring pairs in `train` with one added to
// each: the best that a table of V × V can do (makemore, part 1). Precondition: `names` is not empty, and every
// character is in the vocabulary.
double bigram_loss(const std::vector<std::u32string>& names, const std::vector<std::u32string>& train,
                   const Vocabulary& vocabulary);

}  // namespace byhand

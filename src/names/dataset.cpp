#include "names/dataset.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "names/random.h"

namespace byhand {
namespace {

// Shuffled names are scattered over memory: so many names ahead they are prefetched.
constexpr std::size_t kAhead = 16;

// Calls visit(before, after) for each pair of neighbours in a name, from the '.' before it to the '.' after it.
template <class Visit>
void for_each_pair(std::u32string_view name, const Vocabulary& vocabulary, Visit visit) {
    std::int64_t before = 0;
    for (const char32_t character : name) {
        const std::int64_t after = vocabulary.index(character);
        visit(before, after);
        before = after;
    }
    visit(before, std::int64_t{0});
}

}  // namespace

ExampleRows Examples::rows(std::size_t first, std::size_t count) const {
    ExampleRows rows{std::vector<std::int64_t>(count * context), std::vector<std::int64_t>(count)};
    for (std::size_t i = 0; i < count; ++i) {
        copy(first + i, rows.X.data() + i * context, rows.Y.data() + i);
    }
    return rows;
}

Examples Examples::first(std::size_t count) const {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(text.size() - size() + std::min(count, size()));
    return {context, {text.begin(), end}};
}

Split split_names(const Names& names, std::uint64_t seed, double first_cut, double second_cut,
                  const std::string& where) {
    const std::size_t n = names.size();
    const auto first = static_cast<std::size_t>(first_cut * static_cast<double>(n));
    const auto second = static_cast<std::size_t>(second_cut * static_cast<double>(n));
    if (first == 0 || first >= second || second >= n) {
        throw InputError(printable(where) + ": too few names to split: of " + std::to_string(n) + ", " +
                         std::to_string(first) + " are for training, " + std::to_string(second - first) +
                         " for validation and " + std::to_string(n - second) + " for the test; give more names");
    }
    PythonGenerator g = python_seeded(seed);
    const std::vector<std::uint32_t> order = shuffled_order(g, n);
    const auto part = [&](std::size_t from, std::size_t to) {
        Names of_part = populated<std::u32string_view>(to - from);
        for (std::size_t i = from; i < to; ++i) {
            of_part.push_back(names[order[i]]);
        }
        return of_part;
    };
    return {part(0, first), part(first, second), part(second, n), g};
}

Examples examples_of(const Names& names, const Vocabulary& vocabulary, std::size_t context) {
    std::size_t size = 0;
    for (const std::u32string_view name : names) {
        size += name.size() + 1;
    }
    constexpr std::size_t kMostBytes = std::size_t{4} << 30;
    if (size > kMostBytes / sizeof(std::int64_t) / context) {
        throw InputError(std::to_string(size) + " examples with a context of " + std::to_string(context) +
                         " would take more than 4 GiB; lower --context, or give fewer names");
    }
    Examples examples{.context = context, .text = populated<std::uint32_t>(context + size)};
    for (std::size_t i = 0; i < names.size(); ++i) {
        __builtin_prefetch(names[std::min(i + kAhead, names.size() - 1)].data());
        add_examples(examples, names[i], vocabulary);
    }
    return examples;
}

void add_examples(Examples& examples, std::u32string_view name, const Vocabulary& vocabulary) {
    if (examples.text.empty()) {
        examples.text.resize(examples.context);
    }
    for_each_pair(name, vocabulary,
                  [&](std::int64_t, std::int64_t next) { examples.text.push_back(static_cast<std::uint32_t>(next)); });
}

std::size_t also_in(const Names& names, const Names& others) {
    const std::unordered_set<std::u32string_view> known(others.begin(), others.end());
    return static_cast<std::size_t>(
        std::ranges::count_if(names, [&](std::u32string_view name) { return known.contains(name); }));
}

double bigram_loss(const Names& names, const Names& train, const Vocabulary& vocabulary) {
    const std::size_t V = vocabulary.size();
    const auto key = [&](std::int64_t before, std::int64_t after) {
        return static_cast<std::uint64_t>(before) * V + static_cast<std::uint64_t>(after);
    };
    // Only the pairs that occur: a table of V × V is large if V is an alphabet of thousands.
    std::unordered_map<std::uint64_t, std::uint64_t> pairs;
    std::vector<std::uint64_t> befores(V);
    for (const std::u32string_view name : train) {
        for_each_pair(name, vocabulary, [&](std::int64_t before, std::int64_t after) {
            ++pairs[key(before, after)];
            ++befores[static_cast<std::size_t>(before)];
        });
    }
    double sum = 0;
    std::size_t count = 0;
    for (const std::u32string_view name : names) {
        for_each_pair(name, vocabulary, [&](std::int64_t before, std::int64_t after) {
            const auto found = pairs.find(key(before, after));
            const auto seen = static_cast<double>(found == pairs.end() ? 0 : found->second);
            const auto of = static_cast<double>(befores[static_cast<std::size_t>(before)]);
            sum -= std::log((seen + 1) / (of + static_cast<double>(V)));
            ++count;
        });
    }
    return sum / static_cast<double>(count);
}

void draw_batch(DrawnBatch& batch, const Examples& examples, TorchGenerator& g) {
    randint(g, examples.size(), batch.rows);
    // They are scattered over more memory than a cache may hold: each is prefetched so many rows before it is read.
    constexpr std::size_t kAhead = 32;
    const std::size_t count = batch.rows.size();
    for (std::size_t i = 0; i < count + kAhead; ++i) {
        if (i < count) {
            const std::uint32_t* first = examples.text.data() + batch.rows[i];
            __builtin_prefetch(first);
            __builtin_prefetch(first + examples.context);
        }
        if (i >= kAhead) {
            const std::size_t row = i - kAhead;
            examples.copy(static_cast<std::size_t>(batch.rows[row]), batch.X.data() + row * examples.context,
                          batch.Y.data() + row);
        }
    }
}

}  // namespace byhand

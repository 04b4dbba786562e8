#include "base/nearest.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>

namespace byhand {
namespace {

constexpr std::size_t kLongest = 64;  // longer words match no known word

// Optimal string alignment distance: Levenshtein's, with a swap of adjacent letters as one edit.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before = last;
        last = row;
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before[j - 2] + 1);
            }
        }
    }
    return row.back();
}

std::string in_lower_case(std::string_view word) {
    std::string lower;
    std::ranges::transform(word, std::back_inserter(lower),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lower;
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    word = word.substr(0, kLongest);
    return *std::ranges::min_element(
        known, [&](const std::string& a, const std::string& b) { return distance(word, a) < distance(word, b); });
}

std::optional<std::string> close_to(std::string_view word, const std::vector<std::string>& known) {
    if (known.empty() || word.size() > kLongest) {
        return std::nullopt;
    }
    std::vector<std::string> lower;
    std::ranges::transform(known, std::back_inserter(lower), in_lower_case);
    const std::string found = nearest(in_lower_case(word), lower);
    const std::size_t differ = distance(in_lower_case(word), found);
    if (differ >= word.size() || differ > std::max<std::size_t>(1, word.size() / 3)) {
        return std::nullopt;
    }
    return known[static_cast<std::size_t>(std::ranges::find(lower, found) - lower.begin())];
}

std::string the_nearest(std::string_view word, const std::vector<std::string>& known) {
    const std::optional<std::string> found = close_to(word, known);
    return found ? "; the nearest is " + *found : "";
}

}  // namespace byhand

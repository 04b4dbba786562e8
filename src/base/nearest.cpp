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

std::vector<std::string> all_close_to(std::string_view word, const std::vector<std::string>& known) {
    constexpr std::size_t kMost = 3, kShortestPrefix = 2, kShortestPart = 4;
    if (word.empty() || word.size() > kLongest) {
        return {};
    }
    const std::string asked = in_lower_case(word);
    struct Candidate {
        std::string name, lower;
        std::size_t edits;
    };
    std::vector<Candidate> candidates;
    for (const std::string& name : known) {
        if (std::ranges::find(candidates, name, &Candidate::name) == candidates.end()) {
            const std::string lower = in_lower_case(name);
            candidates.push_back({name, lower, distance(asked, lower)});
        }
    }
    std::ranges::stable_sort(candidates, {}, &Candidate::edits);
    const auto chosen = [&](const auto& condition) {
        std::vector<std::string> names;
        for (const Candidate& one : candidates) {
            if (names.size() < kMost && condition(one)) {
                names.push_back(one.name);
            }
        }
        return names;
    };
    std::vector<std::string> names = chosen([&](const Candidate& one) {
        return one.edits == 0 || (asked.size() >= kShortestPrefix && one.lower.starts_with(asked)) ||
               (one.lower.size() >= kShortestPart && asked.starts_with(one.lower));
    });
    if (names.empty()) {
        const std::size_t most = std::min(asked.size(), std::max<std::size_t>(1, asked.size() / 3) + 1);
        names = chosen([&](const Candidate& one) { return one.edits < most && one.edits == candidates.front().edits; });
    }
    if (names.empty() && asked.size() >= kShortestPart) {
        names = chosen([&](const Candidate& one) {
            return one.lower.find(asked) != std::string::npos ||
                   (2 * asked.size() >= one.lower.size() && asked.size() + one.edits == one.lower.size());
        });
    }
    return names;
}

std::string the_nearest(std::string_view word, const std::vector<std::string>& known) {
    const std::vector<std::string> all = all_close_to(word, known);
    return all.empty() ? "" : (all.size() == 1 ? "; the nearest is " : "; the nearest are ") + listed(all, "and");
}

std::string listed(const std::vector<std::string>& words, const std::string& conjunction) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == words.size() ? " " + conjunction + " " : ", ") + words[i];
    }
    return text;
}

}  // namespace byhand

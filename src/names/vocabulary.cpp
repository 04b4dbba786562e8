#include "names/vocabulary.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace byhand {

std::int64_t Vocabulary::index(char32_t character) const {
    if (character == characters.front()) {
        return 0;
    }
    const auto sorted = std::next(characters.begin());
    const auto found = std::lower_bound(sorted, characters.end(), character);
    return found != characters.end() && *found == character ? std::distance(characters.begin(), found) : -1;
}

std::vector<std::string> printable_characters(const Vocabulary& vocabulary) {
    std::vector<std::string> characters;
    characters.reserve(vocabulary.size());
    for (const char32_t character : vocabulary.characters) {
        characters.push_back(printable(to_utf8({&character, 1})));
    }
    return characters;
}

Vocabulary vocabulary_of(const std::vector<std::u32string>& names) {
    std::set<char32_t> seen;
    for (const std::u32string& name : names) {
        seen.insert(name.begin(), name.end());
    }
    Vocabulary vocabulary;
    vocabulary.characters.append(seen.begin(), seen.end());
    return vocabulary;
}

}  // namespace byhand

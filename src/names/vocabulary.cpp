#include "names/vocabulary.h"

#include <algorithm>
#include <iterator>

namespace byhand {

std::int64_t Vocabulary::index(char32_t character) const {
    if (character == characters.front()) {
        return 0;
    }
    // An alphabet without gaps, such as a–z, has it as far from the first as their code points are apart.
    if (characters.size() > 1 && character - characters[1] < characters.size() - 1 &&
        characters[character - characters[1] + 1] == character) {
        return character - characters[1] + 1;
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

Vocabulary vocabulary_of(const Names& names, char32_t mark) {
    std::vector<bool> seen;  // by code point, as far as the largest
    for (const std::u32string_view name : names) {
        for (const char32_t character : name) {
            if (character >= seen.size()) {
                seen.resize(character + 1);
            }
            seen[character] = true;
        }
    }
    Vocabulary vocabulary{{mark}};
    for (std::size_t character = 0; character < seen.size(); ++character) {
        if (seen[character]) {
            vocabulary.characters.push_back(static_cast<char32_t>(character));
        }
    }
    return vocabulary;
}

}  // namespace byhand

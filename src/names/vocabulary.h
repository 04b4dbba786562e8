// The vocabulary: characters and their indices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"

namespace byhand {

// Names in a text that outlives them.
using Names = std::vector<std::u32string_view>;

// 0 is the mark, the start and end of a name; then the characters (code points) in sorted order.
struct Vocabulary {
    std::u32string characters = U".";

    std::size_t size() const { return characters.size(); }
    // The index of a character, or -1 if it is not in the vocabulary.
    std::int64_t index(char32_t character) const;

    bool operator==(const Vocabulary&) const = default;
};

// Each character as printable UTF-8.
std::vector<std::string> printable_characters(const Vocabulary& vocabulary);

// The vocabulary of all characters in the names. Precondition: no name contains the mark.
Vocabulary vocabulary_of(const Names& names, char32_t mark = U'.');

}  // namespace byhand

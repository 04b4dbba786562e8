// Which characters there are, and their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/utf8.h"

namespace byhand {

// 0 is '.', where a name begins and ends; then the characters (code points) in sorted order.
struct Vocabulary {
    std::u32string characters = U".";

    std::size_t size() const { return characters.size(); }
    // The number of a character, or -1 where it is not in the vocabulary.
    std::int64_t index(char32_t character) const;

    bool operator==(const Vocabulary&) const = default;
};

// Each character as UTF-8, fit to print.
std::vector<std::string> printable_characters(const Vocabulary& vocabulary);

// Of all characters in the names. Precondition: no name holds a '.'.
Vocabulary vocabulary_of(const std::vector<std::u32string>& names);

}  // namespace byhand

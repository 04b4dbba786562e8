// Note 3: what rows of padding do to batch norm, and what is used instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/experiments.h"
#include "report/document.h"

namespace byhand::lab {

// Sequences below one another, each padded to the longest.
struct SequenceBatch {
    std::size_t sequences = 0, length = 0, width = 0;  // so many, of so many rows each, of so many numbers each
    std::vector<std::string> words;                    // one a row; "pad" where it is padding
    std::vector<unsigned char> mask;                   // one a row; 0 where it is padding
    std::vector<double> x;                             // (sequences·length, width), 0 in rows of padding

    std::size_t rows() const { return words.size(); }
};

// A line is a row: its numbers, with blanks, tabs or a comma between, and optionally a word before them; or "pad"
// without numbers. An empty line ends a sequence. Every row has as many numbers as the first one; a sequence is padded
// at its end to the longest. A row without a word is called by its place: "2.3" is the third row of the second
// sequence. Throws InputError, with `where` and the line, for anything else, where there are more than
// kMostBatchNumbers, and where fewer than two rows are no padding.
SequenceBatch read_sequences(std::string_view text, const std::string& where);

inline constexpr std::size_t kMostBatchNumbers = 100'000;
inline constexpr double kLargestNumber = 1e9;
inline constexpr std::size_t kLongestWord = 64;  // bytes

struct PaddingOptions {
    InputText file;  // the batch; else the note's two sentences
    double epsilon = 1e-5;
    std::size_t seed = 1;  // γ, β and the gradient for the backward pass are drawn by it

    std::vector<OwnOption> own() {
        file.most_bytes = std::size_t{4} << 20;
        return {{"--file",
                 "Your own sequences: a row of numbers per line, after an optional word; pad for a row of padding; an "
                 "empty line between sequences (docs/formats.md) [the note's]",
                 &file},
                {"--bn-eps", "ε", &epsilon, 0},
                {"--seed", "Seed of γ, β and the gradient for the backward pass", &seed, 0}};
    }
};

// Throws InputError where ε is 0 and a column of the real rows, or a real row, is the same number throughout: that
// can't be normalised.
Document padding(const PaddingOptions& options, const Setup& setup);

}  // namespace byhand::lab

// Where an element stands, in words: "dC row 'q', dimension 3", "dW1 from position 2, dimension 5 to unit 41".
//
// Rows, units and dimensions count from 0, as indices do: the word "unit 41" and the index [.., 41] name the same
// thing. Positions of the context alone count from 1, the oldest character first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/network.h"
#include "steps/glossary.h"

namespace byhand {

// Where the numbers come from that are compared: byhand's own network, functions of the user's, or a file.
enum class Whose { by_hand, yours, given };

// What the words are made with. Without characters 'q' becomes "unit 17"; without a batch "row 17 (`..e → m`)" becomes
// "row 17".
struct Wording {
    NetworkConfig network;
    Glossary glossary;                    // of its operations
    std::vector<std::string> characters;  // each number's, '.' first: UTF-8, fit to print
    std::vector<std::int64_t> X, Y;       // the batch: (B, T) and (B)
    Whose whose = Whose::by_hand;
};

// The element of `tensor` at `index`. The name may carry d, new_, eval_ and a layer's ".3"; of a name that the network
// or the glossary does not have, or an index that does not fit it, the words are the name and the index: "other [3,
// 4]".
std::string in_words(const std::string& tensor, const std::vector<std::size_t>& index, const Wording& wording);

// A row of the batch: "row 17 (`..e → m`)".
std::string row_in_words(std::size_t row, const Wording& wording);

// What each index of a tensor of so many axes counts, in this network: {Axis::row, Axis::character} of dlogits, but
// {Axis::unit, Axis::unit} of W2 between hidden layers. Nothing where `in_words` has no more than the name and the
// index.
std::optional<std::vector<Axis>> axes_of(const std::string& tensor, std::size_t axes, const Wording& wording);

// The same in words: {"batch row", "unit"} of dh. Where there is nothing, "index 1", "index 2", ….
std::vector<std::string> axes_in_words(const std::string& tensor, std::size_t axes, const Wording& wording);

// Whether that axis counts the characters of the vocabulary.
bool counts_characters(const std::string& axis);

}  // namespace byhand

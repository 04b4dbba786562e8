#include "manual/glossary.h"

namespace byhand {

GlossaryRows embedding_rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "C",
         .axes = {embedded, dimension},
         .meaning = "the embedding, a row of numbers for each character",
         .symbol = "C",
         .rule = "A row of C is used wherever its character stands: it collects the gradients of all those places. "
                 "Begin at zero, and add."},
        {.value = "emb",
         .axes = {row, position, dimension},
         .meaning = "the characters of each context, looked up in the embedding",
         .symbol = "E",
         .rule = "Only the shape was changed: the same numbers, position by position."},
        {.value = "embcat",
         .axes = {row, input},
         .meaning = "the same in one row for each context: what the first layer reads",
         .symbol = "E",
         .rule = kLeftFactor},
    };
    return kRows;
}

GlossaryRows flatten_rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "hpos",
         .axes = {row, unit},
         .meaning = "what the layer makes, before consecutive positions are joined",
         .rule = "Only the shape was changed: the same numbers, position by position."},
    };
    return kRows;
}

}  // namespace byhand

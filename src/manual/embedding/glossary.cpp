#include "manual/glossary.h"

namespace byhand {

GlossaryRows embedding_rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "C",
         .axes = {embedded, dimension},
         .meaning = "the embedding, a vector for each character",
         .symbol = "C",
         .rule = "A row of C is used at every position of its character: its gradient is the sum over those positions. "
                 "Start with zero, and add."},
        {.value = "emb",
         .axes = {row, position, dimension},
         .meaning = "the embedding vectors of each context's characters",
         .symbol = "E",
         .rule = "Only the shape changed: the same numbers, position by position."},
        {.value = "embcat",
         .axes = {row, input},
         .meaning = "the same, concatenated to one row for each context: the first layer's input",
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
         .meaning = "the layer's result before consecutive positions are joined",
         .rule = "Only the shape changed: the same numbers, position by position."},
    };
    return kRows;
}

}  // namespace byhand

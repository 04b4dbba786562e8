#include "manual/glossary.h"

namespace byhand {

GlossaryRows linear_rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "h", .axes = {row, unit}, .meaning = "the layer's result", .symbol = "Ha", .rule = kLeftFactor},
        {.value = "W",
         .axes = {input, unit},
         .meaning = "the layer's weights, from each input to each unit",
         .symbol = "W",
         .rule = "In a matrix product, the right factor's gradient is the transposed left factor times the result's "
                 "gradient: this sums over the rows of the batch."},
        {.value = "b",
         .axes = {unit},
         .meaning = "the layer's biases, one for each unit",
         .symbol = "b",
         .rule = kAddedToEveryRow},
    };
    return kRows;
}

}  // namespace byhand

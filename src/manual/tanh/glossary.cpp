#include "manual/glossary.h"

namespace byhand {

GlossaryRows tanh_rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "hpreact",
         .axes = {row, unit},
         .meaning = "what the layer hands to its non-linearity",
         .symbol = "HZ",
         .rule = "tanh has the derivative 1 − tanh², and tanh(hpreact) is there already: h."},
    };
    return kRows;
}

}  // namespace byhand

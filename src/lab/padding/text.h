// What the padding experiment says, part by part: each adds its words, tables and fields to the paper.
#pragma once

#include "lab/padding/figures.h"
#include "lab/paper/paper.h"

namespace byhand::lab {

void tell_statistics(Paper& paper, const PaddingFindings& found);
void tell_shares(Paper& paper, const PaddingFindings& found);
void tell_gradients(Paper& paper, const PaddingFindings& found);
// Nothing where no sequence has both padding and real rows.
void tell_attention(Paper& paper, const PaddingFindings& found);
// Of a batch without padding: the largest difference between the padded and the masked norm.
void tell_control(Paper& paper, const PaddingFindings& control);
void conclude(Paper& paper, const PaddingFindings& found);

}  // namespace byhand::lab

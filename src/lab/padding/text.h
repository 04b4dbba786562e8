// What the padding experiment says, part by part: each adds its words, tables and fields to the document.
#pragma once

#include "lab/padding/figures.h"
#include "report/document.h"

namespace byhand::lab {

void tell_statistics(Document& document, const PaddingFindings& found);
void tell_shares(Document& document, const PaddingFindings& found);
void tell_gradients(Document& document, const PaddingFindings& found);
// Nothing where no sequence has both padding and real rows.
void tell_attention(Document& document, const PaddingFindings& found);
// Of a batch without padding: the largest difference between the padded and the masked norm.
void tell_control(Document& document, const PaddingFindings& control);
void conclude(Document& document, const PaddingFindings& found);

}  // namespace byhand::lab

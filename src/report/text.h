// A document as text for a terminal.
#pragma once

#include <string>

#include "report/document.h"

namespace byhand {

// 80 columns wide if its tables fit; without the plots.
std::string to_text(const Document& document);
std::string to_text(const Table& table);

}  // namespace byhand

// A document as text for a terminal.
#pragma once

#include <string>

#include "report/document.h"

namespace byhand {

// 80 columns wide where its tables let it be; the plots are not in it.
std::string to_text(const Document& document);
std::string to_text(const Table& table);

}  // namespace byhand

// The generators of a run as text, so that a checkpoint can keep them whole.
#pragma once

#include <optional>
#include <string>

#include "names/random.h"

namespace byhand {

// 624 words of eight hexadecimal digits each, a blank, and which word comes next; in TorchGenerator's a blank more and
// the bits of the normal that is kept, or "none".
std::string to_text(const PythonGenerator& generator);
std::string to_text(const TorchGenerator& generator);

// Back; nothing where the text is not such a one.
std::optional<PythonGenerator> python_from_text(const std::string& text);
std::optional<TorchGenerator> torch_from_text(const std::string& text);

}  // namespace byhand

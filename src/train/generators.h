// The generators of a run as text, for checkpoints.
#pragma once

#include <optional>
#include <string>

#include "names/random.h"

namespace byhand {

// 624 words of eight hexadecimal digits each, a blank, and the index of the next word; TorchGenerator adds a blank and
// the bits of the stored normal, or "none".
std::string to_text(const PythonGenerator& generator);
std::string to_text(const TorchGenerator& generator);

// The inverse; nullopt if the text is malformed.
std::optional<PythonGenerator> python_from_text(const std::string& text);
std::optional<TorchGenerator> torch_from_text(const std::string& text);

}  // namespace byhand

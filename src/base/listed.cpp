#include "base/listed.h"

#include <cstddef>

namespace byhand {

std::string listed(const std::vector<std::string>& words, const std::string& conjunction) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == words.size() ? " " + conjunction + " " : ", ") + words[i];
    }
    return text;
}

}  // namespace byhand

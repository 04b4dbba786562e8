#include "cli/unexpected.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/nearest.h"
#include "cli/shell_words.h"

namespace byhand::cli {

std::string unexpected(const std::string& word, const std::string& command, const std::vector<std::string>& commands,
                       const std::vector<std::string>& flags) {
    const bool is_flag = word.starts_with('-');
    if (command.empty()) {
        return is_flag ? fmt::format("{} stands where a command is to be; byhand --help lists them", word)
                       : fmt::format("there is no command {}{} (byhand --help lists them)", quoted(word),
                                     the_nearest(word, commands));
    }
    if (!is_flag) {
        return fmt::format("{0} has no use for {1}; byhand {0} --help says what it takes", command, quoted(word));
    }
    const std::string flag = word.substr(0, word.find('='));
    if (std::ranges::find(flags, flag) != flags.end()) {
        return fmt::format("{1} stands in the wrong place; byhand {0} {1} is the order", command, flag);
    }
    return fmt::format("{0} has no {1}{2} (byhand {0} --help lists them)", command, flag, the_nearest(flag, flags));
}

}  // namespace byhand::cli

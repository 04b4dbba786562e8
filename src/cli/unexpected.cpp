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
        return is_flag ? fmt::format("expected a command, not {}; byhand --help lists the commands", word)
                       : fmt::format("there is no command {}{} (byhand --help lists them)", quoted(word),
                                     the_nearest(word, commands));
    }
    if (!is_flag) {
        return fmt::format("{0}: unexpected argument {1}; see byhand {0} --help", command, quoted(word));
    }
    const std::string flag = word.substr(0, word.find('='));
    if (std::ranges::find(flags, flag) != flags.end()) {
        return fmt::format("{1} belongs after the command: byhand {0} {1}", command, flag);
    }
    return fmt::format("{0} has no {1}{2} (byhand {0} --help lists them)", command, flag, the_nearest(flag, flags));
}

}  // namespace byhand::cli

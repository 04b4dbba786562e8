#include "cli/shortened.h"

#include "base/utf8.h"

namespace byhand::cli {

std::string shortened(std::string_view message, std::size_t longest) {
    if (message.size() <= longest) {
        return printable(message);
    }
    const auto continues = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; };
    const std::size_t tail = longest / 4;
    std::size_t end = message.size() - tail;
    while (end < message.size() && continues(message[end])) {
        ++end;
    }
    return excerpt(message.substr(0, end), longest - tail) + printable(message.substr(end));
}

}  // namespace byhand::cli

// JSON as it is printed: whatever its texts hold, it can't steer a terminal.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace byhand {

// The value without a newline at its end, opened up by `indent` columns a level. DEL and the control characters beyond
// it (C1) are escaped as JSON itself escapes those below the blank; bytes that are not UTF-8 become U+FFFD.
inline std::string printed_json(const nlohmann::ordered_json& value, int indent) {
    constexpr const char* kDigits = "0123456789abcdef";
    const std::string text = value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    std::string printed;
    printed.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : ' ');
        const bool is_c1 = byte == 0xc2 && next < 0xa0;  // in UTF-8 the two bytes c2 80 to c2 9f
        if (byte != 0x7f && !is_c1) {
            printed += text[i];
            continue;
        }
        const unsigned control = is_c1 ? next : byte;
        i += is_c1 ? 1 : 0;
        printed += "\\u00";
        printed += kDigits[control >> 4];
        printed += kDigits[control & 0xf];
    }
    return printed;
}

}  // namespace byhand

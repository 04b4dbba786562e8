// Lines of CSV (RFC 4180).
#pragma once

#include <string>

namespace byhand::report {

inline std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + "\"";
}

template <class Fields>
std::string csv_line(const Fields& fields) {
    std::string text;
    const char* between = "";  // the first field may be empty
    for (const auto& field : fields) {
        text += between + quoted(field);
        between = ",";
    }
    return text + "\r\n";
}

}  // namespace byhand::report

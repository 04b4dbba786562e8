#include "report/document.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

namespace byhand {
namespace {

// "largest difference" → "largest_difference".
std::string key_of(const std::string& title) {
    std::string key;
    for (const char c : title) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_letter = byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
        if (c >= 'A' && c <= 'Z') {
            key += static_cast<char>(c - 'A' + 'a');
        } else if (is_letter) {
            key += c;
        } else if (!key.empty() && key.back() != '_') {
            key += '_';
        }
    }
    return key.ends_with('_') ? key.substr(0, key.size() - 1) : key;
}

double without_sign_of_nan(double value) {
    return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

}  // namespace

Cell::Cell(std::string words) : shown(std::move(words)), value(shown) {}
Cell::Cell(const char* words) : Cell(std::string(words)) {}
Cell::Cell(std::string words, Json number) : shown(std::move(words)), value(std::move(number)) {}

Cell fixed(double value, int decimals) {
    // No "-0.000": a sign that no digit after it bears out.
    std::string shown = fmt::format("{:.{}f}", without_sign_of_nan(value), decimals);
    if (shown.find_first_not_of("-0.") == std::string::npos && shown.front() == '-') {
        shown.erase(0, 1);
    }
    return {std::move(shown), number(value)};
}

Cell significant(double value, int digits) {
    return {fmt::format("{:.{}g}", without_sign_of_nan(value), digits), number(value)};
}

Cell whole(std::size_t value) {
    return {std::to_string(value), value};
}

Cell percent(double share, int decimals) {
    return {fmt::format("{:.{}f} %", 100 * without_sign_of_nan(share), decimals), number(share)};
}

Column::Column(const char* its_title) : Column(std::string(its_title)) {}
Column::Column(std::string its_title) : title(std::move(its_title)), key(key_of(title)) {}
Column::Column(std::string its_title, std::string its_key, Align its_align)
    : title(std::move(its_title)), key(std::move(its_key)), align(its_align) {}

}  // namespace byhand

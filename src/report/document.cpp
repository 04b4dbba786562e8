#include "report/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
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

// Whether one of the row's values is known whose keys begin so: "worst.".
bool has_member(const Table& table, const std::vector<Cell>& row, const std::string& prefix) {
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (table.columns[i].key.starts_with(prefix) && !row[i].value.is_null()) {
            return true;
        }
    }
    return false;
}

double without_sign_of_nan(double value) {
    return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

}  // namespace

Text as_conclusion(std::string words, std::string lead, Mark mark) {
    return {.words = std::move(words), .lead = std::move(lead), .mark = mark, .role = TextRole::conclusion};
}

Cell::Cell(std::string words) : shown(std::move(words)), value(shown) {}
Cell::Cell(const char* words) : Cell(std::string(words)) {}
Cell::Cell(std::string words, Json number, Mark its_mark)
    : shown(std::move(words)), value(std::move(number)), mark(its_mark) {}

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

Cell scientific(const std::optional<double>& value, int decimals) {
    return value ? Cell(fmt::format("{:.{}e}", without_sign_of_nan(*value), decimals), number(*value)) : none();
}

Cell whole(std::size_t value) {
    return {std::to_string(value), value};
}

Cell percent(double share, int decimals) {
    return {fmt::format("{:.{}f} %", 100 * without_sign_of_nan(share), decimals), number(share)};
}

Cell none() {
    return {"–", Json()};
}

Json text_or_null(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

Column::Column(const char* its_title) : Column(std::string(its_title)) {}
Column::Column(std::string its_title) : title(std::move(its_title)), key(key_of(title)) {}
Column::Column(std::string its_title, std::string its_key, Align its_align, std::size_t its_drop_order)
    : title(std::move(its_title)), key(std::move(its_key)), align(its_align), drop_order(its_drop_order) {}

std::vector<std::size_t> order_of_rows(const Table& table) {
    const auto rank = [&](std::size_t row) {
        const auto& cells = table.rows[row];
        return std::ranges::any_of(cells, is_bad, &Cell::mark)                    ? 0
               : std::ranges::find(cells, Mark::open, &Cell::mark) != cells.end() ? 2
                                                                                  : 1;
    };
    std::vector<std::size_t> order(table.rows.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (table.worst_first) {
        std::ranges::stable_sort(order, {}, rank);
    }
    return order;
}

Json json_of_rows(const Table& table) {
    Json all = Json::array();
    for (const std::vector<Cell>& row : table.rows) {
        Json entry = Json::object();
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string& key = table.columns[i].key;
            const std::size_t dot = key.find('.');
            if (dot == std::string::npos && !key.empty()) {
                entry[key] = row[i].value;
            } else if (dot != std::string::npos) {
                Json& object = entry[key.substr(0, dot)];
                if (has_member(table, row, key.substr(0, dot + 1))) {
                    object[key.substr(dot + 1)] = row[i].value;
                }
            }
        }
        all.push_back(std::move(entry));
    }
    return all;
}

}  // namespace byhand

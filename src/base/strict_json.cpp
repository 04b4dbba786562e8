#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

namespace byhand {
namespace {

// Throws InputError for the byte at which the text stops being JSON; its size: for its end.
[[noreturn]] void refuse_byte(std::string_view text, std::size_t byte, const std::string& where) {
    const std::string_view before = text.substr(0, byte);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = newline == std::string_view::npos ? byte + 1 : byte - newline;
    const std::string found =
        byte == text.size() ? "the text ends here" : "unexpected \"" + excerpt(text.substr(byte), 20) + "\"";
    refuse(where, "", "line " + std::to_string(line) + ", column " + std::to_string(column) + ": not JSON: " + found);
}

// Builds the value from the parser's events. nlohmann's own builder silently keeps the last of two equal keys.
class Builder : public nlohmann::json_sax<nlohmann::json> {
public:
    Builder(const std::string& text, const std::string& where) : text_(text), where_(where) {}

    Json take() { return std::move(root_); }

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(value); }
    bool number_unsigned(number_unsigned_t value) override { return put(value); }
    bool number_float(number_float_t value, const string_t&) override { return put(value); }
    bool string(string_t& value) override { return put(std::move(value)); }
    bool binary(binary_t&) override { return false; }  // JSON has none

    bool start_object(std::size_t) override { return open(true); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(false); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        open_.back().key = name;
        if (!open_.back().keys.insert(name).second) {
            refuse(where_, path(), "duplicate key; keep one");
        }
        return true;
    }

    bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& e) override {
        constexpr int kNumberOverflow = 406;
        if (e.id == kNumberOverflow) {
            refuse(where_, path(), "is " + excerpt(token, 40) + ", more than a double holds");
        }
        // `position` bytes were read, the last of which is the invalid one.
        refuse_byte(text_, std::min(text_.size(), std::max<std::size_t>(position, 1) - 1), where_);
    }

private:
    // An array or an object that is still open.
    struct Level {
        bool is_object;
        Json::Array items;
        Json::Object members;
        std::string key;             // the key being read
        std::set<std::string> keys;  // the keys read so far
    };

    bool put(Json value) {
        if (++values_ > kMostJsonValues) {
            refuse(where_, "", "more than " + std::to_string(kMostJsonValues) + " values");
        }
        if (open_.empty()) {
            root_ = std::move(value);
        } else if (Level& level = open_.back(); level.is_object) {
            level.members.emplace_back(level.key, std::move(value));
        } else {
            level.items.push_back(std::move(value));
        }
        return true;
    }

    bool open(bool is_object) {
        if (open_.size() == kDeepestJson) {
            refuse(where_, "", "nested more than " + std::to_string(kDeepestJson) + " deep");
        }
        open_.push_back({is_object, {}, {}, {}, {}});
        return true;
    }

    bool close() {
        Level level = std::move(open_.back());
        open_.pop_back();
        return put(level.is_object ? Json::of(std::move(level.members)) : Json::of(std::move(level.items)));
    }

    std::string path() const {
        std::string result;
        for (const Level& level : open_) {
            result = level.is_object ? path_to(result, level.key) : path_to(result, level.items.size());
        }
        return result;
    }

    const std::string& text_;
    const std::string& where_;
    Json root_;
    std::size_t values_ = 0;
    std::vector<Level> open_;
};

}  // namespace

Json strict_json(const std::string& text, const std::string& where) {
    if (const std::size_t nul = text.find('\0'); nul != std::string::npos) {
        refuse_byte(text, nul, where);  // the parser would treat it as the end
    }
    Builder builder(text, where);
    nlohmann::json::sax_parse(text, &builder);
    return builder.take();
}

std::string path_to(const std::string& path, const std::string& key) {
    return path + (path.empty() ? "" : ".") + (key.empty() ? "\"\"" : excerpt(key, 60));
}

std::string path_to(const std::string& path, std::size_t index) {
    return path + "[" + std::to_string(index) + "]";
}

void refuse(const std::string& where, const std::string& path, const std::string& what) {
    throw InputError(where + ": " + path + (path.empty() ? "" : ": ") + what);
}

}  // namespace byhand

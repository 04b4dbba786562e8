#include "train/safetensors_header.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand {
namespace {

using nlohmann::json;

constexpr const char* kMetadataKey = "__metadata__";
constexpr std::pair<const char*, DType> kDTypes[] = {
    {"F32", DType::float32}, {"F64", DType::float64}, {"I64", DType::int64}, {"I32", DType::int32}};
// Tensors, or metadata: more than any network has, while a header could name millions.
constexpr std::size_t kMostKeys = 65536;
constexpr std::size_t kMostAxes = 64;

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
    throw InputError(printable(path) + ": not a safetensors file: " + what);
}

// Throws for a byte of the header's text, which begins at byte 8 of the file.
[[noreturn]] void refuse_byte(std::size_t byte, const std::string& path) {
    refuse(path, "byte " + std::to_string(8 + byte) + ": the header is not JSON");
}

std::string in_quotes(const std::string& name) {
    constexpr std::size_t kLongest = 100;
    return "\"" + excerpt(name, kLongest) + "\"";
}

// a·b, or nullopt if it exceeds 64 bits.
std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
    if (b != 0 && a > UINT64_MAX / b) {
        return std::nullopt;
    }
    return a * b;
}

// Handles the parser's events one by one and knows what may come at each, so that nothing unneeded is built.
class Reader : public nlohmann::json_sax<json> {
public:
    explicit Reader(const std::string& path) : path_(path) {}

    Header take() { return std::move(header_); }

    bool null() override { return wrong("null"); }
    bool boolean(bool) override { return wrong("true or false"); }
    bool number_integer(number_integer_t) override { return wrong("a negative number"); }
    bool number_float(number_float_t, const string_t& text) override { return wrong(in_quotes(text)); }
    bool binary(binary_t&) override { return wrong("binary data"); }

    bool number_unsigned(number_unsigned_t value) override {
        if (place_ == Place::shape) {
            header_.entries.back().shape.push_back(value);
            if (header_.entries.back().shape.size() > kMostAxes) {
                refuse(path_, at() + "more than " + std::to_string(kMostAxes) + " axes");
            }
        } else if (place_ == Place::offsets && offsets_ < 2) {
            (offsets_ == 0 ? header_.entries.back().begin : header_.entries.back().end) = value;
            ++offsets_;
        } else {
            return wrong(std::to_string(value));
        }
        return true;
    }

    bool string(string_t& value) override {
        count_text(value);
        if (place_ == Place::metadata) {
            header_.metadata[key_] = std::move(value);
        } else if (place_ == Place::tensor && key_ == "dtype") {
            const auto* found = std::ranges::find_if(kDTypes, [&](const auto& dtype) { return value == dtype.first; });
            if (found == std::end(kDTypes)) {
                header_.entries.back().other_type = std::move(value);
            } else {
                header_.entries.back().dtype = found->second;
            }
        } else {
            return wrong(in_quotes(value));
        }
        return true;
    }

    bool start_object(std::size_t) override {
        if (place_ == Place::outside) {
            place_ = Place::top;
        } else if (place_ == Place::top && key_ == kMetadataKey) {
            place_ = Place::metadata;
        } else if (place_ == Place::top) {
            place_ = Place::tensor;
            header_.entries.emplace_back();
            header_.entries.back().name = key_;
            fields_.clear();
        } else {
            return wrong("an object");
        }
        return true;
    }

    bool key(string_t& name) override {
        count_text(name);
        const bool is_new = place_ == Place::top        ? names_.insert(name).second
                            : place_ == Place::metadata ? !header_.metadata.contains(name)
                                                        : fields_.insert(name).second;
        if (!is_new) {
            refuse(path_, at() + "duplicate key " + in_quotes(name));
        }
        if (std::max(names_.size(), header_.metadata.size()) > kMostKeys) {
            refuse(path_, at() + "more than " + std::to_string(kMostKeys) + " keys");
        }
        if (place_ == Place::tensor && name != "dtype" && name != "shape" && name != "data_offsets") {
            refuse(path_, at() + "no such key: " + in_quotes(name));
        }
        key_ = name;
        return true;
    }

    bool end_object() override {
        if (place_ == Place::tensor) {
            for (const char* field : {"dtype", "shape", "data_offsets"}) {
                if (!fields_.contains(field)) {
                    refuse(path_, at() + field + " is missing");
                }
            }
        }
        place_ = place_ == Place::top ? Place::outside : Place::top;
        return true;
    }

    bool start_array(std::size_t) override {
        if (place_ == Place::tensor && key_ == "shape") {
            place_ = Place::shape;
        } else if (place_ == Place::tensor && key_ == "data_offsets") {
            place_ = Place::offsets;
            offsets_ = 0;
        } else {
            return wrong("an array");
        }
        return true;
    }

    bool end_array() override {
        if (place_ == Place::offsets && offsets_ != 2) {
            refuse(path_, at() + "data_offsets takes a begin and an end");
        }
        place_ = Place::tensor;
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        refuse_byte(std::max<std::size_t>(position, 1) - 1, path_);  // the number of bytes read
    }

private:
    enum class Place { outside, top, metadata, tensor, shape, offsets };

    void count_text(const std::string& text) {
        text_ += text.size();
        if (text_ > kMostHeaderText) {
            refuse_long_text(path_);
        }
    }

    // The position of the reader, for messages.
    std::string at() const {
        const bool in_tensor = place_ == Place::tensor || place_ == Place::shape || place_ == Place::offsets;
        return in_tensor                   ? "tensor " + in_quotes(header_.entries.back().name) + ": "
               : place_ == Place::metadata ? std::string(kMetadataKey) + ": "
                                           : "";
    }

    bool wrong(const std::string& found) const {
        const std::string expected = place_ == Place::outside || place_ == Place::top ? "an object"
                                     : place_ == Place::metadata                      ? "a string"
                                     : place_ == Place::tensor && key_ == "dtype"     ? "a string"
                                     : place_ == Place::tensor                        ? "an array"
                                     : place_ == Place::shape                         ? "whole numbers from 0"
                                                                                      : "two whole numbers from 0";
        refuse(path_, at() + (key_.empty() ? "" : in_quotes(key_) + " ") + "takes " + expected + ", not " + found);
    }

    const std::string& path_;
    Header header_;
    Place place_ = Place::outside;
    std::string key_;
    std::size_t offsets_ = 0;  // read so far
    std::uint64_t text_ = 0;   // bytes of names, keys and metadata so far
    std::unordered_set<std::string> names_;
    std::unordered_set<std::string> fields_;
};

// Sorts the entries by their bytes and checks that they are contiguous and of the right size.
void check_layout(std::vector<StoredEntry>& entries, const std::string& path) {
    std::ranges::sort(entries, [](const StoredEntry& a, const StoredEntry& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    std::uint64_t next = 0;
    for (const StoredEntry& entry : entries) {
        const std::string who = "tensor " + in_quotes(entry.name) + ": ";
        const std::string where = "bytes " + std::to_string(entry.begin) + " to " + std::to_string(entry.end);
        if (entry.end < entry.begin) {
            refuse(path, who + where + " end before they begin");
        }
        if (entry.begin != next) {
            refuse(path, who + where +
                             (entry.begin > next ? " leave a gap after byte " : " overlap what ends at byte ") +
                             std::to_string(next));
        }
        if (entry.other_type) {  // of unknown size
            next = entry.end;
            continue;
        }
        std::optional<std::uint64_t> size = size_of(entry.dtype);
        for (const std::size_t extent : entry.shape) {
            size = size ? product(*size, extent) : size;
        }
        if (!size) {
            refuse(path, who + "shape " + to_string(entry.shape) + " has more elements than 64 bits count");
        }
        if (*size != entry.end - entry.begin) {
            refuse(path, who + where + " hold " + std::to_string(entry.end - entry.begin) + ", but shape " +
                             to_string(entry.shape) + " takes " + std::to_string(*size));
        }
        next = entry.end;
    }
}

const char* name_of(DType dtype) {
    return std::ranges::find(kDTypes, dtype, &std::pair<const char*, DType>::second)->first;
}

}  // namespace

void refuse_long_text(const std::string& path) {
    refuse(path, "more than 16 MB of names and metadata; leave out what is long");
}

Header parse_header(std::istream& text, const std::string& path) {
    if (text.peek() != '{') {
        refuse(path, "the header does not begin with {");
    }
    Reader reader(path);
    json::sax_parse(text, &reader);
    Header header = reader.take();
    check_layout(header.entries, path);
    return header;
}

std::string header_text(const Header& header, const std::string& path) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    if (!header.metadata.empty()) {
        object[kMetadataKey] = header.metadata;
    }
    for (const StoredEntry& entry : header.entries) {
        object[entry.name] = {{"dtype", name_of(entry.dtype)},
                              {"shape", entry.shape},
                              {"data_offsets", std::array{entry.begin, entry.end}}};
    }
    std::string text;
    try {
        text = object.dump();
    } catch (const json::type_error&) {
        throw InputError(printable(path) + ": can't be written: a name or its metadata is not UTF-8");
    }
    text.append((8 - text.size() % 8) % 8, ' ');
    return text;
}

}  // namespace byhand

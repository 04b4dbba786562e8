#include "checks/files/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "recipe/json_fields.h"
#include "train/file_kind.h"

namespace byhand {
namespace {

constexpr std::size_t kLongestHeader = 65536;  // NumPy reads 10,000 bytes at most
constexpr std::size_t kMostAxes = 64;

struct NpyHeader {
    std::string descr;
    bool fortran_order = false;
    Shape shape;
    std::uint64_t size = 0;  // of all that precedes the numbers, in bytes
};

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
    throw InputError(where + ": not a .npy array: " + what);
}

// Removes blanks, and a comma before them, from the end of a list.
void remove_comma(std::string& json) {
    while (json.ends_with(' ')) {
        json.pop_back();
    }
    if (json.ends_with(',')) {
        json.pop_back();
    }
}

// Python's dictionary as JSON: other quotes, 1 for True and 0 for False, lists for tuples, no comma before a bracket,
// and no L after a number, which Python 2 writes.
std::string as_json(std::string_view text) {
    std::string json;
    char quote = 0;  // of the string that is open
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote == 0 ? c == '\'' || c == '"' : c == quote) {
            json += '"';
            quote = quote == 0 ? c : '\0';
        } else if (quote != 0) {
            json += c;
        } else if (text.substr(i).starts_with("True")) {
            json += '1';
            i += std::strlen("True") - 1;
        } else if (text.substr(i).starts_with("False")) {
            json += '0';
            i += std::strlen("False") - 1;
        } else if (c == ')' || c == ']' || c == '}') {
            remove_comma(json);
            json += c == ')' ? ']' : c;
        } else if (c != 'L' || json.empty() || std::isdigit(static_cast<unsigned char>(json.back())) == 0) {
            json += c == '(' ? '[' : c;
        }
    }
    return json;
}

// A type, or a list of fields with theirs, which is none of those that are read.
std::string type_of(const Field& field) {
    if (field.value.is_string()) {
        return field.value.get<std::string>();
    }
    if (!field.value.is_array()) {
        field.refuse_value("takes a type");
    }
    return compact_text(field.value).value_or("");
}

void describe_header(Object& object, NpyHeader& header) {
    object.need("descr", header.descr, type_of);
    object.need("fortran_order", header.fortran_order, Whole{0, 1});
    object.need("shape", header.shape, List{0, kMostAxes, Whole{0, UINT64_MAX}});
}

void read_exactly(const ByteSource& source, void* to, std::size_t size, const std::string& where) {
    for (std::size_t got = 0, more = 0; got < size; got += more) {
        more = source(static_cast<char*>(to) + got, size - got);
        if (more == 0) {
            refuse(where, "it ends early");
        }
    }
}

NpyHeader read_header(const ByteSource& source, const std::string& where) {
    std::array<unsigned char, 8> prefix{};  // magic, version
    read_exactly(source, prefix.data(), prefix.size(), where);
    if (std::memcmp(prefix.data(), kNpyMagic.data(), kNpyMagic.size()) != 0) {
        refuse(where, "it does not begin with \\x93NUMPY");
    }
    const unsigned version = prefix[6];
    if (version < 1 || version > 3) {
        refuse(where, "version " + std::to_string(version) + " is not known; 1 to 3 are");
    }
    std::uint32_t length = 0;
    read_exactly(source, &length, version == 1 ? 2 : 4, where);
    if (length > kLongestHeader) {
        refuse(where, "its header would take " + std::to_string(length) + " bytes, of " +
                          std::to_string(kLongestHeader) + " at most");
    }
    std::string text(length, '\0');
    read_exactly(source, text.data(), length, where);
    try {
        NpyHeader header;
        const Json json = strict_json(as_json(text), where);
        Object::read({json, where, ""}, header, describe_header);
        header.size = prefix.size() + (version == 1 ? 2 : 4) + length;
        return header;
    } catch (const InputError&) {
        refuse(where, "its header can't be parsed: \"" + excerpt(text, 100) + "\"");
    }
}

// Of "<f4": the byte order, which is '|' where there is none, and the type. nullptr for one that is not known.
const StoredType* type_of_descr(std::string_view descr) {
    constexpr std::string_view kOrders = "<>|=", kKinds = "fiu";
    if (descr == "|b1") {
        return stored_type("BOOL");
    }
    const bool is_number = descr.size() == 3 && kOrders.find(descr[0]) != std::string_view::npos &&
                           kKinds.find(descr[1]) != std::string_view::npos;
    return is_number ? stored_type(static_cast<char>(std::toupper(descr[1])) + std::to_string(8 * (descr[2] - '0')))
                     : nullptr;
}

// A path between quotation marks, in a command between others; another name if it has such marks itself.
std::string in_quotes(const std::string& path, const char* otherwise) {
    return path.find_first_of("\"'\\") == std::string::npos ? path : otherwise;
}

// Version 1, padded as NumPy does.
std::string header_text(const std::string& descr, const Shape& shape) {
    constexpr std::size_t kPrefix = 10, kAlignment = 64;
    std::string extents;
    for (const std::size_t extent : shape) {
        extents += (extents.empty() ? "" : ", ") + std::to_string(extent);
    }
    extents += shape.size() == 1 ? "," : "";
    std::string text = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + extents + "), }";
    text.append(kAlignment - (kPrefix + text.size()) % kAlignment - 1, ' ');
    text += '\n';
    std::string prefix(kNpyMagic);
    prefix += {'\1', '\0', static_cast<char>(text.size() % 256), static_cast<char>(text.size() / 256)};
    return prefix + text;
}

}  // namespace

TensorSource npy_source(const std::string& name, const OpenBytes& open, std::uint64_t size, const std::string& where) {
    NpyHeader header = read_header(open(), where);
    const std::string_view descr = header.descr;
    const StoredType* const type = type_of_descr(descr);
    std::string fault;
    if (type != nullptr) {
        std::uint64_t bytes = 0;
        const std::optional<std::uint64_t> elements = elements_of(header.shape);
        const bool fits = elements && !__builtin_mul_overflow(*elements, type->size, &bytes) &&
                          !__builtin_add_overflow(bytes, header.size, &bytes);
        if (!fits || bytes != size) {
            fault = where + ": not a .npy array: " +
                    (!fits || bytes > size ? "it ends early"
                                           : "more bytes follow than " + to_string(header.shape) + " takes");
        }
    }
    const OpenBytes numbers = [open, where] {
        ByteSource source = open();
        read_header(source, where);
        return source;
    };
    const Layout layout{type, !descr.empty() && descr[0] == '>', header.fortran_order};
    TensorSource source = stored_source(name, "'" + header.descr + "'", std::move(header.shape), layout, numbers);
    source.fault = std::move(fault);
    return source;
}

std::string from_pytorch(const std::string& path) {
    return "a PyTorch file, which is a pickle: convert it by python3 examples/python/to_safetensors.py \"" +
           in_quotes(path, "mine.pt") + "\" mine.safetensors, and give that file";
}

std::string from_pickle(const std::string& path) {
    return R"(a pickle: convert it by python3 -c 'import numpy, pickle; numpy.savez("mine.npz", **pickle.load(open(")" +
           in_quotes(path, "mine.pkl") + R"(", "rb")))')";
}

NpyArray npy_array(const View& view) {
    const char* const descr = view.dtype == DType::float32 ? "<f4" : view.dtype == DType::float64 ? "<f8" : "<i8";
    return {view.name, header_text(descr, view.shape), view.data,
            std::uint64_t{count(view.shape)} * size_of(view.dtype)};
}

NpyArray npy_text(const std::string& name, const std::string& text, std::u32string& characters) {
    characters = from_utf8(text);
    return {name, header_text("<U" + std::to_string(characters.size()), {}), characters.data(),
            characters.size() * sizeof(char32_t)};
}

}  // namespace byhand

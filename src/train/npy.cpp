#include "train/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

namespace byhand {
namespace {

constexpr std::size_t kLongestHeader = 65536;  // NumPy reads 10,000 bytes at most
constexpr std::size_t kMostAxes = 64;

constexpr std::pair<std::string_view, DType> kTypes[] = {
    {"<f4", DType::float32}, {"<f8", DType::float64}, {"<i8", DType::int64}, {"<i4", DType::int32}};

struct NpyHeader {
    std::string descr;
    bool fortran_order = false;
    Shape shape;
};

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
    throw InputError(where + ": not a .npy array: " + what);
}

// Parser of the header's dictionary: keys and strings in quotes, True, False, a tuple of whole numbers.
class HeaderText {
public:
    HeaderText(std::string_view text, const std::string& where) : text_(text), where_(where) {}

    NpyHeader read() {
        NpyHeader header;
        unsigned found = 0;
        expect('{');
        while (!at('}')) {
            const std::string key = quoted();
            expect(':');
            if (key == "descr") {
                header.descr = at('[') ? structured() : quoted();
                found |= 1;
            } else if (key == "fortran_order") {
                header.fortran_order = truth();
                found |= 2;
            } else if (key == "shape") {
                header.shape = tuple();
                found |= 4;
            } else {
                wrong();
            }
            if (!at('}')) {
                expect(',');
            }
        }
        if (found != 7) {
            wrong();
        }
        return header;
    }

private:
    [[noreturn]] void wrong() const {
        refuse(where_, "its header can't be parsed at byte " + std::to_string(next_) + ": \"" +
                           excerpt(text_.substr(std::min(next_, text_.size())), 40) + "\"");
    }

    void skip_blanks() {
        while (next_ < text_.size() && (text_[next_] == ' ' || text_[next_] == '\n')) {
            ++next_;
        }
    }

    // Whether the character comes next, after blanks.
    bool at(char wanted) {
        skip_blanks();
        return next_ < text_.size() && text_[next_] == wanted;
    }

    void expect(char wanted) {
        if (!at(wanted)) {
            wrong();
        }
        ++next_;
    }

    std::string quoted() {
        const char quote = at('"') ? '"' : '\'';
        expect(quote);
        const std::size_t end = text_.find(quote, next_);
        if (end == std::string_view::npos) {
            wrong();
        }
        return std::string(text_.substr(std::exchange(next_, end + 1), end - next_));
    }

    // Structured types: none of them is supported.
    std::string structured() {
        const std::size_t end = text_.find(']', next_);
        if (end == std::string_view::npos) {
            wrong();
        }
        const std::string list(text_.substr(next_, end + 1 - next_));
        next_ = text_.find_first_of(",}", end);
        next_ = next_ == std::string_view::npos ? text_.size() : next_;
        return list;
    }

    bool truth() {
        skip_blanks();
        for (const auto& [word, value] : {std::pair("True", true), std::pair("False", false)}) {
            if (text_.substr(next_).starts_with(word)) {
                next_ += std::strlen(word);
                return value;
            }
        }
        wrong();
    }

    Shape tuple() {
        Shape shape;
        expect('(');
        while (!at(')')) {
            std::size_t extent = 0;
            const char* const first = text_.data() + next_;
            const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), extent);
            if (error != std::errc() || shape.size() == kMostAxes) {
                wrong();
            }
            next_ += static_cast<std::size_t>(end - first);
            shape.push_back(extent);
            if (at('L')) {  // the suffix of Python 2's long numbers
                ++next_;
            }
            if (!at(')')) {
                expect(',');
            }
        }
        ++next_;
        return shape;
    }

    std::string_view text_;
    std::size_t next_ = 0;
    const std::string& where_;
};

void read_exactly(const ByteSource& source, void* to, std::size_t size, const std::string& where) {
    if (source(to, size) < size) {
        refuse(where, "it ends early");
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
    return HeaderText(text, where).read();
}

std::optional<DType> dtype_of(const std::string& descr) {
    const auto* found = std::ranges::find(kTypes, std::string_view(descr), &std::pair<std::string_view, DType>::first);
    return found == std::end(kTypes) ? std::nullopt : std::optional(found->second);
}

// The number of elements, or nullopt if it exceeds 64 bits.
std::optional<std::uint64_t> elements_of(const Shape& shape) {
    std::uint64_t elements = 1;
    for (const std::size_t extent : shape) {
        if (__builtin_mul_overflow(elements, extent, &elements)) {
            return std::nullopt;
        }
    }
    return elements;
}

// From column-major to row-major order.
std::vector<std::byte> in_row_order(const std::vector<std::byte>& columns, const Shape& shape, std::size_t size) {
    std::vector<std::byte> rows(columns.size());
    for (std::size_t i = 0; i < rows.size() / size; ++i) {
        const std::vector<std::size_t> index = index_of(shape, i);
        std::size_t from = 0;
        for (std::size_t axis = shape.size(); axis-- > 0;) {
            from = from * shape[axis] + index[axis];
        }
        std::memcpy(rows.data() + i * size, columns.data() + from * size, size);
    }
    return rows;
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

void read_npy(ExternalFile& file, const std::string& name, const ByteSource& source, std::uint64_t due,
              const std::string& where) {
    NpyHeader header = read_header(source, where);
    const std::optional<DType> dtype = dtype_of(header.descr);
    if (!dtype) {
        const bool is_whole = header.descr.size() > 1 && (header.descr[1] == 'i' || header.descr[1] == 'u');
        file.not_read.push_back(name + " holds '" + excerpt(header.descr, 40) +
                                "'; '<f4' and '<f8' are read, and '<i4' and '<i8' for X and Y: convert it, as by " +
                                (is_whole ? "astype('<i8')" : "astype('<f4')"));
        return;
    }
    StoredTensor tensor{name, std::move(header.shape), *dtype, {}};
    if (elements_of(tensor.shape) == due) {
        const std::size_t size = size_of(*dtype);
        tensor.bytes.resize(due * size);
        read_exactly(source, tensor.bytes.data(), tensor.bytes.size(), where);
        std::byte more{};
        if (source(&more, 1) > 0) {
            refuse(where, "more bytes follow than " + to_string(tensor.shape) + " takes");
        }
        if (header.fortran_order) {
            tensor.bytes = in_row_order(tensor.bytes, tensor.shape, size);
        }
    }
    widen(tensor);
    file.tensors.push_back(std::move(tensor));
}

void widen(StoredTensor& tensor) {
    if (tensor.dtype != DType::int32) {
        return;
    }
    std::vector<std::byte> wide(tensor.bytes.size() / sizeof(std::int32_t) * sizeof(std::int64_t));
    for (std::size_t i = 0; i < tensor.bytes.size() / sizeof(std::int32_t); ++i) {
        std::int32_t number = 0;
        std::memcpy(&number, tensor.bytes.data() + i * sizeof number, sizeof number);
        const std::int64_t same = number;
        std::memcpy(wide.data() + i * sizeof same, &same, sizeof same);
    }
    tensor.bytes = std::move(wide);
    tensor.dtype = DType::int64;
}

std::string from_pytorch(const std::string& path) {
    return "a PyTorch file, which is a pickle: convert it by python3 -c 'import numpy, torch; "
           "numpy.savez(\"mine.npz\", **{k: v.detach().cpu().numpy() for k, v in torch.load(\"" +
           in_quotes(path, "mine.pt") + "\").items()})'";
}

std::string from_pickle(const std::string& path) {
    return R"(a pickle: convert it by python3 -c 'import numpy, pickle; numpy.savez("mine.npz", **pickle.load(open(")" +
           in_quotes(path, "mine.pkl") + R"(", "rb")))')";
}

NpyArray npy_array(const View& view) {
    const auto* type = std::ranges::find(kTypes, view.dtype, &std::pair<std::string_view, DType>::second);
    return {view.name, header_text(std::string(type->first), view.shape), view.data,
            std::uint64_t{count(view.shape)} * size_of(view.dtype)};
}

NpyArray npy_text(const std::string& name, const std::string& text, std::u32string& characters) {
    characters = from_utf8(text);
    return {name, header_text("<U" + std::to_string(characters.size()), {}), characters.data(),
            characters.size() * sizeof(char32_t)};
}

bool is_own_npz(const std::string& path) {
    constexpr std::string_view kEnd = "PK\x05\x06";
    constexpr std::size_t kEndRecord = 22;  // without the comment
    try {
        const RegularFile file = open_regular(path);
        std::string end(kEndRecord + kNpzComment.size(), '\0');
        const std::uint64_t from = file.size - std::min<std::uint64_t>(file.size, end.size());
        return read_from(file.descriptor.number(), from, end.data(), end.size(), path) == end.size() &&
               end.starts_with(kEnd) && end.ends_with(kNpzComment);
    } catch (const InputError&) {
        return false;
    }
}

}  // namespace byhand

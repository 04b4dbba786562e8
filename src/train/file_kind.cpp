#include "train/file_kind.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand {
namespace {

constexpr std::size_t kStart = 4096;

// 8 bytes of the header's length, below 4 GB, and the header's first byte.
bool begins_as_safetensors(std::string_view start) {
    constexpr std::string_view kHighBytesAndBrace("\0\0\0\0{", 5);
    return start.substr(std::min<std::size_t>(start.size(), 4)).starts_with(kHighBytesAndBrace);
}

bool is_text(std::string_view start) {
    constexpr std::string_view kBlanks = "\t\n\r\f";
    constexpr std::size_t kLongestCharacter = 4;
    const bool is_cut = start.size() == kStart;
    while (!start.empty()) {
        const CodePoint next = first_code_point(start);
        if (next.size == 0) {
            return is_cut && start.size() < kLongestCharacter;
        }
        if (is_control(next.value) && kBlanks.find(start.front()) == std::string_view::npos) {
            return false;
        }
        start.remove_prefix(next.size);
    }
    return true;
}

std::string_view line_of(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

bool is_python(std::string_view text, const std::string& path) {
    if (path.ends_with(".py") || (text.starts_with("#!") && line_of(text).find("python") != std::string_view::npos)) {
        return true;
    }
    while (!text.empty()) {
        const std::string_view line = line_of(text);
        if (line.starts_with("import ") || line.starts_with("def ") ||
            (line.starts_with("from ") && line.find(" import ") != std::string_view::npos)) {
            return true;
        }
    }
    return false;
}

// As many commas in the second line as in the first, and some.
bool is_csv(std::string_view text, const std::string& path) {
    const auto commas = [&] { return std::ranges::count(line_of(text), ','); };
    const auto first = commas();
    return path.ends_with(".csv") || (first > 0 && (text.empty() || commas() == first));
}

FileKind kind_of_text(std::string_view text, const std::string& path) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    const char begin = first == std::string_view::npos ? ' ' : text[first];
    return begin == '{' || begin == '[' ? FileKind::json
           : is_python(text, path)      ? FileKind::python
           : is_csv(text, path)         ? FileKind::csv
                                        : FileKind::text;
}

}  // namespace

FileKind kind_of(const RegularFile& file, const std::string& path) {
    std::string start(kStart, '\0');
    start.resize(read_from(file.descriptor.number(), 0, start.data(), start.size(), path));
    const std::string_view text = start;
    if (text.empty()) {
        return FileKind::empty;
    }
    if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) {
        return FileKind::zip;
    }
    if (text.starts_with(kNpyMagic)) {
        return FileKind::npy;
    }
    if (begins_as_safetensors(text)) {
        return FileKind::unknown;
    }
    if (text.starts_with("\x1f\x8b")) {
        return FileKind::gzip;
    }
    if (text.starts_with("\x80\x02\x8a\x0a")) {  // a long number
        return FileKind::pytorch;
    }
    constexpr std::string_view kProtocols = "\x02\x03\x04\x05";
    if (text.starts_with('\x80') && text.size() > 2 && kProtocols.find(text[1]) != std::string_view::npos &&
        text[2] != '\0') {
        return FileKind::pickle;
    }
    return is_text(text) ? kind_of_text(text, path) : FileKind::unknown;
}

std::string to_string(FileKind kind) {
    switch (kind) {
        case FileKind::unknown:
            break;
        case FileKind::empty:
            return "empty";
        case FileKind::zip:
            return "a zip archive, such as a .npz";
        case FileKind::npy:
            return "a .npy array";
        case FileKind::pytorch:
            return "a PyTorch file";
        case FileKind::pickle:
            return "a pickle";
        case FileKind::gzip:
            return "compressed by gzip";
        case FileKind::json:
            return "JSON";
        case FileKind::csv:
            return "CSV";
        case FileKind::python:
            return "Python source";
        case FileKind::text:
            return "text";
    }
    return "";
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

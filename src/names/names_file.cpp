#include "names/names_file.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/utf8.h"

namespace byhand {
namespace {

constexpr std::size_t kLongestLine = 1024;  // bytes
constexpr std::size_t kMostLines = 5'000'000;
constexpr std::size_t kMostCharacters = 65'536;  // distinct ones: each has a row of C and a column of the last W
constexpr std::size_t kCodePoints = 0x110000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Of a name in three lists, between which it is moved when they are shuffled and split. More than three characters are
// in a block of their own, with the terminating one.
double bytes_of(const std::u32string& name) {
    constexpr std::size_t kInPlace = 3, kLists = 3, kBlock = 16;
    const std::size_t own = name.size() > kInPlace ? (name.size() + 1) * sizeof(char32_t) + kBlock : 0;
    return static_cast<double>(kLists * sizeof(std::u32string) + own);
}

// Processes a file in pieces of any size, so that only the names and one unfinished line are in memory.
class NamesReader {
public:
    enum class Keep { names, none };

    // `size`: of the file, in bytes. A name takes at least two, so that the list never has to be reallocated; unused
    // capacity of the list occupies no physical memory.
    NamesReader(const std::string& path, std::uintmax_t size, Keep keep) : path_(printable(path)), keep_(keep) {
        file_.hash = kHashOfNothing;
        if (keep_ == Keep::names) {
            file_.names.reserve(std::min<std::uintmax_t>(kMostLines, size / 2 + 1));
        }
    }

    void take(std::string_view bytes);
    NamesFile finish() &&;

private:
    void take_line(std::string_view line);
    void meet(char32_t character);
    [[noreturn]] void refuse(const std::string& what) const {
        throw InputError(path_ + ":" + std::to_string(line_) + ": " + what);
    }

    [[noreturn]] void refuse_byte(std::size_t offset, const std::string& what) const {
        refuse("byte " + std::to_string(offset + 1) + " " + what);
    }

    std::string path_;
    Keep keep_;
    std::size_t line_ = 0;  // the number of the current line, from 1
    bool has_names_ = false;
    std::vector<bool> met_ = std::vector<bool>(kCodePoints);
    std::size_t characters_ = 0;  // distinct ones
    std::u32string name_;         // of the current line
    std::string unfinished_;
    NamesFile file_;
};

void NamesReader::take(std::string_view bytes) {
    for (const char byte : bytes) {
        file_.hash = hash_with(file_.hash, byte);
    }
    unfinished_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = unfinished_.find('\n', begin)) != std::string::npos; begin = end + 1) {
        std::string_view line = std::string_view(unfinished_).substr(begin, end - begin);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
            ++file_.carriage_returns;
        }
        take_line(line);
    }
    unfinished_.erase(0, begin);
    if (unfinished_.size() > kByteOrderMark.size() + kLongestLine + 1) {
        take_line(unfinished_);  // already too long; its end may be far away
    }
}

void NamesReader::take_line(std::string_view line) {
    if (++line_ > kMostLines) {
        refuse("more than 5 million lines; give a smaller file");
    }
    std::size_t at = 0;
    if (line_ == 1 && line.starts_with(kByteOrderMark)) {
        file_.byte_order_mark = true;
        at = kByteOrderMark.size();
    }
    if (line.size() - at > kLongestLine) {
        refuse("longer than 1 KiB (1024 bytes); give one name a line");
    }
    name_.clear();
    while (at < line.size()) {
        const auto byte = static_cast<unsigned char>(line[at]);
        if (byte < 0x80 && met_[byte]) {  // checked before
            name_.push_back(byte);
            ++at;
            continue;
        }
        const CodePoint c = first_code_point(line.substr(at));
        if (c.size == 0) {
            refuse_byte(at, "is not UTF-8; save the file as UTF-8");
        }
        if (c.value == U'\r') {
            refuse_byte(at, "is a CR without an LF; end lines with LF or CR LF");
        }
        if (c.value == U'\0') {
            refuse_byte(at, "is a NUL; give a text file with one name a line");
        }
        if (is_control(c.value)) {
            refuse_byte(at, "is a control character (" + printable(line.substr(at, c.size)) + "); take it out");
        }
        if (c.value == U'.') {
            refuse_byte(at, "is a '.', which marks where a name begins and ends; take it out");
        }
        meet(c.value);
        name_.push_back(c.value);
        at += c.size;
    }
    if (name_.empty()) {
        ++file_.empty_lines;
        return;
    }
    has_names_ = true;
    file_.bytes += bytes_of(name_);
    if (keep_ == Keep::names) {
        file_.names.push_back(name_);
    }
}

void NamesReader::meet(char32_t character) {
    if (!met_[character]) {
        met_[character] = true;
        if (++characters_ > kMostCharacters) {
            refuse("more than 65,536 different characters so far; give names in fewer alphabets");
        }
    }
}

NamesFile NamesReader::finish() && {
    if (!unfinished_.empty()) {
        file_.last_newline_missing = true;
        take_line(unfinished_);
    }
    if (line_ == 0) {
        throw InputError(path_ + ": empty; give a text file with one name a line");
    }
    if (!has_names_) {
        refuse("the file contains no name; give a text file with one name a line");
    }
    return std::move(file_);
}

NamesFile read_through(const std::string& path, NamesReader::Keep keep) {
    const RegularFile file = open_regular(path);
    NamesReader reader(path, file.size, keep);
    std::vector<char> piece(std::size_t{1} << 15);
    while (const std::size_t got = read_some(file.descriptor.number(), piece.data(), piece.size(), path)) {
        reader.take({piece.data(), got});
    }
    return std::move(reader).finish();
}

std::string count(std::size_t n, const std::string& thing) {
    return std::to_string(n) + " " + thing + (n == 1 ? "" : "s");
}

}  // namespace

NamesFile read_names(const std::string& path) {
    // A first pass over a large file stores nothing, so that one that is refused takes no memory.
    constexpr std::uintmax_t kLarge = std::uintmax_t{1} << 20;
    const bool is_large = open_regular(path).size > kLarge;
    NamesFile file = read_through(path, is_large ? NamesReader::Keep::none : NamesReader::Keep::names);
    check_memory_needed(file.bytes, printable(path) + ": the names need", "give fewer names");
    return is_large ? read_through(path, NamesReader::Keep::names) : std::move(file);
}

NamesFile parse_names(std::string_view bytes, const std::string& path) {
    NamesReader reader(path, bytes.size(), NamesReader::Keep::names);
    reader.take(bytes);
    return std::move(reader).finish();
}

std::vector<std::string> remarks(const NamesFile& file) {
    std::vector<std::string> sentences;
    if (file.byte_order_mark) {
        sentences.emplace_back("the byte order mark at the start was skipped");
    }
    if (file.empty_lines > 0) {
        sentences.push_back(count(file.empty_lines, "empty line") + (file.empty_lines == 1 ? " was" : " were") +
                            " skipped");
    }
    if (file.carriage_returns > 0) {
        sentences.push_back(count(file.carriage_returns, "line") + (file.carriage_returns == 1 ? " ends" : " end") +
                            " in CR LF; the CR was left out");
    }
    if (file.last_newline_missing) {
        sentences.emplace_back("the last line has no newline; it was read like the others");
    }
    return sentences;
}

}  // namespace byhand

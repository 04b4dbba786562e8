#include "names/names_file.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/utf8.h"

namespace byhand {
namespace {

constexpr std::size_t kLargest = 40'000'000;  // bytes
constexpr std::size_t kLongestLine = 1024;
constexpr std::size_t kMostLines = 5'000'000;
constexpr std::size_t kMostCharacters = 65'536;  // distinct ones: each has a row of C and a column of the last W
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string count(std::size_t n, const std::string& thing) {
    return std::to_string(n) + " " + thing + (n == 1 ? "" : "s");
}

std::string quoted(char32_t mark) {
    return "'" + to_utf8({&mark, 1}) + "'";
}

// "9 lines with a '.' (3, 17, 200, …)"
std::string bad_lines(const NamesFile& file) {
    std::string numbers;
    for (const std::size_t line : file.first_bad_lines) {
        numbers += (numbers.empty() ? "" : ", ") + std::to_string(line);
    }
    return count(file.bad_lines, "line") + " with a " + quoted(file.mark) + " (" + numbers +
           (file.bad_lines > file.first_bad_lines.size() ? ", …)" : ")");
}

class NamesReader {
public:
    NamesReader(std::string_view bytes, const std::string& path, const BadLines& bad)
        : path_(printable(path)), bytes_(bytes), bad_(bad), text_(populated<char32_t>(bytes.size())) {
        file_.hash = hash_of(bytes);
        file_.mark = bad.mark;
    }

    NamesFile read() &&;

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
    std::string_view bytes_;
    BadLines bad_;
    std::size_t line_ = 0;                             // the number of the current line, from 1
    std::vector<bool> met_ = std::vector<bool>(0x80);  // by code point, as far as the largest
    std::size_t characters_ = 0;                       // distinct ones
    std::vector<char32_t> text_;                       // of all names
    std::vector<std::uint16_t> lengths_;
    NamesFile file_;
};

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
    const std::size_t begin = text_.size();
    bool is_bad = false;
    while (at < line.size()) {
        const auto byte = static_cast<unsigned char>(line[at]);
        if (byte < 0x80 && met_[byte]) {  // checked before
            text_.push_back(byte);
            ++at;
            continue;
        }
        const CodePoint c = first_code_point(line.substr(at));
        if (c.size == 0) {
            refuse_byte(at, "is not UTF-8; convert the file, as by iconv -f LATIN1 -t UTF-8");
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
        is_bad = is_bad || c.value == bad_.mark;
        if (!is_bad) {
            meet(c.value);
            text_.push_back(c.value);
        }
        at += c.size;
    }
    if (is_bad) {
        constexpr std::size_t kNamed = 3;
        if (file_.bad_lines++ < kNamed) {
            file_.first_bad_lines.push_back(line_);
        }
        text_.resize(begin);
        return;
    }
    const std::size_t length = text_.size() - begin;
    if (length == 0) {
        ++file_.empty_lines;
        return;
    }
    lengths_.push_back(static_cast<std::uint16_t>(length));
}

void NamesReader::meet(char32_t character) {
    if (character >= met_.size()) {
        met_.resize(character + 1);
    }
    if (!met_[character]) {
        met_[character] = true;
        if (++characters_ > kMostCharacters) {
            refuse("more than 65,536 different characters so far; give names in fewer alphabets");
        }
    }
}

NamesFile NamesReader::read() && {
    if (bytes_.empty()) {
        throw InputError(path_ + ": empty; give a text file with one name a line");
    }
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = bytes_.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
        std::string_view line = bytes_.substr(begin, end - begin);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
            ++file_.carriage_returns;
        }
        take_line(line);
    }
    if (begin < bytes_.size()) {
        file_.last_newline_missing = true;
        take_line(bytes_.substr(begin));
    }
    if (file_.bad_lines > 0 && !bad_.skip && bad_.skip_in != file_.hash) {
        throw InputError(path_ + ":" + std::to_string(file_.first_bad_lines.front()) + ": has a " + quoted(bad_.mark) +
                         ", which marks where a name begins and ends; leave out " + bad_lines(file_) +
                         " with --skip-bad-lines, or train with another --mark");
    }
    if (text_.empty()) {
        refuse("the file contains no name; give a text file with one name a line");
    }
    file_.text = std::make_shared<const std::vector<char32_t>>(std::move(text_));
    file_.names = populated<std::u32string_view>(lengths_.size());
    const char32_t* name = file_.text->data();
    for (const std::uint16_t length : lengths_) {
        file_.names.emplace_back(name, length);
        name += length;
    }
    return std::move(file_);
}

std::string was_or_were(std::size_t n) {
    return n == 1 ? " was" : " were";
}

// The number of names that occur before them, by hashes, which fit in far less memory than the names.
std::size_t duplicates(const Names& names) {
    std::vector<std::size_t> hashes;
    std::ranges::transform(names, std::back_inserter(hashes), std::hash<std::u32string_view>());
    std::ranges::sort(hashes);
    return std::ranges::unique(hashes).size();
}

// What may be a mistake in the names: sentences.
void remark_on_names(const Names& names, std::vector<std::string>& sentences) {
    constexpr std::size_t kMany = 10;  // one in so many names
    const auto is_blank = [](char32_t c) { return c == U' ' || c == U'\u00a0' || c == U'\u3000'; };
    const auto blanks = static_cast<std::size_t>(std::ranges::count_if(
        names, [&](std::u32string_view name) { return is_blank(name.front()) || is_blank(name.back()); }));
    const auto commas = static_cast<std::size_t>(std::ranges::count_if(
        names, [](std::u32string_view name) { return name.find(U',') != std::u32string_view::npos; }));
    if (blanks > 0) {
        sentences.push_back(count(blanks, "name") + (blanks == 1 ? " begins or ends" : " begin or end") +
                            " with a blank, which is a character of the name");
    }
    if (2 * commas >= names.size()) {
        sentences.push_back(count(commas, "name") + (commas == 1 ? " has" : " have") +
                            " a comma; if this is CSV, cut -d, -f1 takes its first column");
    }
    if (const std::size_t twice = duplicates(names); kMany * twice >= names.size()) {
        sentences.push_back(std::to_string(twice) + " of " + count(names.size(), "name") +
                            (twice == 1 ? " repeats" : " repeat") + " an earlier one");
    }
}

}  // namespace

NamesFile read_names(const std::string& path, const BadLines& bad) {
    return parse_names(read_text(path, kLargest), path, bad);
}

NamesFile parse_names(std::string_view bytes, const std::string& path, const BadLines& bad) {
    return NamesReader(bytes, path, bad).read();
}

std::vector<std::string> remarks(const NamesFile& file) {
    std::vector<std::string> sentences;
    if (file.byte_order_mark) {
        sentences.emplace_back("the byte order mark at the start was skipped");
    }
    if (file.empty_lines > 0) {
        sentences.push_back(count(file.empty_lines, "empty line") + was_or_were(file.empty_lines) + " skipped");
    }
    if (file.bad_lines > 0) {
        sentences.push_back(bad_lines(file) + was_or_were(file.bad_lines) + " left out");
    }
    if (file.carriage_returns > 0) {
        sentences.push_back(count(file.carriage_returns, "line") + (file.carriage_returns == 1 ? " ends" : " end") +
                            " in CR LF; the CR was left out");
    }
    if (file.last_newline_missing) {
        sentences.emplace_back("the last line has no newline; it was read like the others");
    }
    remark_on_names(file.names, sentences);
    return sentences;
}

}  // namespace byhand

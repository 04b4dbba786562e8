// A file of names, one per line, in UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "names/vocabulary.h"

namespace byhand {

struct NamesFile {
    Names names;                                        // in the order of the file, with duplicates
    std::shared_ptr<const std::vector<char32_t>> text;  // all of their characters
    std::uint64_t hash = 0;                             // FNV-1a of the file's bytes
    std::size_t empty_lines = 0;                        // skipped
    std::size_t carriage_returns = 0;                   // lines that ended in CR LF
    bool byte_order_mark = false;                       // at the start, skipped
    bool last_newline_missing = false;
    char32_t mark = U'.';
    std::size_t bad_lines = 0;                 // that contain the mark, left out
    std::vector<std::size_t> first_bad_lines;  // the numbers of the first three, from 1
};

// The character that marks where a name begins and ends, and what to do with lines that contain it: refuse the file, or
// leave them out.
struct BadLines {
    bool skip = false;
    std::optional<std::uint64_t> skip_in = std::nullopt;  // also of the file with this hash
    char32_t mark = U'.';
};

// Reads and checks the whole file. Throws InputError, with file and line, if it is missing, a folder, not a regular
// file, not readable or larger than 40 MB, if it contains no name, and if a line is not UTF-8, contains a control
// character (including NUL), is longer than 1 KiB (without its CR LF), is preceded by 5 million others, or has the
// 65,537th distinct character; and for bad lines, with their number and the first three.
NamesFile read_names(const std::string& path, const BadLines& bad = {});

// The same from bytes already in memory; `path` is only for messages.
NamesFile parse_names(std::string_view bytes, const std::string& path, const BadLines& bad = {});

// One sentence for each irregularity that was handled ("3 empty lines were skipped"), or that the names have: blanks at
// an end, many duplicates, commas. For a message to the user.
std::vector<std::string> remarks(const NamesFile& file);

}  // namespace byhand

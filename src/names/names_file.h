// A file of names, one a line, in UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace byhand {

struct NamesFile {
    std::vector<std::u32string> names;  // in the order of the file, repeats kept
    std::uint64_t hash = 0;             // FNV-1a of the file's bytes
    std::size_t empty_lines = 0;        // skipped
    std::size_t carriage_returns = 0;   // lines that ended in CR LF
    bool last_newline_missing = false;
};

// Reads and checks the whole file. Throws InputError, with file and line, where it is missing, a folder or not a
// regular file, empty, not UTF-8, holds a NUL, another control character or a '.' in a name, a line over 1 KiB or more
// than 5 million lines.
NamesFile read_names(const std::string& path);

// The same from bytes already in memory; `path` is only for messages.
NamesFile parse_names(std::string_view bytes, const std::string& path);

// One sentence a peculiarity that was handled ("3 empty lines skipped"), for a message to the user.
std::vector<std::string> remarks(const NamesFile& file);

}  // namespace byhand

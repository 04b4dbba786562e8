// Files that come with the program, and reading and writing whole ones.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "cli/file_path.h"

namespace byhand::cli {

// The path of a file that is shipped ("data/names.txt"): beside the installed program, else in the source tree.
std::string shipped(const std::string& name);

// The names of the shipped recipes, sorted.
std::vector<std::string> shipped_recipes();

// The whole file, at most `limit` bytes. Throws InputError: larger, or as open_regular does.
std::string read_text(const std::string& path, std::size_t limit);

// Whether both paths lead to one file, through links too, or will once it is made.
bool same_file(const std::string& a, const std::string& b);

// The file that a text goes to at the end of long work. It is replaced as a whole, through a link too; a device or a
// pipe is written into.
class TextFile {
public:
    // Throws InputError where nothing can be written there, as far as can be told before: no folder or no permission,
    // or a pipe that nobody reads.
    explicit TextFile(const OutputPath& path);

    // Throws InputError where it fails.
    void write(std::string_view text) const;

private:
    std::string path_;
    std::optional<Descriptor> stream_;  // the device or pipe
};

}  // namespace byhand::cli

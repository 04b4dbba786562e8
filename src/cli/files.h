// Shipped files; reading and writing whole files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "cli/options.h"

namespace byhand::cli {

// The path of a shipped file ("data/names.txt"): beside the installed program, else in the source tree.
std::string shipped(const std::string& name);

// The names of the shipped recipes, sorted.
std::vector<std::string> shipped_recipes();

// A new, empty folder among the temporary files, removed at the end.
class TemporaryFolder {
public:
    // `what` names its contents in messages. Throws InputError.
    explicit TemporaryFolder(const std::string& what);
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code error;
        std::filesystem::remove_all(path_, error);
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

// Whether both paths name the same file, links followed, or will once it exists.
bool same_file(const std::string& a, const std::string& b);

// A file that is written at the end of long work. It is replaced as a whole, links followed; a device or a pipe is
// written to.
class TextFile {
public:
    // Throws InputError if the file can't be written, as far as is known before: no folder, no permission, a pipe
    // without a reader.
    explicit TextFile(const OutputPath& path);

    // Throws InputError if it fails.
    void write(std::string_view text) const;

private:
    std::string path_;
    std::optional<Descriptor> stream_;  // the device or pipe
};

// None if the path is empty.
std::optional<TextFile> text_file(const OutputPath& path);

// ---- Files named twice on the command line ----

struct NamedFile {
    std::string option, path;
    FileUse use;
};

// `files`: the files of a command. Throws InputError if the command would write a file that it reads, that is shipped
// with byhand, or that it also writes otherwise (standard output included); links are followed. `--resume FILE --save
// FILE` is not a collision: the training continues in that file.
void refuse_collisions(const std::vector<NamedFile>& files);

}  // namespace byhand::cli

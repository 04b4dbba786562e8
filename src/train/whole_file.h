// Files that are there whole or not at all: written without a name where the file system has that, else beside their
// place, flushed to the disk and then renamed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/file.h"

namespace byhand {

// Before long work: throws InputError where no file can be made or replaced there, as far as can be told.
void check_place(const std::string& path);

// A new file beside the one to be written, gone again unless it is put in that one's place. Through a symbolic link
// the file it leads to is replaced. A process that is killed leaves nothing, or .byhand.PID.N.tmp, which the next file
// made in the folder removes. All throw InputError that begins with the path where the system refuses.
class WholeFile {
public:
    explicit WholeFile(const std::string& path);
    WholeFile(const WholeFile&) = delete;
    WholeFile(WholeFile&&) = delete;
    WholeFile& operator=(const WholeFile&) = delete;
    WholeFile& operator=(WholeFile&&) = delete;
    ~WholeFile();

    void write(const void* data, std::uint64_t size);

    // Makes the file last, then gives it its name, then makes that last; where this last one fails, the error says that
    // the new file stands.
    void put_in_place();

private:
    [[noreturn]] void fail() const;
    Descriptor create();
    Descriptor create_named();
    Descriptor prepared(Descriptor file) const;
    void give_name();
    // What `make` returns for the first temporary name that is free, then in `name_`; -1, with errno, where it fails.
    int try_names(const std::function<int(const char* name)>& make);

    std::filesystem::path target_;
    std::string name_;  // of the temporary file; empty: it has none
    Descriptor descriptor_;
};

}  // namespace byhand

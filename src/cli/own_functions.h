// Functions of somebody's own: the file that he writes, and the library that it becomes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "cli/file_path.h"
#include "cli/interrupt.h"
#include "exercise/build.h"

namespace byhand::cli {

struct OwnFunctions {
    InputPath file;  // a source, or a shared library (.so); empty: the source that is shipped, with nothing in it yet
    std::string flags;  // options for the compiler, with spaces between

    std::string path() const;
    std::string shown() const;  // the path in a report: from the current folder on, where the file is in there
    bool is_library() const;
};

// The library, which is there for as long as this lives: built in a folder of its own, or the one that was given.
// Throws InputError where it can't be built. A signal meanwhile leaves a mark (cli/interrupt.h), which ends the program
// when the folder is gone. `meanwhile` is called while the compiler runs, if it does; it must not throw.
class Library {
public:
    Library(const OwnFunctions& own, exercise::Sanitizer sanitizer, const std::function<void()>& meanwhile = {});
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    const std::string& path() const { return path_; }
    const InterruptWatch& signals() const { return signals_; }

    // It has been opened: the file is not needed any more, and a signal ends the program as ever.
    void is_open();

private:
    void remove();

    InterruptWatch signals_;
    std::filesystem::path folder_;  // empty where nothing was built
    std::string path_;
};

// "exercise/backward.cpp:31", where the function of that label begins, or where it is handed over, if it is called
// otherwise; only the file where that does not tell. From the current folder on, where the file is in there.
std::string place_of(const std::string& label, const std::string& file);

// Runs this command again with `--built` and the library, in a process that loads the sanitizer before all else.
// Returns its exit code. Throws InputError where the compiler has no such sanitizer.
int run_again_sanitized(const Library& library, exercise::Sanitizer sanitizer);

}  // namespace byhand::cli

// The user's functions: their file, the library built from it, the model that trains by them, and hints.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/network.h"
#include "base/source_line.h"
#include "cli/files.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "foreign/exercise/build.h"
#include "train/run.h"

namespace byhand::cli {

struct OwnFunctions {
    InputPath file;     // a source or a shared library (.so); empty: the shipped source, with empty functions
    std::string flags;  // compiler options, separated by spaces

    std::string path() const;
    std::string shown() const;  // the path in a report: relative to the current folder, if the file is in it
    bool is_library() const;
};

// The library, built in a temporary folder that exists during the object's lifetime, or the user's own. Throws
// InputError if it can't be built. A signal sets a mark (cli/interrupt.h), which ends the program when the folder is
// removed. `meanwhile` is called while the compiler runs, if it does; it must not throw.
class Library {
public:
    Library(const OwnFunctions& own, exercise::Sanitizer sanitizer, const std::function<void()>& meanwhile = {});
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    const std::string& path() const { return path_; }
    const InterruptWatch& signals() const { return signals_; }

    // The library is loaded: its file is no longer needed, and a signal ends the program as usual.
    void is_open();

private:
    void remove();

    InterruptWatch signals_;
    std::optional<TemporaryFolder> folder_;  // none if nothing was built
    std::string path_;
};

// The model that trains with the functions of that file. Notes on stderr those that are left out, and those that byhand
// exercise --quick calls wrong.
std::unique_ptr<Trainable> own_model_of(const OwnFunctions& own, const Run& run);

// Where the function that is added by that label begins, as "exercise/backward.cpp:31", and its lines that write to
// `out`; if it is not found, the line where it is added; only the file if neither is. Relative to the current folder,
// if the file is in it.
SourceLine source_of_own(const std::string& label, const std::string& file);

// Runs this command again with `--built` and the library, in a process that loads the sanitizer first. Returns its exit
// code. Throws InputError if the compiler lacks the sanitizer.
int run_again_sanitized(const Library& library, exercise::Sanitizer sanitizer);

// ---- Hints for writing a gradient, in three levels ----

// For "dbnvar" its meaning and what it reads; for "dbnvar:2" also the rule, for "dbnvar:3" also the formula;
// "dlogits_in_one:2" is the same for a fused formula. Throws InputError for a name that is not a gradient of the
// network with `rows` rows (and suggests the nearest), and for another level.
std::string hint(const std::string& asked, const NetworkConfig& network, std::size_t rows);

// ---- Running a command again whenever a file is saved ----

// Runs this program with these words (words[0] is ignored), and again on every change of the file, until a signal
// arrives. Clears a terminal before each run. Returns the exit code of an interrupted program.
int run_on_every_save(const std::string& file, std::vector<std::string> words);

}  // namespace byhand::cli

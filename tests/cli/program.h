// The real program, run as its users run it: arguments in; standard output, standard error and exit code out.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "base/source_file.h"
#include "base/temporary_folder.h"
#include "base/text.h"

namespace cli_test {

// The program under test: what the environment's BYHAND_PROGRAM names, or the build's.
const std::string& byhand_program();

// Whether LibTorch's module is installed beside it.
bool with_torch();

// The words of a command line: a list of them, or a line in which blanks separate them.
class Arguments : public std::vector<std::string> {
public:
    using vector::vector;
    Arguments(const std::string& line);                            // NOLINT(google-explicit-constructor)
    Arguments(const char* line) : Arguments(std::string(line)) {}  // NOLINT(google-explicit-constructor)
};
using Environment = std::map<std::string, std::string>;  // set on top of what the test has

Arguments operator+(Arguments a, const Arguments& b);

using byhand::Json;
using temporary::Folder;
using text::contains;
using text::lines_of;
using text::parsed_json;
using text::source_file;
using text::source_path;
using text::test_recipe;

struct Outcome {
    int code = 0;  // of the exit, or 128 + the signal that ended it
    std::string out;
    std::string err;
    double cpu_seconds = 0;        // that it took, user and system
    std::uint64_t peak_bytes = 0;  // of memory
};

// Waits until it holds. False if `limit` passes before.
bool waits_until(const std::function<bool()>& holds, std::chrono::seconds limit = std::chrono::seconds(120));

// A program that runs, with `folder` as its working folder. Its output goes to files that are not in there.
class Process {
public:
    Process(const Folder& folder, const std::string& program, const Arguments& arguments,
            const Environment& environment);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();  // ends it where it still runs

    // What it has written to standard error so far.
    std::string err() const { return outputs_.read("err"); }
    // Waits until it has written `text` there. False when the program ends or `limit` passes before.
    bool says(const std::string& text, std::chrono::seconds limit = std::chrono::seconds(120));
    void signal(int number) const;
    pid_t id() const { return pid_; }
    // A program that is not at its end after `limit` is killed: code 137.
    Outcome wait(std::chrono::seconds limit = std::chrono::hours(1));
    bool ended();

private:
    Folder outputs_;
    pid_t pid_ = -1;
    int status_ = 0;
    struct rusage used_ = {};
    bool ended_ = false;
};

// byhand ARGUMENTS…, to its end.
Outcome byhand(const Folder& folder, const Arguments& arguments, const Environment& environment = {});

// The same, which must end with exit code 0.
Outcome succeeds(const Folder& folder, const Arguments& arguments, const Environment& environment = {});

// The same after a line of shell, which may set limits or close streams; it must not change the folder.
Outcome byhand_under(const Folder& folder, const std::string& shell, const Arguments& arguments);

// The same with a terminal for standard output, and for standard error where `err_too`; `out` is what came through it.
// Its width is `columns`, or not known where that is 0.
Outcome byhand_on_terminal(const Folder& folder, const Arguments& arguments, const Environment& environment = {},
                           bool err_too = false, unsigned short columns = 0);

// The models that can be trained here, fused first.
std::vector<std::string> models();

// Skips the test if LibTorch is missing.
void need_torch();

// Succeeds or fails the test with what the program said; returns its standard output as JSON.
Json json_of(const Outcome& outcome);

// The text with another part in the place of this one, which it must have.
std::string exchanged(std::string text, const std::string& part, const std::string& other);

std::size_t times(const std::string& text, const std::string& part);

// Exit code 2, nothing on standard output, and one line on standard error that has `what` in it.
void check_refused(const Outcome& outcome, const std::string& what);

struct Refusal {
    Arguments command;
    std::string what;
};
void check_refused(const Folder& folder, const std::vector<Refusal>& all);

}  // namespace cli_test

// The command line: commands, their options, and what runs when one is chosen. CLI11 does the work, behind this header
// and in options.cpp only: each file that includes it takes several seconds more to compile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace byhand::cli {

struct CommandState;

// A path on the command line. An option of one of these types protects its file: see files.h.
enum class FileUse { reads, writes };

template <FileUse kUse>
struct FilePath {
    std::string path;

    FilePath() = default;
    FilePath(std::string text) : path(std::move(text)) {}  // NOLINT(google-explicit-constructor)
    FilePath(const char* text) : path(text) {}             // NOLINT(google-explicit-constructor)
    operator const std::string&() const { return path; }   // NOLINT(google-explicit-constructor)
    bool empty() const { return path.empty(); }
};

using InputPath = FilePath<FileUse::reads>;  // or the name of a shipped recipe
using OutputPath = FilePath<FileUse::writes>;

// One option of a command. Each function returns the option itself. Checks run in the order in which they are added;
// each refuses the command line with a message that names the option.
class Option {
public:
    using Words = std::function<std::vector<std::string>()>;

    Option(CLI::Option& option, CommandState& state) : option_(&option), state_(&state) {}

    Option& whole_number(std::uint64_t least, std::uint64_t most = std::numeric_limits<std::uint64_t>::max());
    Option& whole_number_or(const std::string& word, std::uint64_t least, std::uint64_t most);
    Option& number(double least, double most);  // finite, from `least` to `most`
    Option& one_of(const std::vector<std::string>& words);
    Option& not_empty();
    Option& list();  // values separated by commas
    Option& required();
    Option& excludes(const Option& other);
    Option& needs(const Option& other);
    Option& each(std::function<void(const std::string&)> visit);  // runs for each value, after the checks
    Option& completes(Words words);  // values that a shell offers; one_of() sets them as well

    Option& shows_default();  // in the help: the present value of the variable
    Option& shows_default(const std::string& text);
    Option& group(const std::string& name);  // in the help; an empty name hides the option

private:
    CLI::Option* option_;
    CommandState* state_;
};

// Options of a repeated command line whose values differ from the given ones, by name ("--seed"): another value, or
// none to leave the option out.
using Overrides = std::vector<std::pair<std::string, std::optional<std::string>>>;

// A command, or the program itself. A handle: copies refer to the same command.
class Command {
public:
    Command(CLI::App& app, CommandState& state) : app_(&app), state_(&state) {}

    Command add_command(const std::string& name, const std::string& about) const;
    // The same command, whose options from here on belong to that group of the help.
    Command in_group(const std::string& name) const;

    // T: std::string, std::size_t, double, InputPath, OutputPath; std::optional or std::vector of one of these. The
    // variable must outlive parsing. A vector takes the option several times.
    template <class T>
    Option option(const std::string& name, T& value, const std::string& about) const;
    Option flag(const std::string& name, bool& value, const std::string& about) const;
    Option option_named(const std::string& name) const;
    void remove(const std::string& name) const;

    void footer(const std::string& text) const;  // of the help
    void takes_any_words() const;                // instead of rejecting words that belong to no option
    void takes_one_command() const;              // at most
    std::vector<std::string> command_names() const;
    void on_run(std::function<int()> run) const;  // called when the command line is read; returns the exit code

    // After parsing: whether the option was given, the words that belong to no option, whether a subcommand is chosen.
    bool given(const std::string& name) const;
    std::vector<std::string> other_words() const;
    bool has_chosen_command() const;

    // After parsing: " --name value" for each option that was given, in the order of the help, quoted for a shell.
    // `overrides` replace, add or leave out options; `without_group` leaves out a whole group.
    std::string replay(const Overrides& overrides, const std::string& without_group = "-") const;
    // The same of one group of options, for a command that shares them.
    std::string replay_group(const std::string& group) const;

private:
    Option added(CLI::Option& option) const;

    CLI::App* app_;
    CommandState* state_;
    std::string group_;
};

// A program: its commands, and reading the command line.
class Program {
public:
    Program(const std::string& name, const std::string& about);
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program();

    const Command& root() const { return root_; }

    // Reads the command line, runs the command that it names and returns its exit code. --help and --version print to
    // standard output. With BYHAND_COMPLETE in the environment, prints the words that may be the last one of the
    // command line instead, and with BYHAND_MAN the manual page (completion.h). Throws InputError for bad usage, and
    // whatever the command throws.
    int run(int argc, const char* const* argv);

private:
    std::unique_ptr<CLI::App> app_;
    std::unique_ptr<CommandState> state_;
    Command root_;
};

}  // namespace byhand::cli

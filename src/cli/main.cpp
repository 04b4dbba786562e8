#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/run_program.h"

namespace {

using namespace byhand::cli;

// A command that is a separate program beside this one, so that the others are built and started without it.
struct ExternalCommand {
    const char* name;
    const char* about;
    const char* program;
};
constexpr ExternalCommand kExternal[] = {{"lab", kLabAbout, "byhand-lab"}, {"bench", kBenchAbout, "byhand-bench"}};

// Replaces this program by `program`. Throws InputError if it is missing.
void become(const char* program, const std::vector<char*>& argv) {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::string path = (self.parent_path() / program).string();
    ::execv(path.c_str(), argv.data());
    throw byhand::InputError(path + ": can't be started: " + byhand::reason() + "; build the target " + program);
}

void run_external(int argc, char** argv) {
    std::vector<char*> words(argv, argv + argc + 1);  // the null at the end too
    const auto is_help = [](std::string_view word) { return word == "--help" || word == "-h"; };
    const auto word = std::find_if_not(words.begin() + 1, words.end() - 1, is_help);
    for (const ExternalCommand& external : kExternal) {
        if (*word != nullptr && std::string_view(*word) == external.name) {
            words.erase(word);
            become(external.program, words);
        }
    }
}

// `byhand help COMMAND` is `byhand COMMAND --help`, except for completion in a shell.
std::vector<char*> with_help_as_option(int argc, char** argv) {
    static char option[] = "--help";
    std::vector<char*> words(argv, argv + argc);
    if (argc > 1 && std::string_view(argv[1]) == "help" && std::getenv("BYHAND_COMPLETE") == nullptr) {
        words.erase(words.begin() + 1);
        words.push_back(option);
    }
    words.push_back(nullptr);
    return words;
}

void add_commands(const Command& program) {
    add_compare(program);
    add_mistakes(program);
    add_train(program);
    add_eval(program);
    add_sample(program);
    add_gradcheck(program);
    add_exercise(program);
    for (const ExternalCommand& external : kExternal) {
        program.add_command(external.name, external.about);
    }
    add_explain(program);
    add_diff(program);
    add_recipes(program);
    add_completion(program);
    // For the list of commands: see with_help_as_option().
    auto words = std::make_shared<std::vector<std::string>>();
    program.add_command("help", "List the commands, or the options of a command")
        .option("COMMAND", *words, "A command, as compare or lab padding")
        .completes([names = program.command_names()] { return names; });
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<char*> words = with_help_as_option(argc, argv);
    const int count = static_cast<int>(words.size()) - 1;
    return run_program(count, words.data(), [&](const Command& program) {
        run_external(count, words.data());
        add_commands(program);
    });
}

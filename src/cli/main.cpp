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
#include "cli/modules.h"

namespace {

using namespace byhand::cli;

// A command of a module, which may be missing.
struct ModuleCommand {
    const char *name = nullptr, *about = nullptr, *module = nullptr;
    bool is_built = false;
    // It is a separate program beside this one, so that the others are built and started without it. Else null.
    const char* program = nullptr;
};
constexpr ModuleCommand kOfModules[] = {{"mistakes", kMistakesAbout, "checks", kHasChecks},
                                        {"gradcheck", kGradcheckAbout, "checks", kHasChecks},
                                        {"diff", kDiffAbout, "checks", kHasChecks},
                                        {"trace", kTraceAbout, "trace", kHasTrace},
                                        {"exercise", kExerciseAbout, "foreign", kHasForeign},
                                        {"lab", kLabAbout, "lab", kHasLab, "byhand-lab"},
                                        {"bench", kBenchAbout, "bench", kHasBench, "byhand-bench"}};

// Replaces this program by `program`. Throws InputError if it is missing.
void become(const char* program, const std::vector<char*>& argv) {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::string path = (self.parent_path() / program).string();
    ::execv(path.c_str(), argv.data());
    throw byhand::InputError(path + ": can't be started: " + byhand::reason() + "; build the target " + program);
}

// Replaces this program by that of the command, if it is a program of its own. Throws InputError if its module is
// missing.
void run_of_module(int argc, char** argv) {
    std::vector<char*> words(argv, argv + argc + 1);  // the null at the end too
    const auto is_help = [](std::string_view word) { return word == "--help" || word == "-h"; };
    const auto word = std::find_if_not(words.begin() + 1, words.end() - 1, is_help);
    for (const ModuleCommand& command : kOfModules) {
        if (*word == nullptr || std::string_view(*word) != command.name) {
            continue;
        }
        if (!command.is_built) {
            throw byhand::InputError(std::string("byhand ") + command.name + " belongs to the module " +
                                     command.module +
                                     ", which this program is built without (BYHAND_MODULES of CMake)");
        }
        if (command.program != nullptr) {
            words.erase(word);
            become(command.program, words);
        }
    }
}

// Lists a command of a module, which run_of_module() runs or refuses.
void list(const Command& program, const char* name) {
    const auto* const command =
        std::ranges::find_if(kOfModules, [&](const ModuleCommand& one) { return std::string_view(one.name) == name; });
    program.add_command(command->name, command->about);
}

// Registers a command of a module with add_it(program), which is compiled only if the module is there; else lists it.
template <bool kIsBuilt>
void add(const Command& program, const char* name, const auto& add_it) {
    if constexpr (kIsBuilt) {
        add_it(program);
    } else {
        list(program, name);
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
    add<kHasChecks>(program, "mistakes", [](const auto& to) { add_mistakes(to); });
    add_train(program);
    add_eval(program);
    add_sample(program);
    add<kHasChecks>(program, "gradcheck", [](const auto& to) { add_gradcheck(to); });
    add<kHasForeign>(program, "exercise", [](const auto& to) { add_exercise(to); });
    list(program, "lab");
    list(program, "bench");
    add_explain(program);
    add<kHasChecks>(program, "diff", [](const auto& to) { add_diff(to); });
    add<kHasTrace>(program, "trace", [](const auto& to) { add_trace(to); });
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
        run_of_module(count, words.data());
        add_commands(program);
    });
}

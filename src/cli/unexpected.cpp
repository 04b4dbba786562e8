#include "cli/unexpected.h"

#include <fmt/core.h>

#include <algorithm>
#include <ranges>
#include <string>
#include <vector>

#include "base/nearest.h"
#include "cli/shell_words.h"

namespace byhand::cli {
namespace {

std::vector<std::string> commands_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    return names;
}

// Those that help tells of.
std::vector<std::string> flags_of(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::Option* option :
         command.get_options([](const CLI::Option* one) { return !one->get_group().empty(); })) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
        for (const std::string& name : option->get_snames()) {
            names.push_back("-" + name);
        }
    }
    return names;
}

// The commands that were chosen, as lab and its experiment, under `app` itself.
std::vector<const CLI::App*> chosen_in(const CLI::App& app) {
    std::vector<const CLI::App*> chain = {&app};
    for (std::vector<CLI::App*> next = app.get_subcommands(); !next.empty(); next = next.front()->get_subcommands()) {
        chain.push_back(next.front());
    }
    return chain;
}

// After a "--" a command hands its words back to the one above it.
std::string first_left_over(const std::vector<const CLI::App*>& chain) {
    for (const CLI::App* command : chain) {
        for (const std::string& word : command->remaining()) {
            if (word != "--") {
                return word;
            }
        }
    }
    return "--";
}

}  // namespace

std::string unexpected(const CLI::App& app) {
    const std::vector<const CLI::App*> chain = chosen_in(app);
    const std::string word = first_left_over(chain);
    const bool is_flag = word.starts_with('-');
    if (chain.size() == 1) {
        return is_flag ? fmt::format("{} stands where a command is to be; byhand --help lists them", word)
                       : fmt::format("there is no command {}; the nearest is {} (byhand --help lists them)",
                                     quoted(word), nearest(word, commands_of(app)));
    }
    std::string command;
    for (const CLI::App* one : chain | std::views::drop(1)) {
        command += (command.empty() ? "" : " ") + one->get_name();
    }
    if (!is_flag) {
        return fmt::format("{0} has no use for {1}; byhand {0} --help says what it takes", command, quoted(word));
    }
    const std::string flag = word.substr(0, word.find('='));
    const std::vector<std::string> flags = flags_of(*chain.back());
    if (std::ranges::find(flags, flag) != flags.end()) {
        return fmt::format("{1} stands in the wrong place; byhand {0} {1} is the order", command, flag);
    }
    return fmt::format("{0} has no {1}; the nearest is {2} (byhand {0} --help lists them)", command, flag,
                       nearest(flag, flags));
}

}  // namespace byhand::cli

#include "cli/completion.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "byhand/version.h"
#include "cli/commands.h"

namespace byhand::cli {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

namespace {

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
    return app.get_options([](const CLI::Option* option) { return !option->get_group().empty(); });
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
}

// The option of that name, or null.
const CLI::Option* find_option(const CLI::App& app, const std::string& name) {
    const std::vector<const CLI::Option*> all = options_of(app);
    const auto found = std::ranges::find_if(all, [&](const CLI::Option* option) { return option->check_name(name); });
    return found != all.end() && name.starts_with("-") ? *found : nullptr;
}

std::vector<std::string> values_of(const CLI::Option& option, const CommandState& state) {
    const auto words = state.words.find(&option);
    return words == state.words.end() ? std::vector<std::string>() : words->second();
}

// Special characters of troff: a backslash, a hyphen, and a control character at the beginning of a line.
std::string in_troff(const std::string& text) {
    std::string escaped;
    for (const char letter : text) {
        if (letter == '\\' || letter == '-') {
            escaped += '\\';
        }
        escaped += letter;
        if (letter == '\\') {
            escaped.back() = 'e';
        }
    }
    return escaped.starts_with('.') || escaped.starts_with('\'') ? "\\&" + escaped : escaped;
}

constexpr const char* kLastSections = R"(.SH EXIT STATUS
.TP
.B 0
all is well
.TP
.B 1
what is compared does not agree, or training met a value that is not finite
.TP
.B 2
bad usage or bad input; one line on standard error says what, where and what to do
.TP
.B 129, 130, 143
ended by SIGHUP, SIGINT (Ctrl\-C) or SIGTERM; train saves the model first
.SH ENVIRONMENT
.TP
.B NO_COLOR
if set and not empty, no colours; nor if TERM is dumb
.TP
.B COLUMNS
the width of tables, instead of the terminal's
.TP
.B CXX, CXXFLAGS
the compiler of exercise and train \-\-model exercise, and its options
.TP
.B TMPDIR
the folder of temporary files [/tmp]
.TP
.B RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT
set by a launcher such as torchrun: the process is one of several ranks; those of Open MPI, PMI and SLURM are read, too
.SH EXAMPLES
.TP
.B byhand compare
compare every value and gradient of a training step with LibTorch's
.TP
.B byhand compare \-\-plant dvar\-path\-forgotten
plant a mistake and find it
.TP
.B byhand exercise backward.cpp
check your own backward pass, function by function
.TP
.B byhand exercise \-\-hint dbnvar:2
what the gradient reads, and its rule
.TP
.B byhand explain dbnvar
formula, code and numbers of a gradient
.TP
.B byhand train \-\-steps 20000 \-\-save names.safetensors
train the hand\-written network on names
.TP
.B byhand sample names.safetensors \-n 5 \-\-prefix al
generate five names that begin with al
)";

std::string options_in_troff(const CLI::App& app) {
    std::string text;
    for (const CLI::Option* option : options_of(app)) {
        const std::string value = takes_value(*option) ? " " + option->get_type_name() : "";
        text += fmt::format(".TP\n.B {}\n{}\n", in_troff(option->get_name(option->get_positional(), true) + value),
                            in_troff(option->get_description()));
    }
    return text;
}

// A command and its own commands, a section each.
std::string command_in_troff(const CLI::App& command, const std::string& of) {
    const std::string name = of + " " + command.get_name();
    std::string text =
        fmt::format(".SH {}\n{}\n{}", in_troff(name), in_troff(command.get_description()), options_in_troff(command));
    for (const CLI::App* one : commands_of(command)) {
        text += command_in_troff(*one, name);
    }
    return text;
}

}  // namespace

std::vector<std::string> completions(const CLI::App& app, const CommandState& state,
                                     const std::vector<std::string>& words) {
    if (words.empty()) {
        return {};
    }
    const CLI::App* command = &app;
    const CLI::Option* before = nullptr;  // the option whose value is next
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        const std::vector<const CLI::App*> all = commands_of(*command);
        const auto next = std::ranges::find(all, words[i], [](const CLI::App* one) { return one->get_name(); });
        if (before == nullptr && next != all.end()) {
            command = *next;
            continue;
        }
        const CLI::Option* option = find_option(*command, words[i]);
        before = option != nullptr && takes_value(*option) ? option : nullptr;
    }
    std::vector<std::string> all;
    const auto append = [&](const std::vector<std::string>& more) { all.insert(all.end(), more.begin(), more.end()); };
    if (before != nullptr) {
        append(values_of(*before, state));
    } else {
        for (const CLI::App* one : commands_of(*command)) {
            all.push_back(one->get_name());
        }
        for (const CLI::Option* option : options_of(*command)) {
            if (option->get_positional()) {
                append(values_of(*option, state));
            }
            for (const std::string& name : option->get_lnames()) {
                all.push_back("--" + name);
            }
        }
    }
    std::erase_if(all, [&](const std::string& word) {
        const bool is_option = word.starts_with("--");
        return !word.starts_with(words.back()) || (is_option && words.back().empty());
    });
    return all;
}

std::string manual_page(const CLI::App& app) {
    const std::vector<const CLI::App*> all = commands_of(app);
    // A program of one command is a part of byhand: byhand-lab.
    const std::string name = all.size() == 1 ? app.get_name() + "-" + all.front()->get_name() : app.get_name();
    const std::string about = all.size() == 1 ? all.front()->get_description() : app.get_description();
    std::string text = fmt::format(".TH {} 1 \"\" \"byhand {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n", name,
                                   kVersion, in_troff(name), in_troff(about));
    text += fmt::format(".SH SYNOPSIS\n.B {}\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH OPTIONS\n{}",
                        in_troff(app.get_name()), options_in_troff(app));
    for (const CLI::App* command : all) {
        text += command_in_troff(*command, app.get_name());
    }
    return text + kLastSections;
}

std::string completion_script(const std::string& shell) {
    if (shell == "bash") {
        return R"sh(# bash completion for byhand: eval "$(byhand completion bash)"
_byhand() {
    local IFS=$'\n'
    COMPREPLY=($(BYHAND_COMPLETE=1 "${COMP_WORDS[@]:0:COMP_CWORD}" "${COMP_WORDS[COMP_CWORD]}" 2>/dev/null))
}
complete -o default -F _byhand byhand
)sh";
    }
    if (shell == "zsh") {
        return R"sh(#compdef byhand
# zsh completion for byhand: eval "$(byhand completion zsh)"
_byhand() {
    local output
    output=$(BYHAND_COMPLETE=1 "$words[1]" "${(@)words[2,CURRENT]}" 2>/dev/null)
    if [[ -n $output ]]; then compadd -- ${(f)output}; else _files; fi
}
if [[ $funcstack[1] == _byhand ]]; then _byhand; else compdef _byhand byhand; fi
)sh";
    }
    return R"sh(# fish completion for byhand: byhand completion fish | source
function __byhand_complete
    set -l words (commandline -opc)
    env BYHAND_COMPLETE=1 $words (commandline -ct) 2>/dev/null
end
complete -c byhand -f -a '(__byhand_complete)'
complete -c byhand -F -n 'not count (__byhand_complete) >/dev/null'
)sh";
}

void add_completion(const Command& program) {
    const Command command =
        program.add_command("completion", "Print what a shell needs to complete commands and options");
    const auto shell = std::make_shared<std::string>();
    command.option("SHELL", *shell, "bash, zsh or fish").required().one_of({"bash", "zsh", "fish"});
    command.footer("Try it in this shell:\n  eval \"$(byhand completion bash)\"\n  byhand completion fish | source");
    command.on_run([shell] {
        fmt::print("{}", completion_script(*shell));
        return kFine;
    });
}

}  // namespace byhand::cli

#include "cli/options.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>

#include "base/error.h"
#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/files.h"
#include "cli/say.h"
#include "cli/shell_words.h"

namespace byhand::cli {

namespace {

// The element type of T, an optional or a vector, else T.
template <class T>
struct ElementType {
    using type = T;
};
template <class T>
struct ElementType<std::optional<T>> {
    using type = T;
};
template <class T>
struct ElementType<std::vector<T>> {
    using type = T;
};

void refuse_collisions(const CLI::App& command, const std::vector<CommandState::File>& files) {
    std::vector<NamedFile> named;
    for (const CLI::Option* option : command.get_options()) {
        const auto file = std::ranges::find(files, option, &CommandState::File::option);
        if (file != files.end()) {
            for (const std::string& path : option->results()) {
                named.push_back({option->get_name(), path, file->use});
            }
        }
    }
    byhand::cli::refuse_collisions(named);
}

// Runs for every command, after parsing.
void check_files(CLI::App& app, const CommandState& state) {
    for (CLI::App* command : app.get_subcommands({})) {
        command->parse_complete_callback([command, &state] { refuse_collisions(*command, state.files); });
        check_files(*command, state);
    }
}

// The first word that belongs to neither `app` nor its subcommand. After "--" a subcommand leaves its words to `app`.
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

// The message for that word, with a suggestion. `command` is the chosen one ("lab columns"; empty: none), `flags` are
// its options, `commands` those of the program.
std::string unexpected(const std::string& word, const std::string& command, const std::vector<std::string>& commands,
                       const std::vector<std::string>& flags) {
    const bool is_flag = word.starts_with('-');
    if (command.empty()) {
        return is_flag ? fmt::format("expected a command, not {}; byhand --help lists the commands", word)
                       : fmt::format("there is no command {}{} (byhand --help lists them)", quoted(word),
                                     the_nearest(word, commands));
    }
    if (!is_flag) {
        return fmt::format("{0}: unexpected argument {1}; see byhand {0} --help", command, quoted(word));
    }
    const std::string flag = word.substr(0, word.find('='));
    if (std::ranges::find(flags, flag) != flags.end()) {
        return fmt::format("{1} belongs after the command: byhand {0} {1}", command, flag);
    }
    return fmt::format("{0} has no {1}{2} (byhand {0} --help lists them)", command, flag, the_nearest(flag, flags));
}

// The message for an ExtrasError.
std::string unexpected_word(const CLI::App& app) {
    std::vector<const CLI::App*> chain = {&app};  // the program, its command, the command's own
    for (std::vector<CLI::App*> next = app.get_subcommands(); !next.empty(); next = next.front()->get_subcommands()) {
        chain.push_back(next.front());
    }
    std::vector<std::string> path, commands, flags;
    for (std::size_t i = 1; i < chain.size(); ++i) {
        path.push_back(chain[i]->get_name());
    }
    for (const CLI::App* command : commands_of(app)) {
        commands.push_back(command->get_name());
    }
    for (const CLI::Option* option :
         chain.back()->get_options([](const CLI::Option* one) { return !one->get_group().empty(); })) {
        for (const std::string& name : option->get_lnames()) {
            flags.push_back("--" + name);
        }
        for (const std::string& name : option->get_snames()) {
            flags.push_back("-" + name);
        }
    }
    return unexpected(first_left_over(chain), fmt::format("{}", fmt::join(path, " ")), commands, flags);
}

bool fits(const std::string& text, std::uint64_t least, std::uint64_t most) {
    const std::optional<std::uint64_t> value = parse_whole_number(text);
    return value && *value >= least && *value <= most;
}

// "a whole number from 1 to 256"
std::string number_in(std::uint64_t least, std::uint64_t most) {
    return most == std::numeric_limits<std::uint64_t>::max() ? fmt::format("a whole number of at least {}", least)
                                                             : fmt::format("a whole number from {} to {}", least, most);
}

// " --name value" of an option, quoted for a shell.
std::string in_words(const CLI::Option& option, const std::string& value) {
    const std::string name = option.get_positional() ? "" : " " + option.get_name();
    return option.get_items_expected_max() > 0 ? name + " " + cli::quoted(value) : name;  // a flag has no value
}

// The same of the given value; empty if there is none.
std::string as_given(const CLI::Option& option) {
    return option.count() > 0 ? in_words(option, fmt::format("{}", fmt::join(option.results(), ","))) : "";
}

// The chosen command and the command within it: "byhand lab padding".
std::string chosen_command(const CLI::App& app) {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    return app.get_name() + (chosen.empty() ? "" : " " + chosen_command(*chosen.front()));
}

// CLI11's message, or a clearer one.
std::string usage_error(const CLI::ParseError& error) {
    const std::string message = error.what(), excludes = " excludes ";
    if (const std::size_t at = message.find(excludes); at != std::string::npos) {
        return message.substr(0, at) + " can't be combined with " + message.substr(at + excludes.size());
    }
    const std::string option = message.substr(0, message.find(':'));
    if (message.ends_with(" missing")) {
        return option + ": the value is missing";
    }
    return message.find(": At Most 1 ") != std::string::npos ? option + " is given more than once" : message;
}

}  // namespace

Option& Option::whole_number(std::uint64_t least, std::uint64_t most) {
    option_->check([least, most](const std::string& text) {
        return fits(text, least, most) ? "" : fmt::format("expected {}, not {}", number_in(least, most), text);
    });
    return *this;
}

Option& Option::whole_number_or(const std::string& word, std::uint64_t least, std::uint64_t most) {
    option_->check([word, least, most](const std::string& text) {
        return text == word || fits(text, least, most)
                   ? ""
                   : fmt::format("expected {} or {}, not {}", word, number_in(least, most), text);
    });
    return completes([word] { return std::vector<std::string>{word}; });
}

Option& Option::number(double least, double most) {
    option_->check([least, most](const std::string& text) {
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = error == std::errc() && end == text.data() + text.size();
        const bool fits = whole && least <= value && value <= most;
        return fits ? "" : fmt::format("expected a number from {} to {}, not {}", least, most, text);
    });
    return *this;
}

Option& Option::one_of(const std::vector<std::string>& words) {
    const auto check = [words](const std::string& text) {
        return std::ranges::find(words, text) != words.end()
                   ? ""
                   : fmt::format("expected {}, not {}{}", listed(words, "or"), quoted(text), the_nearest(text, words));
    };
    option_->check(check, fmt::format("{{{}}}", fmt::join(words, ",")));
    return completes([words] { return words; });
}

Option& Option::not_empty() {
    option_->check([](const std::string& text) -> std::string { return text.empty() ? "expected a name" : ""; });
    return *this;
}

Option& Option::list() {
    option_->delimiter(',')->allow_extra_args(false);  // the next word may be a file
    return *this;
}

Option& Option::required() {
    option_->required();
    return *this;
}

Option& Option::excludes(const Option& other) {
    option_->excludes(other.option_);
    return *this;
}

Option& Option::needs(const Option& other) {
    option_->needs(other.option_);
    return *this;
}

Option& Option::each(std::function<void(const std::string&)> visit) {
    option_->each(std::move(visit));
    return *this;
}

Option& Option::completes(Words words) {
    state_->words[option_] = std::move(words);
    return *this;
}

Option& Option::shows_default() {
    option_->capture_default_str();
    return *this;
}

Option& Option::shows_default(const std::string& text) {
    option_->default_str(text);
    return *this;
}

Option& Option::group(const std::string& name) {
    option_->group(name);
    return *this;
}

Command Command::add_command(const std::string& name, const std::string& about) const {
    return {*app_->add_subcommand(name, about), *state_};
}

Command Command::in_group(const std::string& name) const {
    Command same = *this;
    same.group_ = name;
    return same;
}

Option Command::added(CLI::Option& option) const {
    if (!group_.empty()) {
        option.group(group_);
    }
    return {option, *state_};
}

template <class T>
Option Command::option(const std::string& name, T& value, const std::string& about) const {
    CLI::Option* option = app_->add_option(name, value, about);
    if constexpr (std::is_same_v<typename ElementType<T>::type, InputPath>) {
        state_->files.push_back({option, FileUse::reads});
    } else if constexpr (std::is_same_v<typename ElementType<T>::type, OutputPath>) {
        state_->files.push_back({option, FileUse::writes});
    }
    return added(*option);
}

template Option Command::option(const std::string&, std::string&, const std::string&) const;
template Option Command::option(const std::string&, std::size_t&, const std::string&) const;
template Option Command::option(const std::string&, double&, const std::string&) const;
template Option Command::option(const std::string&, InputPath&, const std::string&) const;
template Option Command::option(const std::string&, OutputPath&, const std::string&) const;
template Option Command::option(const std::string&, std::optional<std::string>&, const std::string&) const;
template Option Command::option(const std::string&, std::optional<std::size_t>&, const std::string&) const;
template Option Command::option(const std::string&, std::optional<double>&, const std::string&) const;
template Option Command::option(const std::string&, std::optional<OutputPath>&, const std::string&) const;
template Option Command::option(const std::string&, std::vector<std::string>&, const std::string&) const;
template Option Command::option(const std::string&, std::vector<std::size_t>&, const std::string&) const;
template Option Command::option(const std::string&, std::vector<double>&, const std::string&) const;
template Option Command::option(const std::string&, std::vector<InputPath>&, const std::string&) const;

Option Command::flag(const std::string& name, bool& value, const std::string& about) const {
    return added(*app_->add_flag(name, value, about));
}

Option Command::option_named(const std::string& name) const {
    return {*app_->get_option(name), *state_};
}

void Command::remove(const std::string& name) const {
    app_->remove_option(app_->get_option(name));
}

void Command::footer(const std::string& text) const {
    app_->footer(text);
}

void Command::takes_any_words() const {
    app_->allow_extras();
}

void Command::takes_one_command() const {
    app_->require_subcommand(0, 1);
}

std::vector<std::string> Command::command_names() const {
    std::vector<std::string> names;
    for (const CLI::App* command : commands_of(*app_)) {
        names.push_back(command->get_name());
    }
    return names;
}

void Command::on_run(std::function<int()> run) const {
    app_->callback([run = std::move(run), state = state_] {
        if (const int code = run(); code != kFine) {
            state->exit_code = code;
        }
    });
}

bool Command::given(const std::string& name) const {
    return app_->get_option(name)->count() > 0;
}

std::vector<std::string> Command::other_words() const {
    return app_->remaining();
}

bool Command::has_chosen_command() const {
    return !app_->get_subcommands().empty();
}

std::string Command::replay(const Overrides& overrides, const std::string& without_group) const {
    std::string words;
    for (const CLI::Option* option : app_->get_options()) {
        const auto other = std::ranges::find(overrides, option->get_name(), &Overrides::value_type::first);
        if (other != overrides.end()) {
            words += other->second ? in_words(*option, *other->second) : "";
        } else if (option->get_group() != without_group) {
            words += as_given(*option);
        }
    }
    return words;
}

std::string Command::replay_group(const std::string& group) const {
    std::string words;
    for (const CLI::Option* option : app_->get_options()) {
        words += option->get_group() == group ? as_given(*option) : "";
    }
    return words;
}

Program::Program(const std::string& name, const std::string& about)
    : app_(std::make_unique<CLI::App>(about, name)), state_(std::make_unique<CommandState>()), root_(*app_, *state_) {
    app_->set_version_flag("--version", [name] { return version_text(name); });
    app_->require_subcommand(0, 1);  // so that a word that is no command is named
    wrap_help(*app_);
}

Program::~Program() = default;

int Program::run(int argc, const char* const* argv) {
    if (std::getenv("BYHAND_COMPLETE") != nullptr) {
        for (const std::string& word : completions(*app_, *state_, {argv + 1, argv + argc})) {
            fmt::print("{}\n", word);
        }
        return kFine;
    }
    if (std::getenv("BYHAND_MAN") != nullptr) {
        fmt::print("{}", manual_page(*app_));
        return kFine;
    }
    check_files(*app_, *state_);
    try {
        app_->parse(argc, argv);
    } catch (const CLI::ExtrasError&) {
        throw InputError(unexpected_word(*app_));
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
            if (app_->remaining_size() > 0 && app_->get_subcommands().empty()) {
                throw InputError(unexpected_word(*app_));  // byhand trian --help
            }
            app_->exit(error);  // --help, --version
            return kFine;
        }
        throw InputError(fmt::format("{}; see {} --help", usage_error(error), chosen_command(*app_)));
    }
    if (app_->get_subcommands().empty() && !commands_of(*app_).empty()) {
        fmt::print("{}", introduction(*app_));
    }
    return state_->exit_code;
}

}  // namespace byhand::cli

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "cli/completion.h"
#include "report/writers.h"

namespace byhand::cli {
namespace {

constexpr std::size_t kWidth = 80, kColumn = 30;  // of a line, and where the descriptions begin

// A name and its description beside it, or below it if the name is too wide.
std::string row(const std::string& name, const std::string& description) {
    const std::string indent(kColumn, ' ');
    const std::string text = wrapped(indent + description, kWidth);
    const std::string begin = wrapped("  " + name, kWidth);
    if (description.empty()) {
        return begin + '\n';
    }
    return width_of(begin) + 1 < kColumn ? fmt::format("{:<{}}{}\n", begin, kColumn, text.substr(kColumn))
                                         : begin + '\n' + text + '\n';
}

std::string names_of(const std::set<CLI::Option*>& options) {
    std::string names;
    for (const CLI::Option* option : options) {
        names += (names.empty() ? "" : ", ") + option->get_name();
    }
    return names;
}

class WrappedFormatter : public CLI::Formatter {
public:
    std::string make_description(const CLI::App* app) const override {
        return wrapped(CLI::Formatter::make_description(app), kWidth);
    }
    std::string make_subcommand(const CLI::App* command) const override {
        return row(command->get_display_name(true), command->get_description());
    }
    std::string make_option(const CLI::Option* option, bool is_positional) const override {
        std::string description = make_option_desc(option);
        for (const auto& [words, others] :
             {std::pair{"not with", names_of(option->get_excludes())}, {"only with", names_of(option->get_needs())}}) {
            if (!others.empty()) {
                description += fmt::format(" ({} {})", words, others);
            }
        }
        return row(make_option_name(option, is_positional) + make_option_opts(option), description);
    }
    std::string make_option_opts(const CLI::Option* option) const override {
        const std::string text = CLI::Formatter::make_option_opts(option);
        return text.substr(0, std::min(text.find(" Needs:"), text.find(" Excludes:")));
    }
};

}  // namespace

std::string introduction(const CLI::App& program) {
    return fmt::format("{}\n\n{}\n", wrapped(program.get_description(), kWidth), program.get_footer());
}

void wrap_help(CLI::App& command) {
    command.formatter(std::make_shared<WrappedFormatter>());
}

}  // namespace byhand::cli

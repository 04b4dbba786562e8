#include <fmt/core.h>

#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/files.h"
#include "cli/network_options.h"

namespace byhand::cli {

void add_recipes(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("recipes", "List the recipes, or print one as JSON that --recipe takes back");
    const auto name = std::make_shared<std::string>();
    command->add_option("NAME", *name, "The recipe to print");
    command->callback([name, &exit_code] {
        exit_code = kFine;
        if (!name->empty()) {
            fmt::print("{}", to_json(read_recipe(*name)));
            return;
        }
        for (const std::string& shipped_name : shipped_recipes()) {
            fmt::print("{:<14}  {}\n", shipped_name, read_recipe(shipped_name).about);
        }
    });
}

}  // namespace byhand::cli

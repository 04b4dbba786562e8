#include <fmt/core.h>

#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/network_options.h"

namespace byhand::cli {

void add_recipes(const Command& program) {
    const Command command =
        program.add_command("recipes", "List the recipes, or print one as JSON that --recipe takes back");
    const auto name = std::make_shared<std::string>();
    command.option("NAME", *name, "The recipe to print");
    command.on_run([name] {
        if (!name->empty()) {
            fmt::print("{}", to_json(read_recipe(*name)));
            return kFine;
        }
        for (const std::string& shipped_name : shipped_recipes()) {
            fmt::print("{:<14}  {}\n", shipped_name, read_recipe(shipped_name).about);
        }
        return kFine;
    });
}

}  // namespace byhand::cli

#include <fmt/core.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "cli/report_options.h"
#include "cli/say.h"
#include "report/writers.h"

namespace byhand::cli {

void add_recipes(const Command& program) {
    const Command command =
        program.add_command("recipes", "List the recipes, or print one as JSON that --recipe accepts");
    const auto name = std::make_shared<std::string>();
    const auto is_expanded = std::make_shared<bool>(false);
    command.option("NAME", *name, "Recipe to print").completes(shipped_recipes);
    command.flag("--expanded", *is_expanded, R"(Print every operation of the network as "layers" instead of "hidden")");
    command.on_run([name, is_expanded] {
        if (!name->empty()) {
            const Recipe recipe = read_recipe(*name);
            fmt::print("{}", to_json(recipe, *is_expanded));
            return kFine;
        }
        if (*is_expanded) {
            throw InputError("--expanded: the recipe is missing; byhand recipes lists them");
        }
        constexpr std::size_t kColumn = 20;  // of the descriptions
        // For programs, a line each.
        const std::size_t width = ::isatty(STDOUT_FILENO) != 0 ? terminal_width(STDOUT_FILENO) : std::string::npos;
        for (const std::string& shipped_name : shipped_recipes()) {
            const std::string about = std::string(kColumn, ' ') + read_recipe(shipped_name).about;
            fmt::print("{}\n", wrapped(about, width).replace(0, shipped_name.size(), shipped_name));
        }
        return kFine;
    });
}

}  // namespace byhand::cli

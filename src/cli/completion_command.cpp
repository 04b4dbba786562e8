#include <fmt/core.h>

#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/exit_code.h"

namespace byhand::cli {

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

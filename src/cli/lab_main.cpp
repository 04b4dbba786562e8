#include "cli/commands.h"
#include "cli/run_program.h"

int main(int argc, char** argv) {
    return byhand::cli::run_command_program("lab", argc, argv, byhand::cli::add_lab);
}

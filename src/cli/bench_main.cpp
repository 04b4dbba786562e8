#include "cli/commands.h"
#include "cli/run_program.h"

int main(int argc, char** argv) {
    return byhand::cli::run_command_program("bench", argc, argv, byhand::cli::add_bench);
}

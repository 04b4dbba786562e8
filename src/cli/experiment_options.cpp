#include "cli/experiment_options.h"

#include "cli/numbers.h"

namespace byhand::cli {

CLI::Option* add_numbers(CLI::App& command, const char* name, std::vector<double>& values, const char* about) {
    constexpr double kLargest = 1e30;
    return command.add_option(name, values, about)->delimiter(',')->check(number_between(-kLargest, kLargest));
}

void add_seeds(CLI::App& command, lab::Seeds& seeds) {
    constexpr std::uint64_t kMost = 1000;
    command.add_option("--seeds", seeds.count, "On so many seeds, --seed and those that follow it")
        ->check(whole_number(1, kMost))
        ->capture_default_str();
}

lab::Material material_of(const NetworkOptions& options) {
    return {read_names_aloud(options.data), data_path_of(options.data)};
}

}  // namespace byhand::cli

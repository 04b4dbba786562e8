#include <fmt/core.h>
#include <fnmatch.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/files.h"
#include "cli/numbers.h"
#include "cli/progress.h"
#include "harness/report_diff.h"
#include "names/utf8.h"
#include "names/vocabulary.h"
#include "recipe/recipe.h"
#include "train/safetensors.h"

namespace byhand::cli {
namespace {

struct DiffOptions {
    std::string a, b;
    double limit = 0;
    std::string format = "table";
    std::string output;
    std::string tensor = "*";
};

// The words for an element, where a file tells of which network it is: a dump, or a model that was saved.
void find_words(Presentation& how, const TensorFile& file) {
    const auto recipe = file.metadata.find("recipe");
    const auto characters = file.metadata.find("vocabulary");
    if (recipe != file.metadata.end() && characters != file.metadata.end() && how.network.hidden.empty()) {
        how.network = recipe_from_json(recipe->second, "the recipe in its metadata").network;
        how.characters = printable_characters({from_utf8(characters->second)});
        how.network.vocabulary = how.characters.size();
    }
}

int diff(const DiffOptions& options) {
    const TensorFile a = read_tensors(options.a), b = read_tensors(options.b);
    Presentation how;
    how.shows = [&](const std::string& name) { return ::fnmatch(options.tensor.c_str(), name.c_str(), 0) == 0; };
    how.colour = options.output.empty() && wants_colour(STDOUT_FILENO);
    find_words(how, a);
    find_words(how, b);
    const Diff found = byhand::diff(options.a, views(a), options.b, views(b), options.limit);
    const std::string text = options.format == "json"    ? diff_json(found, how)
                             : options.format == "csv"   ? diff_csv(found, how)
                             : options.format == "junit" ? diff_junit(found, how)
                                                         : diff_table(found, how);
    if (options.output.empty()) {
        fmt::print("{}", text);
    } else {
        write_text(options.output, text);
    }
    return agree(found) ? kFine : kDisagrees;
}

}  // namespace

void add_diff(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("diff", "Set two files of tensors side by side, by name: dumps, models");
    const auto options = std::make_shared<DiffOptions>();
    command->add_option("A", options->a, "A safetensors file")->required();
    command->add_option("B", options->b, "Another")->required();
    command->add_option("--limit", options->limit, "The largest difference that is taken for agreement")
        ->check(number_between(0, 1e300))
        ->capture_default_str();
    command->add_option("--format", options->format, "table, json, csv or junit")
        ->check(CLI::IsMember({"table", "json", "csv", "junit"}))
        ->capture_default_str();
    command->add_option("--output", options->output, "Write the report there [standard output]")->check(some_text());
    command->add_option("--tensor", options->tensor, "Show only tensors whose name fits, as 'torch/d*'; all are judged")
        ->capture_default_str();
    command->callback([options, &exit_code] { exit_code = diff(*options); });
}

}  // namespace byhand::cli

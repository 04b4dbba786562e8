#include "checks/diff.h"

#include <fmt/format.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "checks/documents.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/report_options.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "manual/operation.h"
#include "names/vocabulary.h"
#include "recipe/recipe.h"
#include "train/safetensors.h"

namespace byhand::cli {
namespace {

struct DiffOptions {
    InputPath a, b;
    std::string limit = "0";
    InputPath rename, order;
    std::string transpose;
    ReportOptions report;
    std::string tensor = "*";
};

constexpr std::size_t kLargestList = 20'000'000;  // bytes

// Calls take(words, line number) for each line that is neither empty nor a comment.
template <class Take>
void read_lines(const std::string& path, Take take) {
    std::istringstream text(read_text(path, kLargestList));
    std::size_t number = 0;
    for (std::string line; std::getline(text, line);) {
        ++number;
        std::istringstream words(line);
        std::vector<std::string> all;
        for (std::string word; words >> word;) {
            all.push_back(word);
        }
        if (!all.empty() && !all.front().starts_with('#')) {
            take(all, number);
        }
    }
}

DiffConfig config_of(const DiffOptions& options) {
    DiffConfig config{.limit = diff_limit(options.limit)};
    if (!options.transpose.empty()) {
        config.transposes = [pattern = options.transpose](const std::string& name) { return matches(pattern, name); };
    }
    if (!options.rename.path.empty()) {
        read_lines(options.rename.path, [&](const std::vector<std::string>& words, std::size_t line) {
            if (words.size() != 2) {
                throw InputError(
                    fmt::format("{}:{}: {}; a line has a name of A, or a regular expression, and the name "
                                "in B",
                                options.rename.path, line, plural(words.size(), "word")));
            }
            config.renamings.push_back({words[0], words[1]});
        });
    }
    if (!options.order.path.empty()) {
        read_lines(options.order.path, [&](const std::vector<std::string>& words, std::size_t line) {
            if (words.size() != 1) {
                throw InputError(fmt::format("{}:{}: {}; a line has one name of A", options.order.path, line,
                                             plural(words.size(), "word")));
            }
            config.order.push_back(words[0]);
        });
    }
    return config;
}

// The glossary of the elements, if a file (a dump, a saved model) contains its recipe.
void find_words(Presentation& how, const Metadata& metadata) {
    const auto recipe = metadata.find("recipe"), characters = metadata.find("vocabulary");
    if (!how.characters.empty() || recipe == metadata.end() || characters == metadata.end()) {
        return;
    }
    try {
        how.network = recipe_from_json(recipe->second, "recipe").network;
        how.glossary = glossary_of(how.network);
        how.characters = printable_characters({from_utf8(characters->second)});
        how.network.vocabulary = how.characters.size();
    } catch (const InputError&) {
        how.characters.clear();  // another program's recipe: its tensors have no glossary here
    }
}

int diff(const DiffOptions& options) {
    const ReportFile report(options.report);
    DiffConfig config = config_of(options);
    const TensorSources a = open_tensors(options.a), b = open_tensors(options.b);
    if (a.tensors.empty() && b.tensors.empty()) {
        throw InputError(options.a.path + " and " + options.b.path + " contain no tensors; name files that do");
    }
    Presentation how;
    how.shows = [&](const std::string& name) { return matches(options.tensor, name); };
    find_words(how, a.metadata);
    find_words(how, b.metadata);
    constexpr std::size_t kMillion = 1'000'000;
    std::size_t elements = 0, done = 0;
    for (const TensorSource& source : a.tensors) {
        elements += count(source.shape);
    }
    Progress progress(elements / kMillion + 1, std::nullopt, "comparing", "million");
    config.progress = [&](std::size_t more) { progress.reach((done += more) / kMillion); };
    const Diff found = byhand::diff(options.a, a, options.b, b, config);
    progress.finish();
    report.write(diff_document(found, how), conclusion(found));
    return agree(found) ? kFine : kDisagrees;
}

}  // namespace

void add_diff(const Command& program) {
    const Command command = program.add_command("diff", kDiffAbout);
    const auto options = std::make_shared<DiffOptions>();
    command.option("A", options->a, "A safetensors, .npz or .npy file").required().not_empty();
    command.option("B", options->b, "The file to compare it with, the reference").required().not_empty();
    command
        .option(
            "--limit", options->limit,
            "The largest difference that counts as agreement: 1e-6, relative to the largest magnitude of the tensor "
            "1e-5rel, 4ulp, or a sum of them as 1e-8+4ulp")
        .shows_default();
    command.option("--rename", options->rename,
                   "A file of lines 'NAME_IN_A NAME_IN_B'; the first may be a regular "
                   "expression, of which the second names groups as $1");
    command.option("--transpose", options->transpose,
                   "Exchange the last two axes of B's tensors whose names in A match, as '*.weight'");
    command.option("--order", options->order, "A file of the names of A in the order of computation, one on each line");
    add_report_options(command, options->report, Judged::yes);
    command.option("--tensor", options->tensor, "Show only the tensors that match, as 'torch/d*'; all are compared")
        .shows_default();
    command.on_run([options] { return diff(*options); });
}

}  // namespace byhand::cli

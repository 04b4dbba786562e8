#include "checks/diff.h"

#include <memory>
#include <string>

#include "base/error.h"
#include "base/utf8.h"
#include "checks/documents.h"
#include "cli/commands.h"
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
    double limit = 0;
    ReportOptions report;
    std::string tensor = "*";
};

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
    const TensorFile a = read_tensors(options.a), b = read_tensors(options.b);
    if (a.tensors.empty() && b.tensors.empty()) {
        throw InputError(options.a.path + " and " + options.b.path + " contain no tensors; name files that do");
    }
    Presentation how;
    how.shows = [&](const std::string& name) { return matches(options.tensor, name); };
    find_words(how, a.metadata);
    find_words(how, b.metadata);
    const Diff found = byhand::diff(options.a, views(a.tensors), options.b, views(b.tensors), options.limit);
    report.write(diff_document(found, how));
    if (report.is_file()) {
        const Text text = conclusion(found);
        say("{}{}\n", text.lead, text.words);
    }
    return agree(found) ? kFine : kDisagrees;
}

}  // namespace

void add_diff(const Command& program) {
    const Command command = program.add_command("diff", kDiffAbout);
    const auto options = std::make_shared<DiffOptions>();
    command.option("A", options->a, "A safetensors file").required().not_empty();
    command.option("B", options->b, "The safetensors file to compare it with").required().not_empty();
    command.option("--limit", options->limit, "The largest difference that counts as agreement")
        .number(0, 1e300)
        .shows_default();
    add_report_options(command, options->report, Judged::yes);
    command.option("--tensor", options->tensor, "Show only the tensors that match, as 'torch/d*'; all are compared")
        .shows_default();
    command.on_run([options] { return diff(*options); });
}

}  // namespace byhand::cli

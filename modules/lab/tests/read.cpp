#include "lab/tests/read.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "manual/formulas.h"
#include "names/names_file.h"
#include "report/writers.h"
#include "torch_ref/load.h"
#include "torch_ref/module_beside.h"

namespace lab_test {

bool with_torch() {
    return torch_ref_test::module_beside("/proc/self/exe");
}

byhand::lab::Setting setting() {
    byhand::lab::Setting made;
    if (with_torch()) {
        made.torch = &byhand::torch_ref::load();
    }
    return made;
}

byhand::lab::Material names() {
    return {byhand::read_names(path_of("data/names.txt")), "data/names.txt"};
}

std::string path_of(const std::string& file) {
    return BYHAND_SOURCES "/" + file;
}

byhand::SourceLine source_of(const std::string& function) {
    for (const byhand::Formula& formula : byhand::formulas()) {
        if (function == formula.function) {
            return {formula.file, formula.text};
        }
    }
    return {};
}

byhand::Document run(const byhand::lab::Experiment& experiment, const byhand::lab::Setup& setup,
                     const std::vector<std::pair<std::string, OptionValue>>& options) {
    const byhand::lab::Prepared prepared = experiment.prepare();
    for (const auto& [name, value] : options) {
        const auto own = std::ranges::find(prepared.options, name, &byhand::lab::OwnOption::name);
        REQUIRE(own != prepared.options.end());
        std::visit([&](const auto& to) { *std::get<std::remove_cvref_t<decltype(to)>*>(own->value) = to; }, value);
    }
    return prepared.run(setup);
}

byhand::Json read(byhand::Document document) {
    byhand::lab::fill_in_formulas(document, source_of);
    CHECK(document.agrees);
    const std::string text = byhand::to_text(document);
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        const std::string line = text.substr(begin, end - begin);
        CAPTURE(line);
        CHECK(byhand::width_of(line) < 80);
        begin = end + 1;
    }
    return text::parsed_json(byhand::lab::to_json(document));
}

}  // namespace lab_test

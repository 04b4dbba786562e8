#include "cli/source.h"

#include <fmt/core.h>

#include <string_view>

#include "manual/formulas.h"

namespace byhand::cli {

SourceLine source_of(const std::string& function) {
    constexpr std::string_view kPlus = " + ";
    if (const std::size_t plus = function.find(kPlus);
        plus != std::string::npos) {  // of a sum: the place of the first term
        const SourceLine first = source_of(function.substr(0, plus));
        return {first.place, first.formula + "   plus   " + source_of(function.substr(plus + kPlus.size())).formula};
    }
    const std::string name = function.substr(0, function.find(" in "));  // "f in 8 parts"
    for (const Formula& formula : formulas()) {
        if (name == formula.function) {
            return {fmt::format("{}:{}", formula.file, formula.line), formula.text};
        }
    }
    return {};
}

}  // namespace byhand::cli

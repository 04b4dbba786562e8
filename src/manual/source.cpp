#include <algorithm>
#include <cctype>
#include <string_view>

#include "manual/formulas.h"
#include "manual/stepwise.h"

namespace byhand {
namespace {

// The section of docs/backprop.md on the gradient that this function computes: one for each of the notes' network.
std::string derivation_of(const std::string& function) {
    static const Graph notes = stepwise_graph(NetworkConfig{}, 2);
    const auto step = std::ranges::find_if(notes.backward, [&](const Step& s) { return s.in_float.name == function; });
    if (step == notes.backward.end()) {
        return "";
    }
    std::string section = step->makes;
    std::ranges::transform(section, section.begin(), [](unsigned char c) { return std::tolower(c); });
    return "docs/backprop.md#" + section;
}

}  // namespace

SourceLine source_of(const std::string& function) {
    constexpr std::string_view kPlus = " + ";
    if (const std::size_t plus = function.find(kPlus);
        plus != std::string::npos) {  // of a sum: the place of the first term
        const SourceLine first = source_of(function.substr(0, plus));
        return {first.place, first.formula + "   plus   " + source_of(function.substr(plus + kPlus.size())).formula,
                first.derivation};
    }
    const std::string name = function.substr(0, function.find(" in "));  // "f in 8 parts"
    for (const Formula& formula : formulas()) {
        if (name == formula.function) {
            return {std::string(formula.file) + ":" + std::to_string(formula.line), formula.text, derivation_of(name)};
        }
    }
    return {};
}

}  // namespace byhand

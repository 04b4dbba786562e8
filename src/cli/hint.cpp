#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "base/nearest.h"
#include "base/value.h"
#include "cli/own_functions.h"
#include "manual/formulas.h"
#include "manual/stepwise.h"

namespace byhand::cli {

std::string hint(const std::string& asked, const NetworkConfig& network, std::size_t rows) {
    constexpr std::string_view kInOne = "_in_one";
    const std::size_t colon = std::min(asked.find(':'), asked.size());
    const std::string name = asked.substr(0, colon);
    const std::string level = colon < asked.size() ? asked.substr(colon + 1) : "1";
    if (level != "1" && level != "2" && level != "3") {
        throw InputError(
            "--hint: expected a gradient's name, as dbnvar; dbnvar:2 for the rule, dbnvar:3 for the formula");
    }
    const bool in_one = name.ends_with(kInOne);
    const std::string makes = in_one ? name.substr(0, name.size() - kInOne.size()) : name;
    const Graph steps = in_one ? collapsed_graph(network, rows) : stepwise_graph(network, rows);
    std::vector<std::string> known;
    for (const Step& step : steps.backward) {
        const std::string the_rule = rule(steps.glossary, step.makes, in_one);
        if (the_rule.empty()) {
            continue;  // there are two fused formulas with this name
        }
        known.push_back(in_one ? step.makes + std::string(kInOne) : step.makes);
        if (step.makes != makes) {
            continue;
        }
        std::string text = fmt::format("{} {}: {}\nreads {}\n", name, to_string(step.shape),
                                       meaning(steps.glossary, makes), fmt::join(step.reads, ", "));
        if (level != "1") {
            text += fmt::format("the rule: {}\n", the_rule);
            if (!step.terms.empty()) {
                text += fmt::format("{} steps read {}, and each contributes a gradient: add them up.\n",
                                    step.terms.size(), without_kind(makes));
            }
        }
        return text + (level == "3" ? fmt::format("the formula: {}\n", source_of(step.in_float.name).formula)
                                    : fmt::format("more: byhand exercise --hint {}:{}\n", name, level == "1" ? 2 : 3));
    }
    throw InputError("there is no gradient " + name + the_nearest(name, known) + " (byhand explain lists them all)");
}

}  // namespace byhand::cli

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/value.h"
#include "foreign/exercise/functions.h"
#include "manual/formulas.h"
#include "report/writers.h"

namespace byhand::exercise {
namespace {

constexpr std::size_t kWidth = 116;

// Lines of comment. A line's continuation is indented as the line is.
std::string comment(const std::string& text) {
    const std::string lines = wrapped(text, kWidth);
    std::string all;
    for (std::size_t begin = 0; begin < lines.size();) {
        const std::size_t end = std::min(lines.find('\n', begin), lines.size());
        all += (end == begin ? "//" : "// ") + lines.substr(begin, end - begin) + "\n";
        begin = end + 1;
    }
    return all;
}

// "dh_2" for dh.2
std::string identifier(std::string name) {
    std::ranges::replace(name, '.', '_');
    return name;
}

// Whether the formula has the norm's ε or divisor.
bool takes_norm(const std::string& formula) {
    return formula.find("ε") != std::string::npos || formula.find("/ D") != std::string::npos;
}

std::string stub(const Graph& network, const Step& step, const std::map<std::string, Shape>& shapes) {
    const auto shaped = [&](const std::string& name) { return fmt::format("{} {}", name, to_string(shapes.at(name))); };
    std::vector<std::string> reads, parameters = {"Tensor<T> out"};
    for (const std::string& name : step.reads) {
        reads.push_back(shaped(name));
        parameters.push_back((is_index(name) ? "Indices " : "Tensor<const T> ") + identifier(name));
    }
    if (takes_norm(source_of(step.in_float.name).formula)) {
        parameters.emplace_back("Norm norm");
    }
    std::string about = fmt::format("{} from {}\n", shaped(step.makes), fmt::join(reads, ", "));
    const std::string of = without_kind(step.makes);
    for (const Step& reader : network.forward) {
        if (std::ranges::find(reader.reads, of) != reader.reads.end()) {
            about += fmt::format("  {} is read by {}: {}\n", of, reader.makes, source_of(reader.in_float.name).formula);
        }
    }
    return fmt::format("{}template <class T>\nvoid {}({}) {{}}\n\n", comment(about), identifier(step.makes),
                       fmt::join(parameters, ", "));
}

}  // namespace

std::string stubs(const Graph& network, const std::string& command) {
    const std::map<std::string, Shape> shapes = shapes_of(network);
    std::string text = comment(fmt::format(
        "The backward pass of a network. Fill in a function, save, and run\n\n    {0}\n\nAny order will do: each "
        "function computes one gradient, `out`, from its inputs, and is checked on its own. A function that writes "
        "nothing is still to do. The sizes in comments are those of this network: take them from the tensors, as "
        "out.size(0), since each function is also checked at other sizes.\n\nAn element is out(i, j), or out(i) of a "
        "vector, from 0. Every access is checked. `norm` has norm.epsilon, and norm.divisor, by "
        "which the variance divides.\n\nStuck?  {0} --hint {1}  shows what it reads, {1}:2 "
        "adds the rule, {1}:3 the formula.\n",
        command, network.backward.front().makes));
    text +=
        "#include <algorithm>\n#include <cmath>\n\n#include \"exercise/steps.h\"\n\nusing byhand::exercise::Indices;\n"
        "using byhand::exercise::Norm;\nusing byhand::exercise::Tensor;\n\nnamespace {\n\n";
    std::string added;
    for (const Step& step : network.backward) {
        text += stub(network, step, shapes);
        added += fmt::format("    steps.add(\"{}\", {}<T>);\n", step.makes, identifier(step.makes));
    }
    return text +
           "// Registers the functions, in float and in double. (Leave out those that should not be checked.)\n"
           "template <class T>\nvoid add_all(byhand::exercise::Steps& steps) {\n" +
           added +
           "}\n\n}  // namespace\n\nvoid byhand_steps(byhand::exercise::Steps& steps) {\n    add_all<float>(steps);\n"
           "    add_all<double>(steps);\n}\n";
}

}  // namespace byhand::exercise

#include "trace/graph.h"

#include <limits>
#include <map>

#include "recipe/json_fields.h"

namespace byhand {
namespace {

constexpr std::size_t kMostSteps = 500'000, kMostInputs = 10'000, kLongestName = 1000;
constexpr Whole kPlace{0, kMostInputs - 1};
constexpr OneLine kName{kLongestName};

// Fields call these on an object. NOLINTBEGIN(readability-convert-member-functions-to-static)
struct InputOfStep {
    void read(const Field& field, TracedInput& input) const {
        if (field.value.is_number()) {
            input.number = field.value.get<double>();
        } else if (field.value.is_string()) {
            input.tensor = kName(field);
        } else if (!field.value.is_null()) {
            field.refuse_value("takes the name of a tensor, a number, or null");
        }
    }
    Json write(const TracedInput& input) const {
        return input.number ? Json(*input.number) : input.tensor.empty() ? Json() : Json(input.tensor);
    }
};
// NOLINTEND(readability-convert-member-functions-to-static)

Json attributes(const Field& field) {
    if (!field.value.is_object()) {
        field.refuse_value("takes an object, as {\"dim\": -1}");
    }
    return field.value;
}

std::string without_namespace(const Field& field) {
    constexpr std::string_view kNamespace = "aten::";
    const std::string name = kName(field);
    return name.starts_with(kNamespace) ? name.substr(kNamespace.size()) : name;
}

std::string pattern(const Field& field) {
    std::string text = kName(field);
    if (text.find("{}") == std::string::npos || text == "{}" || text.find("{}") != text.rfind("{}")) {
        field.refuse_value("takes a name in which {} stands once for that of the tensor, as \"grad.{}\"");
    }
    return text;
}

void describe_vjp(Object& object, TracedVjp& vjp) {
    object.need("of", vjp.of, kPlace);
    object.need("gradient", vjp.gradient, kName);
}

void describe_step(Object& object, TracedStep& step) {
    object.need("result", step.result, kName);
    object.need("operation", step.operation, without_namespace);
    object.need("inputs", step.inputs, List{0, kMostInputs, InputOfStep()});
    object.take("attributes", step.attributes, attributes);
    object.maybe("output", step.output, kPlace);
    object.maybe("vjp", step.vjp, describe_vjp);
    object.maybe("where", step.where, kName);
}

void describe_graph(Object& object, TracedGraph& graph) {
    std::string format = "byhand-graph";
    std::uint64_t version = 1;
    object.need("format", format, OneOf{{"byhand-graph"}});
    object.need("version", version, Whole{1, 1});
    object.maybe("gradients", graph.gradients, pattern);
    object.need("steps", graph.steps, List{1, kMostSteps, describe_step});
}

// Places the steps, and refuses those that can't be run one after the other.
void check_order(TracedGraph& graph, const std::string& file) {
    std::map<std::string, std::size_t> makers;
    for (std::size_t i = 0; i < graph.steps.size(); ++i) {
        TracedStep& step = graph.steps[i];
        step.file = file;
        step.path = path_to("steps", i) + " (" + step.result + ")";
        const auto [first, is_new] = makers.emplace(step.result, i);
        if (!is_new) {
            refuse(file, step.path,
                   path_to("steps", first->second) + " makes " + step.result +
                       " too; give what each step makes a name of its own, in the dump as well");
        }
        const TracedVjp* vjp = step.vjp ? &*step.vjp : nullptr;
        if (vjp != nullptr && (vjp->of >= step.inputs.size() || step.inputs[vjp->of].tensor.empty())) {
            refuse(file, step.path,
                   "vjp.of is " + std::to_string(vjp->of) + ", takes the place of an input that is a " +
                       "tensor, the first of which is 0");
        }
    }
    for (std::size_t i = 0; i < graph.steps.size(); ++i) {
        const TracedStep& step = graph.steps[i];
        const auto check = [&](const std::string& name) {
            const auto maker = makers.find(name);
            if (maker != makers.end() && maker->second >= i) {
                refuse(file, step.path,
                       "reads " + name + ", which " +
                           (maker->second == i ? "it makes itself; give the new value a name of its own"
                                               : path_to("steps", maker->second) + " makes only later; list steps " +
                                                     "in the order in which they run"));
            }
        };
        for (const TracedInput& input : step.inputs) {
            check(input.tensor);
        }
        check(step.vjp ? step.vjp->gradient : "");
    }
}

}  // namespace

TracedGraph read_graph(const std::string& text, const std::string& file) {
    const Json json = strict_json(text, file);
    TracedGraph graph;
    Object::read({json, file, ""}, graph, describe_graph);
    check_order(graph, file);
    return graph;
}

std::string gradient_name(const TracedGraph& graph, const std::string& tensor) {
    std::string name = graph.gradients;
    return name.replace(name.find("{}"), 2, tensor);
}

}  // namespace byhand

#include "foreign/exercise/functions.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "base/error.h"
#include "base/nearest.h"

namespace byhand::exercise {
namespace {

// To the function of the same label that has none on this type, or as a new one.
void add(const Added& added, ExternalFunctions& functions) {
    const auto version = added.element == Kind::float32 ? &ExternalFunction::in_float : &ExternalFunction::in_double;
    auto place = std::ranges::find_if(functions, [&](const ExternalFunction& one) {
        return one.makes == added.makes && one.in_one == added.in_one && (one.*version).call == nullptr;
    });
    if (place == functions.end()) {
        place = functions.insert(place, {.makes = added.makes, .in_one = added.in_one});
    }
    (*place).*version = {{added.takes, added.takes + added.count}, added.function, added.call};
}

}  // namespace

ExternalFunctions functions_of(void (*byhand_steps)(Steps&)) {
    ExternalFunctions functions;
    Steps steps([](void* list, const Added& added) { add(added, *static_cast<ExternalFunctions*>(list)); }, &functions);
    byhand_steps(steps);
    return functions;
}

void keep(ExternalFunctions& functions, const std::vector<std::string>& names) {
    std::vector<std::string> labels;
    std::ranges::transform(functions, std::back_inserter(labels), &ExternalFunction::label);
    const auto is = [](const ExternalFunction& function, const std::string& name) {
        return function.label() == name || function.makes == name;
    };
    for (const std::string& name : names) {
        if (std::ranges::none_of(functions, [&](const auto& function) { return is(function, name); })) {
            throw InputError("no function makes " + name + the_nearest(name, labels));
        }
    }
    std::erase_if(functions, [&](const ExternalFunction& function) {
        return std::ranges::none_of(names, [&](const std::string& name) { return is(function, name); });
    });
}

Extents extents_of(const Shape& shape) {
    if (shape.size() > Extents::kMostAxes) {
        throw std::invalid_argument("a tensor of more than four axes: " + to_string(shape));
    }
    Extents extents = {};
    for (const std::size_t extent : shape) {
        extents.of[extents.axes++] = static_cast<std::ptrdiff_t>(extent);
    }
    return extents;
}

}  // namespace byhand::exercise

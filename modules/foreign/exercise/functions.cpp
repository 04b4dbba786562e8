#include "foreign/exercise/functions.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "base/error.h"
#include "base/nearest.h"

namespace byhand::exercise {
namespace {

// The target of the argument for the `next`-th tensor.
template <class T>
void* tensor_of(Kind kind, std::vector<Read<T>>& reads, std::size_t& next) {
    if (next == reads.size()) {
        throw Fault("takes more tensors than its step reads");
    }
    Read<T>& read = reads[next++];
    if (kind == Kind::indices) {
        if (auto* indices = std::get_if<Indices>(&read)) {
            return indices;
        }
    } else if (auto* tensor = std::get_if<Tensor<const T>>(&read)) {
        return tensor;
    }
    throw Fault("takes another type as its " + std::to_string(next) +
                ". tensor: " + std::visit([](const auto& tensor) { return tensor.name(); }, read) + " comes there");
}

template <class T>
Function<T> function_of(const Added& added) {
    const std::vector<Kind> takes(added.takes, added.takes + added.count);
    const auto run = [takes, function = added.function, call = added.call](Tensor<T> out, std::vector<Read<T>> reads,
                                                                           Norm norm) {
        std::vector<void*> arguments;
        arguments.reserve(takes.size());
        std::size_t next = 0;
        for (const Kind kind : takes) {
            arguments.push_back(kind == Kind::norm ? &norm : tensor_of<T>(kind, reads, next));
        }
        call(function, &out, arguments.data());
    };
    const auto norms = static_cast<std::size_t>(std::ranges::count(takes, Kind::norm));
    return {added.makes, added.in_one, takes.size() - norms, run};
}

}  // namespace

void Functions::add(const Added& added) {
    if (added.element == Kind::float32) {
        float_.push_back(function_of<float>(added));
    } else {
        double_.push_back(function_of<double>(added));
    }
}

void Functions::keep(const std::vector<std::string>& names) {
    std::vector<std::string> labels;
    std::ranges::transform(float_, std::back_inserter(labels), &Function<float>::label);
    const auto is = [](const auto& function, const std::string& name) {
        return function.label() == name || function.makes == name;
    };
    for (const std::string& name : names) {
        if (std::ranges::none_of(float_, [&](const auto& function) { return is(function, name); })) {
            throw InputError("no function makes " + name + the_nearest(name, labels));
        }
    }
    const auto leave_out = [&](auto& functions) {
        std::erase_if(functions, [&](const auto& function) {
            return std::ranges::none_of(names, [&](const std::string& name) { return is(function, name); });
        });
    };
    leave_out(float_);
    leave_out(double_);
}

Functions functions_of(void (*byhand_steps)(Steps&)) {
    Functions functions;
    Steps steps([](void* list, const Added& added) { static_cast<Functions*>(list)->add(added); }, &functions);
    byhand_steps(steps);
    return functions;
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

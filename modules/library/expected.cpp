#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "byhand/kernel.h"
#include "library/checked.h"
#include "report/writers.h"

namespace byhand {
namespace {

std::vector<std::string> names_of(std::size_t inputs) {
    std::vector<std::string> names = {"x"};
    if (inputs != 1) {
        names.clear();
        for (std::size_t i = 0; i < inputs; ++i) {
            names.push_back("x" + std::to_string(i));
        }
    }
    return names;
}

}  // namespace

Expected::Expected(Evaluate evaluate, std::size_t inputs, What what)
    : evaluate_(std::move(evaluate)), what_(what), inputs_(names_of(inputs)) {}

Expected& Expected::wrt(std::vector<std::size_t> inputs) {
    if (what_ == What::value) {
        throw std::invalid_argument("wrt() is for is_vjp_of: a value has no gradients");
    }
    for (const std::size_t input : inputs) {
        if (input >= inputs_.size()) {
            throw std::invalid_argument("wrt(" + std::to_string(input) + "): the reference has " +
                                        plural(inputs_.size(), "input"));
        }
    }
    wrt_ = std::move(inputs);
    return *this;
}

Expected& Expected::shapes(const std::vector<Shape>& of_first) {
    for (const Shape& shape : of_first) {
        cases_.emplace_back(inputs_.size(), shape);
    }
    return *this;
}

Expected& Expected::shapes_of_all(std::vector<std::vector<Shape>> cases) {
    for (std::vector<Shape>& shapes : cases) {
        if (shapes.size() != inputs_.size()) {
            throw std::invalid_argument("shapes_of_all() has " + plural(shapes.size(), "shape") +
                                        ", but the reference has " + plural(inputs_.size(), "input"));
        }
        cases_.push_back(std::move(shapes));
    }
    return *this;
}

Expected& Expected::inputs(std::vector<std::string> names) {
    if (names.size() != inputs_.size()) {
        throw std::invalid_argument("inputs() has " + plural(names.size(), "name") + ", but the reference has " +
                                    plural(inputs_.size(), "input"));
    }
    for (auto name = names.begin(); name != names.end(); ++name) {
        if (*name == "y" || *name == "dy" || std::find(names.begin(), name, *name) != name) {
            throw std::invalid_argument("inputs(): an input can't be called " + *name +
                                        (*name == "y" || *name == "dy" ? ", the reference's result is" : " too"));
        }
    }
    inputs_ = std::move(names);
    return *this;
}

Expected& Expected::accurate_to(double digits) {
    if (!(digits > 0)) {
        throw std::invalid_argument("accurate_to(): the digits must be more than 0");
    }
    share_ = std::pow(10, -digits);
    return *this;
}

Expected& Expected::with(std::string name, Evaluate evaluate) {
    with_.emplace_back(std::move(name), std::move(evaluate));
    return *this;
}

Expected& Expected::range(const std::string& name, double low, double high) {
    if (!(low <= high)) {
        throw std::invalid_argument("range(): " + name + " has no number from " + std::to_string(low) + " to " +
                                    std::to_string(high));
    }
    ranges_[name] = {low, high};
    return *this;
}

Expected& Expected::integers(const std::string& name, std::int64_t low, std::int64_t high) {
    if (low > high) {
        throw std::invalid_argument("integers(): " + name + " has no integer from " + std::to_string(low) + " to " +
                                    std::to_string(high));
    }
    integers_[name] = {low, high};
    return *this;
}

bool Expected::match(const Kernel& kernel) const {
    const Report report = check(kernel, *this);
    text_ = text_after(kernel.named.name, report);
    return report.agrees();
}

const KernelFunction* Kernel::find(std::optional<DType> type) const {
    const auto found = std::ranges::find(functions, type, &KernelFunction::type);
    return found == functions.end() ? nullptr : &*found;
}

void kernel_details::add(Kernel& kernel, KernelFunction function, Counts counts, std::size_t sizes) {
    const auto refuse = [&](const char* why) {
        throw std::invalid_argument(name_and_place(kernel.named) + " has " + why);
    };
    if (!function.run) {
        refuse("a null function");
    }
    if (kernel.find(function.type) != nullptr) {
        refuse("two functions of one type");
    }
    const bool same = counts.results == kernel.results && counts.inputs == kernel.inputs && sizes == kernel.sizes;
    if (!kernel.functions.empty() && !same) {
        refuse("functions with different numbers of parameters");
    }
    kernel.results = counts.results;
    kernel.inputs = counts.inputs;
    kernel.sizes = sizes;
    kernel.functions.push_back(std::move(function));
}

}  // namespace byhand

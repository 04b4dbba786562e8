#include "trace/binding.h"

#include <ATen/core/List.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/jit_type.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/nearest.h"
#include "recipe/json_fields.h"

namespace byhand {
namespace {

using c10::TypeKind;

constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

// Without "or None".
c10::TypePtr needed(const c10::TypePtr& type) {
    return type->kind() == TypeKind::OptionalType ? type->expectRef<c10::OptionalType>().getElementType() : type;
}
TypeKind kind_of(const c10::Argument& argument) {
    return needed(argument.type())->kind();
}
bool is_list_of_tensors(const c10::Argument& argument) {
    const c10::TypePtr type = needed(argument.type());
    return type->kind() == TypeKind::ListType &&
           needed(type->expectRef<c10::ListType>().getElementType())->kind() == TypeKind::TensorType;
}
bool may_be_none(const c10::TypePtr& type) {
    return type->kind() == TypeKind::OptionalType;
}
bool is_needed(const c10::Argument& argument) {
    return !may_be_none(argument.type()) && !argument.default_value();
}

// ---- Attributes ----

std::optional<c10::IValue> whole_of(const Json& json) {
    if (const auto* positive = std::get_if<std::uint64_t>(&json.value())) {
        return *positive <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                   ? std::optional<c10::IValue>(static_cast<std::int64_t>(*positive))
                   : std::nullopt;
    }
    const auto* negative = std::get_if<std::int64_t>(&json.value());
    return negative != nullptr ? std::optional<c10::IValue>(*negative) : std::nullopt;
}

std::optional<c10::IValue> number_of(const Json& json) {
    const double infinity = std::numeric_limits<double>::infinity();
    return json.is_number()       ? std::optional<c10::IValue>(json.get<double>())
           : json == Json("inf")  ? std::optional<c10::IValue>(infinity)
           : json == Json("-inf") ? std::optional<c10::IValue>(-infinity)
                                  : std::nullopt;
}

std::optional<c10::IValue> reduction_of(const Json& json) {
    return json == Json("none")   ? std::optional<c10::IValue>(std::int64_t{at::Reduction::None})
           : json == Json("mean") ? std::optional<c10::IValue>(std::int64_t{at::Reduction::Mean})
           : json == Json("sum")  ? std::optional<c10::IValue>(std::int64_t{at::Reduction::Sum})
                                  : std::nullopt;
}

// One stands for as many as the operation takes.
std::optional<c10::IValue> wholes_of(const Json& json, std::size_t of_one) {
    if (const auto one = whole_of(json)) {
        return c10::IValue(std::vector<std::int64_t>(of_one, one->toInt()));
    }
    if (!json.is_array() || !std::ranges::all_of(json, [](const Json& one) { return whole_of(one).has_value(); })) {
        return std::nullopt;
    }
    return c10::IValue(json.get<std::vector<std::int64_t>>());
}

std::optional<c10::IValue> numbers_of(const Json& json) {
    if (!json.is_array() || !std::ranges::all_of(json, [](const Json& one) { return one.is_number(); })) {
        return std::nullopt;
    }
    return c10::IValue(json.get<std::vector<double>>());
}

// What an attribute takes, and its value from JSON; empty words: no attribute can be this argument.
struct Taken {
    std::string words;
    std::optional<c10::IValue> value;
};

Taken taken(const c10::Argument& argument, const Json& json) {
    const TypeKind real = needed(argument.real_type())->kind();
    if (real == TypeKind::ScalarTypeType || real == TypeKind::LayoutType || real == TypeKind::MemoryFormatType) {
        return {};  // whole numbers as arguments
    }
    switch (kind_of(argument)) {
        case TypeKind::IntType:
        case TypeKind::SymIntType:
            return argument.name() == "reduction" ? Taken{R"(takes "none", "mean" or "sum")", reduction_of(json)}
                                                  : Taken{"takes a whole number", whole_of(json)};
        case TypeKind::FloatType:
            return {R"(takes a number, "inf" or "-inf")", number_of(json)};
        case TypeKind::NumberType:
            return {R"(takes a number, "inf" or "-inf")", whole_of(json) ? whole_of(json) : number_of(json)};
        case TypeKind::BoolType:
            return {"takes true or false",
                    json.is_boolean() ? std::optional<c10::IValue>(json.get<bool>()) : std::nullopt};
        case TypeKind::StringType:
            return {"takes a word",
                    json.is_string() ? std::optional<c10::IValue>(json.get<std::string>()) : std::nullopt};
        case TypeKind::ListType: {
            const TypeKind element = needed(argument.type())->expectRef<c10::ListType>().getElementType()->kind();
            if (element == TypeKind::FloatType) {
                return {"takes an array of numbers", numbers_of(json)};
            }
            return element == TypeKind::IntType || element == TypeKind::SymIntType
                       ? Taken{"takes a whole number, or an array of them",
                               wholes_of(json, static_cast<std::size_t>(argument.N().value_or(1)))}
                       : Taken{};
        }
        default:
            return {};
    }
}

// ---- The overload that fits ----

// How far a step fits an overload.
enum class Fits { no_inputs, inputs, names_of_attributes, attributes, all };
struct Fit {
    BoundStep bound;
    Fits fits = Fits::all;
    std::function<void()> refuse;  // throws what does not fit, the first of these

    void end_at(Fits reached, std::function<void()> why) {
        if (reached < fits) {
            fits = reached;
            refuse = std::move(why);
        }
    }
};

class Fitting {
public:
    Fitting(const TracedStep& step, const TracedOperation& operation) : step_(step), operation_(operation) {}

    Fit run() {
        fit_.bound.operation = &operation_;
        for (const c10::Argument& argument : operation_.schema.arguments()) {
            bind(argument);
        }
        if (step_.inputs.size() < fewest_ || next_ < step_.inputs.size()) {
            refuse_at(Fits::no_inputs, step_.path,
                      step_.operation + " takes " + number_of_inputs() + ", not " +
                          std::to_string(step_.inputs.size()) + "; null stands for one that is left out");
        }
        for (const auto& [key, value] : step_.attributes.items()) {
            if (!value.is_null() && std::ranges::find(names_, key) == names_.end()) {
                refuse_at(Fits::inputs, path_of(key),
                          step_.operation + (names_.empty() ? " has no attributes; leave it out"
                                                            : " has no such attribute" + the_nearest(key, names_) +
                                                                  " (it has " + listed(names_, "and") + ")"));
            }
        }
        return std::move(fit_);
    }

private:
    std::string path_of(const std::string& attribute) const {
        return path_to(path_to(step_.path, "attributes"), attribute);
    }

    void refuse_at(Fits reached, std::string path, std::string why) {
        fit_.end_at(reached, [&step = step_, path = std::move(path), why = std::move(why)] {
            byhand::refuse(step.file, path, why);
        });
    }

    std::string number_of_inputs() const {
        const std::string fewest = std::to_string(fewest_), most = std::to_string(most_);
        return (fewest_ == most_      ? fewest
                : most_ == kAnyNumber ? fewest + " or more"
                                      : fewest + " to " + most) +
               (most_ == 1 ? " input" : " inputs");
    }

    // Numbers are inputs as long as there are inputs left, and none of that name among the attributes.
    void bind(const c10::Argument& argument) {
        fit_.bound.arguments.emplace_back();
        const Json* const given = step_.attributes.find(argument.name());
        const bool has_attribute = given != nullptr && !given->is_null();
        const bool is_number =
            kind_of(argument) == TypeKind::NumberType && !argument.kwarg_only() && !has_attribute &&
            (next_ < step_.inputs.size() ? step_.inputs[next_].number.has_value() : is_needed(argument));
        if (is_list_of_tensors(argument)) {
            bind_inputs(argument);
        } else if (is_number || kind_of(argument) == TypeKind::TensorType) {
            bind_input(argument);
        } else {
            bind_attribute(argument, has_attribute ? *given : Json());
        }
    }

    // All that are left.
    void bind_inputs(const c10::Argument& argument) {
        const bool may_lack = may_be_none(needed(argument.type())->expectRef<c10::ListType>().getElementType());
        fewest_ += 1;
        most_ = kAnyNumber;
        for (; next_ < step_.inputs.size(); ++next_) {
            fit_.bound.arguments.back().inputs.push_back(next_);
            check_given(next_, may_lack);
        }
    }

    void bind_input(const c10::Argument& argument) {
        fewest_ += is_needed(argument) ? 1 : 0;
        most_ += most_ == kAnyNumber ? 0 : 1;
        if (next_ >= step_.inputs.size()) {
            return;
        }
        const TracedInput& input = step_.inputs[next_];
        BoundArgument& bound = fit_.bound.arguments.back();
        if (input.number && kind_of(argument) == TypeKind::NumberType) {
            bound.value = *input.number;
        } else if (input.number || !input.tensor.empty()) {
            bound.inputs = {next_};
        }
        check_given(next_++, may_be_none(argument.type()));
    }

    void check_given(std::size_t place, bool may_lack) {
        const TracedInput& input = step_.inputs[place];
        if (!may_lack && !input.number && input.tensor.empty()) {
            refuse_at(Fits::no_inputs, step_.path,
                      "leaves out input " + std::to_string(place) + ", which " + step_.operation + " needs");
        }
    }

    void bind_attribute(const c10::Argument& argument, const Json& given) {
        Taken value = taken(argument, given);
        if (!value.words.empty()) {
            names_.push_back(argument.name());
        }
        c10::IValue& bound = fit_.bound.arguments.back().value;
        if (value.value) {
            bound = *std::move(value.value);
        } else if (!given.is_null() && !value.words.empty()) {
            fit_.end_at(Fits::names_of_attributes,
                        [&step = step_, given, path = path_of(argument.name()), words = value.words] {
                            Field{given, step.file, path}.refuse_value(words);
                        });
        } else if (argument.default_value()) {
            bound = *argument.default_value();
        } else if (is_needed(argument)) {
            refuse_at(value.words.empty() ? Fits::no_inputs : Fits::attributes, path_of(argument.name()),
                      "is missing; " + step_.operation + " needs it");
        }
    }

    const TracedStep& step_;
    const TracedOperation& operation_;
    Fit fit_;
    std::vector<std::string> names_;  // of attributes
    std::size_t next_ = 0;            // input
    std::size_t fewest_ = 0, most_ = 0;
};

// ---- Its arguments ----

// Whole numbers are stored in any size, and truth values as whole numbers.
at::Tensor as_argument(const at::Tensor& tensor, const c10::Argument& argument) {
    const bool is_mask = argument.name() == "mask" || argument.name() == "condition" ||
                         (argument.name() == "indices" && tensor.defined() && tensor.scalar_type() == at::kChar);
    return !tensor.defined() || at::isFloatingType(tensor.scalar_type()) ? tensor
           : is_mask                                                     ? tensor.to(at::kBool)
                                                                         : tensor.to(at::kLong);
}

c10::IValue value_of(const BoundArgument& bound, const c10::Argument& argument, const std::vector<at::Tensor>& inputs) {
    if (!is_list_of_tensors(argument)) {
        return bound.inputs.empty() ? bound.value : as_argument(inputs[bound.inputs[0]], argument);
    }
    c10::List<at::Tensor> all;
    c10::List<c10::optional<at::Tensor>> some;
    for (const std::size_t place : bound.inputs) {
        const at::Tensor one = as_argument(inputs[place], argument);
        some.push_back(one.defined() ? c10::optional<at::Tensor>(one) : c10::nullopt);
        all.push_back(one);
    }
    const c10::TypePtr element = needed(argument.type())->expectRef<c10::ListType>().getElementType();
    return may_be_none(element) ? c10::IValue(some) : c10::IValue(all);
}

bool has_several_results(const TracedOperation& operation) {
    const std::vector<c10::Argument>& results = operation.schema.returns();
    return results.size() > 1 || is_list_of_tensors(results[0]);
}

}  // namespace

BoundStep bound(const TracedStep& step, const std::vector<TracedOperation>& overloads) {
    std::vector<Fit> fits;
    for (const TracedOperation& one : overloads) {
        fits.push_back(Fitting(step, one).run());
    }
    const auto best = std::ranges::max_element(fits, {}, &Fit::fits);  // the first of those that fit
    if (best->refuse) {
        best->refuse();
    }
    if (has_several_results(*best->bound.operation) != step.output.has_value()) {
        refuse(step.file, step.path,
               step.output ? "has an output, but " + step.operation + " has one result; leave it out"
                           : "has no output; add the place of the result among those of " + step.operation +
                                 ", the first of which is 0");
    }
    best->bound.output = step.output.value_or(0);
    return best->bound;
}

at::Tensor call(const BoundStep& bound, const std::vector<at::Tensor>& inputs) {
    torch::jit::Stack stack;
    for (std::size_t i = 0; i < bound.arguments.size(); ++i) {
        stack.push_back(value_of(bound.arguments[i], bound.operation->schema.arguments()[i], inputs));
    }
    bound.operation->call(stack);
    const std::vector<at::Tensor> list =
        stack[0].isTensorList() ? stack[0].toTensorVector() : std::vector<at::Tensor>();
    const std::size_t results = stack[0].isTensorList() ? list.size() : stack.size();
    if (bound.output >= results) {
        throw std::invalid_argument("its output is " + std::to_string(bound.output) + ", but there are " +
                                    std::to_string(results) + ", the first of which is 0");
    }
    return stack[0].isTensorList() ? list[bound.output] : stack[bound.output].toTensor();
}

}  // namespace byhand

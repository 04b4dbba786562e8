#include "library/torch/moves.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace byhand {
namespace {

// Whether it is one of the words, each of which stands between two spaces.
bool is_among(std::string_view words, const std::string& name) {
    return words.find(" " + name + " ") != std::string_view::npos;
}

bool has_numbers(const c10::IValue& value) {
    return value.isTensor() && value.toTensor().defined() && at::isFloatingType(value.toTensor().scalar_type());
}

// Operations without dimensions or other integral parameters that sum.
bool sums(const std::string& name) {
    constexpr std::string_view kSums =
        " mm bmm dot mv vdot addmm addmv addr baddbmm sum mean prod norm dist convolution_backward ";
    return is_among(kSums, name);
}

// One rounding, of the exact result of the inputs as they are.
bool is_arithmetic(const std::string& name) {
    return is_among(" add sub mul div rsub sqrt ", name);
}

// A scalar, which may be integral as in x·2; not a dimension.
bool is_scalar(const c10::Argument& parameter) {
    c10::TypePtr type = parameter.type();
    if (type->kind() == c10::TypeKind::OptionalType) {
        type = type->expectRef<c10::OptionalType>().getElementType();
    }
    return type->kind() == c10::TypeKind::NumberType;
}

// The number of elements of the first tensor that are reduced to one by the dimensions of the argument `dim`: all if it
// has none. 1 if there is no such argument.
std::int64_t reduced(const c10::FunctionSchema& schema, std::span<const c10::IValue> arguments) {
    const auto dim = schema.argumentIndexWithName("dim");
    if (!dim || arguments.empty() || !has_numbers(arguments[0])) {
        return 1;
    }
    const at::Tensor x = arguments[0].toTensor();
    const c10::IValue& dims = arguments[static_cast<std::size_t>(*dim)];
    if (dims.isNone() || (dims.isIntList() && dims.toIntVector().empty())) {
        return x.numel();
    }
    std::int64_t terms = 1;
    if (dims.isIntList() && x.dim() > 0) {
        for (const std::int64_t d : dims.toIntVector()) {
            terms *= x.size(d);
        }
    }
    return terms;
}

// The most numbers that the operation adds up to one.
std::int64_t terms_of(const c10::FunctionSchema& schema, std::span<const c10::IValue> arguments) {
    const std::string name = name_of(schema);
    std::int64_t most = reduced(schema, arguments);
    for (const c10::IValue& argument : arguments) {
        if (has_numbers(argument)) {
            const at::Tensor x = argument.toTensor();
            for (const std::int64_t extent : x.sizes()) {
                most = std::max(most, extent);
            }
            const bool is_whole = (name == "sum" || name == "mean" || name == "norm" || name == "prod") &&
                                  !schema.argumentIndexWithName("dim");
            if (is_whole || name == "dist") {
                most = std::max(most, x.numel());
            } else if (name.starts_with("convolution") || name.find("norm") != std::string::npos) {
                // Channels times the kernel's elements, or rows times positions.
                const std::int64_t channels =
                    x.dim() > 1 ? std::max<std::int64_t>(1, std::min(x.size(0), x.size(1))) : 1;
                most = std::max(most, x.numel() / channels);
            }
        }
    }
    return most;
}

// The shape from which an interpolation takes its numbers; empty if the operation is none.
std::vector<std::int64_t> interpolated(const c10::FunctionSchema& schema, std::span<const c10::IValue> arguments) {
    const auto input_size = schema.argumentIndexWithName("input_size");
    return !schema.name().starts_with("aten::upsample_") ? std::vector<std::int64_t>()
           : input_size ? arguments[static_cast<std::size_t>(*input_size)].toIntVector()
                        : arguments[0].toTensor().sizes().vec();
}

}  // namespace

bool copies(const std::string& name) {
    constexpr std::string_view kCopies =
        " cat clone contiguous constant_pad_nd copy flip gather embedding index index_select repeat roll stack "
        "to _to_copy where ";
    return is_among(kCopies, name);
}

bool is_exact(const std::string& name) {
    constexpr std::string_view kChoices =
        " abs amax amin argmax argmin argsort bitwise_and bitwise_not bitwise_or bucketize ceil clamp "
        "clamp_max clamp_min count_nonzero cummax cummin eq fill floor ge gt hardtanh hardtanh_backward "
        "index_copy index_put isfinite isinf isnan isneginf isposinf le logical_and logical_not logical_or "
        "logical_xor lt masked_fill masked_scatter masked_select max max_pool2d_with_indices maximum min "
        "minimum nan_to_num narrow_copy ne neg nonzero relu round scatter searchsorted select_backward sgn "
        "sign signbit slice_backward sort threshold threshold_backward topk tril triu trunc zero ";
    return copies(name) || is_among(kChoices, name);
}

std::string name_of(const c10::FunctionSchema& schema) {
    std::string name = schema.name().substr(schema.name().find("::") + 2);
    if (name.ends_with('_') && name != "_") {
        name.pop_back();
    }
    return name;
}

void move_scales(const c10::FunctionSchema& schema, std::vector<c10::IValue>& arguments, double by) {
    const std::vector<std::int64_t> from = interpolated(schema, arguments);
    const auto output_size = schema.argumentIndexWithName("output_size");
    if (from.empty() || !output_size || !arguments[static_cast<std::size_t>(*output_size)].isIntList()) {
        return;
    }
    const std::vector<std::int64_t> to = arguments[static_cast<std::size_t>(*output_size)].toIntVector();
    std::size_t axis = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (schema.arguments()[i].name().starts_with("scales") && axis < to.size() && axis + 2 < from.size()) {
            const double ratio = arguments[i].isDouble()
                                     ? arguments[i].toDouble()
                                     : static_cast<double>(to[axis]) / static_cast<double>(from[axis + 2]);
            arguments[i] = ratio * (1 + by);
            ++axis;
        }
    }
}

Moves moves_of(const c10::FunctionSchema& schema, std::span<const c10::IValue> arguments) {
    const std::string name = name_of(schema);
    bool may_sum = sums(name);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const c10::IValue& argument = arguments[i];
        may_sum = may_sum || ((argument.isInt() || argument.isIntList()) && !is_scalar(schema.arguments()[i]));
    }
    double units = may_sum ? std::max(1.0, std::sqrt(static_cast<double>(terms_of(schema, arguments))) / 2) : 1;
    const std::vector<std::int64_t> from = interpolated(schema, arguments);
    for (std::size_t axis = 2; axis < from.size(); ++axis) {  // a weight is the fraction of a place on this axis
        units = std::max(units, static_cast<double>(from[axis]) / 2);
    }
    return {is_arithmetic(name) ? 0 : units, units};
}

}  // namespace byhand

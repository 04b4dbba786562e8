#include "library/kernel_step.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <variant>

namespace byhand {
namespace {

// As integers of this many bytes.
std::vector<std::byte> narrowed(const std::int64_t* integers, std::size_t elements, std::size_t bytes) {
    std::vector<std::byte> narrow(elements * bytes);
    for (std::size_t i = 0; i < elements; ++i) {  // the low bytes come first
        std::memcpy(narrow.data() + i * bytes, integers + i, bytes);
    }
    return narrow;
}

// What a function on T is called with; results on numbers of type T are bytes, as they are stored.
template <class T>
class Arguments {
public:
    static constexpr bool kIsRounded = std::is_same_v<T, Rounded>;
    using Unit = std::conditional_t<kIsRounded, Rounded, std::byte>;

    Arguments(const KernelFunction& function, const KernelCall& call, const std::vector<std::size_t>& read_elements,
              T* out, Reads<T> reads)
        : results(call.results.size(), out), others_(call.results.size()) {
        const std::size_t units = kIsRounded ? 1 : size_of(*function.type);
        for (std::size_t r = 0; r < results.size(); ++r) {
            if (r != call.result) {
                others_[r].resize(count(call.results[r]) * units);
                results[r] = others_[r].data();
            }
        }
        narrow_.reserve(reads.size());
        for (std::size_t i = 0; i < reads.size(); ++i) {
            const auto* data = std::visit([](const auto* from) { return static_cast<const void*>(from); }, reads[i]);
            if (call.in_place == i) {
                const std::size_t all = count(call.results[0]) * units;
                std::copy_n(static_cast<const Unit*>(data), all, static_cast<Unit*>(results[0]));
                if (call.is_parameter) {
                    inputs.push_back(results[0]);
                }
                continue;
            }
            const DType dtype = function.inputs[inputs.size()];
            if (kIsRounded && std::holds_alternative<const std::int64_t*>(reads[i]) && dtype != DType::int64) {
                narrow_.push_back(narrowed(indices(reads, i), read_elements[i], size_of(dtype)));
                data = narrow_.back().data();
            }
            inputs.push_back(data);
        }
    }

    std::vector<void*> results;
    std::vector<const void*> inputs;

private:
    std::vector<std::vector<Unit>> others_;
    std::vector<std::vector<std::byte>> narrow_;
};

template <class T>
Function<T> function_of(const std::string& name, const KernelFunction& function, const KernelCall& call,
                        const std::vector<std::size_t>& read_elements) {
    return {name, [=](T* out, Reads<T> reads) {
                const Arguments<T> arguments(function, call, read_elements, out, reads);
                function.run(arguments.results.data(), arguments.inputs.data(), call.sizes.data());
            }};
}

}  // namespace

Step kernel_step(const Kernel& kernel, const KernelFunction& function, const KernelCall& call, const Values& values) {
    const std::vector<View> views = values.views();
    std::vector<std::size_t> elements;
    Step step;
    for (std::size_t i = 0; i < call.reads.size(); ++i) {
        const Shape& shape = find(views, call.reads[i])->shape;
        elements.push_back(count(shape));
        if (call.in_place != i) {
            const std::size_t left_out = call.in_place && *call.in_place < i && !call.is_parameter ? 1 : 0;
            step.stored.push_back(function.inputs[i - left_out]);
            continue;
        }
        if (shape != call.results[0] || values.holds_indices(call.reads[i])) {
            throw std::invalid_argument(name_and_place(kernel.named) + " computes " + to_string(call.results[0]) +
                                        " in place of " + call.reads[i] + ", which " +
                                        (shape != call.results[0] ? "is " + to_string(shape) : "has integers"));
        }
        step.stored.push_back(*function.type);
    }
    step.stored.push_back(*function.type);
    step.makes = call.makes;
    step.shape = call.results[call.result];
    step.reads = call.reads;
    const std::string& name = kernel.named.name;
    if (function.type == DType::float64) {
        step.in_double = function_of<double>(name, function, call, elements);
    } else {
        step.in_float = function_of<float>(name, function, call, elements);
    }
    if (const KernelFunction* rounded = kernel.find(std::nullopt)) {
        step.rounded = function_of<Rounded>(name, *rounded, call, elements);
    }
    return step;
}

template <class T>
Trial trial_of(const CallResult<T>& result, const std::vector<double>& right, const std::vector<double>& limits,
               const Shape& shape, const std::vector<Extent>& extents) {
    Trial trial;
    trial.verdict = Verdict::vacuous;  // of no elements
    if (!result.made.empty()) {
        trial = trial_against(std::span<const T>(result.made), right, limits);
        if (trial.verdict == Verdict::mismatch) {
            trial.hint =
                hint(std::vector<double>(result.made.begin(), result.made.end()), right, limits, shape, extents);
        }
    }
    if (!result.fault.empty()) {
        trial.verdict = Verdict::mismatch;
        trial.note = result.fault;
        trial.overwrites = result.overwrites;
    }
    trial.in_double = std::is_same_v<T, double>;
    return trial;
}

template Trial trial_of(const CallResult<float>&, const std::vector<double>&, const std::vector<double>&, const Shape&,
                        const std::vector<Extent>&);
template Trial trial_of(const CallResult<double>&, const std::vector<double>&, const std::vector<double>&, const Shape&,
                        const std::vector<Extent>&);

}  // namespace byhand

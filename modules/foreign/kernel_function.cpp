#include "foreign/kernel_function.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>
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

    Arguments(const KernelFunction& function, const KernelCall& call, T* out, Reads<T> reads)
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
                narrow_.push_back(narrowed(indices(reads, i), count(call.reads[i]), size_of(dtype)));
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
Function<T> step_function(const Kernel& kernel, const KernelFunction& function, const KernelCall& call) {
    return {kernel.named.name, [=](T* out, Reads<T> reads) {
                const Arguments<T> arguments(function, call, out, reads);
                function.run(arguments.results.data(), arguments.inputs.data(), call.sizes.data());
            }};
}

}  // namespace

void set_function(Step& step, const Kernel& kernel, const KernelFunction& function, const KernelCall& call) {
    if (function.type == DType::float64) {
        step.in_double = step_function<double>(kernel, function, call);
    } else {
        step.in_float = step_function<float>(kernel, function, call);
    }
}

Step kernel_step(const Kernel& kernel, const KernelFunction& function, const KernelCall& call, std::string makes,
                 std::vector<std::string> reads) {
    Step step;
    step.makes = std::move(makes);
    step.shape = call.results[call.result];
    step.reads = std::move(reads);
    step.stored = function.inputs;
    if (call.in_place && !call.is_parameter) {
        step.stored.insert(step.stored.begin() + static_cast<std::ptrdiff_t>(*call.in_place), *function.type);
    } else if (call.in_place) {
        step.stored[*call.in_place] = *function.type;
    }
    step.stored.push_back(*function.type);
    set_function(step, kernel, function, call);
    const auto rounded = std::ranges::find_if(kernel.functions, [](const KernelFunction& one) { return !one.type; });
    if (rounded != kernel.functions.end()) {
        step.rounded = step_function<Rounded>(kernel, *rounded, call);
    }
    return step;
}

}  // namespace byhand

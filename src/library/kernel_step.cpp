#include "library/kernel_step.h"

#include <cstring>
#include <span>
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

template <class T>
Function<T> function_of(const Kernel& kernel, const KernelCall& kernel_call,
                        const std::vector<std::size_t>& read_elements) {
    const KernelFunction<T>* run = nullptr;
    if constexpr (std::is_same_v<T, float>) {
        run = &kernel.in_float;
    } else if constexpr (std::is_same_v<T, double>) {
        run = &kernel.in_double;
    } else {
        run = &kernel.rounded;
    }
    if (!*run) {
        return {};
    }
    const auto call = [=, integers = kernel.integers, function = *run](T* out, Reads<T> reads) {
        std::vector<std::vector<T>> others(kernel_call.results.size());
        std::vector<T*> results(others.size(), out);
        for (std::size_t r = 0; r < others.size(); ++r) {
            if (r != kernel_call.result) {
                others[r].resize(count(kernel_call.results[r]));
                results[r] = others[r].data();
            }
        }
        std::vector<std::vector<std::byte>> narrow;
        narrow.reserve(reads.size());
        std::vector<const void*> inputs;
        for (std::size_t i = 0; i < reads.size(); ++i) {
            inputs.push_back(std::visit([](const auto* data) -> const void* { return data; }, reads[i]));
            if (integers[i] > 0 && integers[i] < sizeof(std::int64_t) && read_elements[i] > 0) {
                narrow.push_back(narrowed(indices(reads, i), read_elements[i], integers[i]));
                inputs.back() = narrow.back().data();
            }
        }
        function(results.data(), inputs.data(), kernel_call.sizes.data());
    };
    return {kernel.named.name, call};
}

}  // namespace

Step kernel_step(const Kernel& kernel, const KernelCall& call, const Values& values) {
    const std::vector<View> views = values.views();
    std::vector<std::size_t> elements;
    elements.reserve(call.reads.size());
    for (const std::string& name : call.reads) {
        elements.push_back(count(find(views, name)->shape));
    }
    Step step;
    step.makes = call.makes;
    step.shape = call.results[call.result];
    step.reads = call.reads;
    step.in_float = function_of<float>(kernel, call, elements);
    step.in_double = function_of<double>(kernel, call, elements);
    step.rounded = function_of<Rounded>(kernel, call, elements);
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

#include "byhand/kernel.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace byhand {

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

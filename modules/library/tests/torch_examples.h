// The example kernels, what they should compute, and the mistakes in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "byhand/torch.h"
#include "library/tests/kernels.h"

namespace byhand::example {

struct Example {
    std::function<Kernel(const Variant&)> kernel;
    TensorFunction function;          // what the kernel should compute, or the function of which it makes gradients
    std::vector<std::string> inputs;  // of the function
    std::size_t gradients = 0;        // of the first so many inputs; 0: the kernel computes the function
    std::vector<std::string> reads;   // by the kernel
    std::vector<const char*> mistakes;
    std::vector<std::vector<Shape>> shapes;  // of the inputs
    // The kernel's sizes, from the shapes of the inputs.
    std::function<std::vector<std::size_t>(const std::vector<Shape>& inputs)> sizes;
    std::map<std::string, TensorFunction> saved = {};  // what the forward pass has saved, of the inputs
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> integers = {};
};

const std::vector<Example>& examples();

// The check of the example's kernel.
Report check(const Example& example, const Variant& variant);

}  // namespace byhand::example

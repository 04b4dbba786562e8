// A kernel as a function on a step's operands in the layout of the fused step.
#pragma once

#include <optional>

#include "base/tensors.h"
#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/simd/product.h"
#include "fast/step_kernels.h"

namespace byhand {

struct StepOperands {
    Operation operation = {};
    std::vector<Shape> shapes = {};  // of the inputs
    Shape shape = {};                // of the result
    std::size_t joined = 1;          // of a linear: rows of the layer below per row of its input
    std::optional<simd::Activation> activation = std::nullopt;
    const simd::Products* products = nullptr;
    std::vector<PanelMatrix> in = {};  // the inputs; of X and Y only the indices
    const std::int64_t* indices = nullptr;
    PanelMatrix out = {};                // the result; a vector is one row, the same in panels and without
    std::vector<PanelMatrix> more = {};  // what else the kernel writes
    AlignedVector<float> scratch = {};
    std::vector<Panel> columns = {};      // of a linear's input, joined
    std::vector<Stretch> stretches = {};  // of an embedding's rows

    float* x(std::size_t input) { return in[input].data.data(); }
    float* y() { return out.data.data(); }
    std::size_t size() const { return out.data.size(); }
};

struct KernelCode {
    const char* name;
    void (*run)(StepOperands& o);
    void (*prepare)(StepOperands& o) = [](StepOperands&) {};
    bool (*fits)(const StepThere& there) = [](const StepThere&) { return true; };
};

using KernelCodes = std::vector<KernelCode>;

// Of the steps with a function of one name.
struct KernelsOfFunction {
    KernelCodes codes = {};
    KernelWork work = {};
};

// The kernels of norms, including those joined with a non-linearity.
const std::map<std::string, KernelsOfFunction>& norm_kernels();

}  // namespace byhand

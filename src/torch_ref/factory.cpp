#include <ATen/Parallel.h>
#include <torch/version.h>

#include "torch_ref/module.h"
#include "torch_ref/operation.h"
#include "torch_ref/stepwise.h"
#include "torch_ref/torch_ref.h"

const byhand::torch_ref::Factory* byhand_torch_ref() {
    using byhand::DType;
    using byhand::HandForm;
    using byhand::NetworkConfig;
    namespace room = byhand::torch_ref;
    static const room::Factory factory = {
        [](const NetworkConfig& config, std::size_t rows, DType dtype) { return room::stepwise(config, rows, dtype); },
        [](HandForm form, const NetworkConfig& config, std::size_t rows) {
            return room::reference_operations(form, config, rows);
        },
        room::single_operation,
        room::module_model,
        room::packed,
        [](std::size_t count) { at::set_num_threads(static_cast<int>(count)); },
        [] { return std::string(TORCH_VERSION); }};
    return &factory;
}

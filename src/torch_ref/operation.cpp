#include "torch_ref/operation.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.h"

namespace byhand::torch_ref {
namespace {

const TorchOperation& find(const TorchOperations& known, const std::string& op) {
    const auto found = std::ranges::find(known, op, &TorchOperation::op);
    if (found == known.end()) {
        throw InputError("the LibTorch implementation has no operation called \"" + op + "\"");
    }
    return *found;
}

using Member = AppendSteps TorchOperation::*;

// Appends the steps of each operation's `member` or, where that is empty, of its `otherwise`.
void append(TorchSteps& steps, const std::vector<Operation>& operations, const NetworkConfig& config, std::size_t rows,
            const TorchOperations& known, Member member, Member otherwise) {
    for (const Operation& operation : operations) {
        const TorchOperation& by_torch = find(known, operation.op);
        const AppendSteps& some = by_torch.*member != nullptr ? by_torch.*member : by_torch.*otherwise;
        std::size_t first = steps.size();
        if (some != nullptr) {
            some(steps, {config, operation, rows * operation.positions});
        }
        for (; first < steps.size(); ++first) {
            steps[first].operation = operation.place;
        }
    }
}

}  // namespace

at::Tensor result_of(const TorchStep& step, const Values& values) {
    std::vector<at::Tensor> reads;
    for (const std::string& name : step.reads) {
        reads.push_back(values.at(name));
    }
    return step.apply(reads);
}

TorchSteps forward_steps(const NetworkConfig& config, std::size_t rows, const TorchOperations& known) {
    TorchSteps steps;
    constexpr Member kForward = &TorchOperation::forward;
    append(steps, operations(config), config, rows, known, kForward, kForward);
    return steps;
}

TorchSteps collapsed_forward_steps(const NetworkConfig& config, std::size_t rows, const TorchOperations& known) {
    TorchSteps steps;
    append(steps, operations(config), config, rows, known, &TorchOperation::collapsed, &TorchOperation::forward);
    return steps;
}

TorchSteps later_steps(const NetworkConfig& config, std::size_t rows, const TorchOperations& known) {
    TorchSteps steps = optimizer_steps(config);
    constexpr Member kUpdate = &TorchOperation::update;
    append(steps, operations(config), config, rows, known, kUpdate, kUpdate);
    append(steps, evaluated_operations(config), config, rows, known, &TorchOperation::evaluation,
           &TorchOperation::forward);
    return steps;
}

TorchSteps formulas(const NetworkConfig& config, std::size_t rows, const TorchOperations& known, HandForm form) {
    TorchSteps steps;
    const Member which =
        form == HandForm::fused ? &TorchOperation::fused_formulas : &TorchOperation::collapsed_formulas;
    append(steps, operations(config), config, rows, known, which, which);
    return steps;
}

TorchStep in_one_step(const NetworkConfig& config, const Operation& operation, const TorchOperations& known) {
    TorchSteps steps;
    append(steps, {operation}, config, 1, known, &TorchOperation::module, &TorchOperation::forward);
    const bool has_step = find(known, operation.op).module != nullptr;
    if (!has_step && (steps.size() != 1 || steps.front().reads != std::vector{operation.input})) {
        throw InputError("LibTorch's module has no operation called \"" + operation.op + "\"");
    }
    return steps.front();
}

std::vector<std::string> backward_order(const TorchSteps& forward) {
    std::vector<std::string> order;
    std::set<std::string> read = {"X", "Y"};  // no gradients
    for (const TorchStep& step : forward) {
        if (step.constant) {
            read.insert(step.reads.begin(), step.reads.end());
            read.insert(step.makes);
            continue;
        }
        std::vector<std::string> first_read;
        std::ranges::copy_if(step.reads, std::back_inserter(first_read),
                             [&](const std::string& name) { return read.insert(name).second; });
        if (step.first_read_last) {
            std::ranges::stable_partition(first_read,
                                          [&](const std::string& name) { return name != step.reads.front(); });
        }
        order.insert(order.begin(), first_read.begin(), first_read.end());
    }
    return order;
}

}  // namespace byhand::torch_ref

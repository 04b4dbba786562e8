#include "torch_ref/operations.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {
namespace {

const TorchOperation& find(const TorchOperations& known, const std::string& op) {
    const auto found = std::ranges::find(known, op, &TorchOperation::op);
    if (found == known.end()) {
        throw InputError("the LibTorch implementation has no operation called \"" + op + "\"");
    }
    return *found;
}

// Sets the operation of an operation's steps or reference operations, from `first` on.
template <class List>
void belong_to(const Site& site, List& list, std::size_t first) {
    for (; first < list.size(); ++first) {
        list[first].operation = site.operation.place;
    }
}

// Calls visit(operation by LibTorch, its place in the network) for each.
template <class Visit>
void for_each(const std::vector<Operation>& operations, const NetworkConfig& config, std::size_t rows,
              const TorchOperations& known, Visit visit) {
    for (const Operation& operation : operations) {
        visit(find(known, operation.op), Site{config, operation, rows * operation.positions});
    }
}

}  // namespace

TorchSteps forward_steps(const NetworkConfig& config, std::size_t rows, const TorchOperations& known) {
    TorchSteps steps;
    for_each(operations(config), config, rows, known, [&](const TorchOperation& by_torch, const Site& site) {
        const std::size_t first = steps.size();
        by_torch.forward(steps, site);
        belong_to(site, steps, first);
    });
    return steps;
}

TorchSteps collapsed_forward_steps(const NetworkConfig& config, std::size_t rows, const TorchOperations& known) {
    TorchSteps steps;
    for_each(operations(config), config, rows, known, [&](const TorchOperation& by_torch, const Site& site) {
        const std::size_t first = steps.size();
        (by_torch.collapsed != nullptr ? by_torch.collapsed : by_torch.forward)(steps, site);
        belong_to(site, steps, first);
    });
    return steps;
}

TorchSteps update_steps(const NetworkConfig& config, std::size_t rows, const TorchOperations& known) {
    TorchSteps steps = optimizer_steps(config);
    for_each(operations(config), config, rows, known, [&](const TorchOperation& by_torch, const Site& site) {
        if (by_torch.update != nullptr) {
            by_torch.update(steps, site);
        }
    });
    return steps;
}

TorchSteps evaluation_steps(const NetworkConfig& config, std::size_t rows, const TorchOperations& known) {
    TorchSteps steps;
    for_each(evaluated_operations(config), config, rows, known, [&](const TorchOperation& by_torch, const Site& site) {
        (by_torch.evaluation != nullptr ? by_torch.evaluation : by_torch.forward)(steps, site);
    });
    return steps;
}

std::vector<ReferenceOperation> formulas(const NetworkConfig& config, std::size_t rows, const TorchOperations& known,
                                         Formulas which) {
    std::vector<ReferenceOperation> all;
    for_each(operations(config), config, rows, known, [&](const TorchOperation& by_torch, const Site& site) {
        if (by_torch.*which != nullptr) {
            const std::size_t first = all.size();
            std::ranges::move((by_torch.*which)(site), std::back_inserter(all));
            belong_to(site, all, first);
        }
    });
    return all;
}

TorchStep in_one_step(const NetworkConfig& config, const Operation& operation, const TorchOperations& known) {
    const TorchOperation& by_torch = find(known, operation.op);
    const Site site{config, operation, 1};
    if (by_torch.module != nullptr) {
        return by_torch.module(site);
    }
    TorchSteps steps;
    by_torch.forward(steps, site);
    if (steps.size() != 1 || steps.front().reads != std::vector{operation.input}) {
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

#include "manual/operation.h"

#include <algorithm>

#include "base/error.h"

namespace byhand {

const HandOperations& hand_operations() {
    static const HandOperations all = {
        embedding_operation(), flatten_operation(),    linear_operation(),  batchnorm_operation(),
        layernorm_operation(), rmsnorm_operation(),    tanh_operation(),    sigmoid_operation(),
        relu_operation(),      leaky_relu_operation(), gelu_operation(),    gelu_tanh_operation(),
        silu_operation(),      residual_operation(),   dropout_operation(), cross_entropy_operation()};
    return all;
}

const HandOperation& find_operation(const HandOperations& all, const std::string& op) {
    const auto found = std::ranges::find(all, op, &HandOperation::op);
    if (found == all.end()) {
        throw InputError("no operation is called \"" + op + "\"");
    }
    return *found;
}

}  // namespace byhand

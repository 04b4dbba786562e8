#include "manual/operation.h"

#include <algorithm>

#include "base/error.h"

namespace byhand {

// Each in the steps.cpp of its folder.
HandOperation embedding_operation();
HandOperation flatten_operation();
HandOperation linear_operation();
HandOperation batchnorm_operation();
HandOperation tanh_operation();
HandOperation sigmoid_operation();
HandOperation relu_operation();
HandOperation leaky_relu_operation();
HandOperation gelu_operation();
HandOperation gelu_tanh_operation();
HandOperation silu_operation();
HandOperation cross_entropy_operation();

const HandOperations& hand_operations() {
    static const HandOperations all = {embedding_operation(), flatten_operation(),    linear_operation(),
                                       batchnorm_operation(), tanh_operation(),       sigmoid_operation(),
                                       relu_operation(),      leaky_relu_operation(), gelu_operation(),
                                       gelu_tanh_operation(), silu_operation(),       cross_entropy_operation()};
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

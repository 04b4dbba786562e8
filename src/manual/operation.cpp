#include "manual/operation.h"

#include <algorithm>

#include "base/error.h"
#include "manual/glossary.h"

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

namespace {

GlossaryRows input_rows() {
    static const std::vector<GlossaryRow> kRows = {
        {.value = "X", .axes = {}, .meaning = "the contexts: the characters before each target, as indices"},
        {.value = "Y", .axes = {}, .meaning = "the targets: the next characters, as indices"},
        {.value = "rate", .axes = {}, .meaning = "the learning rate of this step"},
    };
    return kRows;
}

}  // namespace

Glossary glossary_of(const NetworkConfig& config, const HandOperations& hand) {
    Glossary all = {{0, input_rows()}, {0, optimizer_rows()}};
    for (const Operation& operation : operations(config)) {
        all.push_back({operation.layer.number, find_operation(hand, operation.op).glossary});
    }
    return all;
}

}  // namespace byhand

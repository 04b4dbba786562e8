#include "manual/operation.h"

#include <algorithm>

#include "base/error.h"
#include "manual/optimizer/steps.h"

namespace byhand {

std::vector<std::string> listed_operations() {
    std::vector<std::string> names;
    for (const HandOperation& operation : hand_operations()) {
        if (operation.op != op::kEmbedding && operation.op != op::kCrossEntropy) {  // of every network
            names.push_back(operation.op);
        }
    }
    return names;
}

std::vector<std::string> activations() {
    std::vector<std::string> names = listed_operations();
    std::erase_if(names, [](const std::string& name) { return !is_activation(name); });
    return names;
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

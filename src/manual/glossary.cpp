#include "manual/glossary.h"

namespace byhand {
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

#include "manual/glossary.h"

namespace byhand {
namespace {

GlossaryRows given_rows() {
    static const std::vector<GlossaryRow> kRows = {
        {.value = "X",
         .axes = {},
         .meaning = "the contexts: the characters before each one that is to be guessed, as numbers"},
        {.value = "Y", .axes = {}, .meaning = "the right answers: the characters that come next, as numbers"},
        {.value = "rate", .axes = {}, .meaning = "the learning rate of this step"},
    };
    return kRows;
}

}  // namespace

Glossary glossary_of(const HandOperations& hand) {
    Glossary all = {given_rows()};
    for (const HandOperation& operation : hand) {
        all.push_back(operation.glossary);
    }
    return all;
}

}  // namespace byhand

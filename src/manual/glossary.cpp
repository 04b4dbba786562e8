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

const Glossary& manual_glossary() {
    static const Glossary kAll = {given_rows(),     embedding_rows(), linear_rows(),
                                  batchnorm_rows(), tanh_rows(),      cross_entropy_rows()};
    return kAll;
}

}  // namespace byhand

// C and X to emb, and emb to embcat: of each context T rows of C, one after another.
#include "manual/embedding/formulas.h"
#include "manual/glossary.h"
#include "manual/operation.h"
#include "steps/rounded.h"

namespace byhand {
namespace {

Shape emb(const Site& at) {
    return {at.rows, at.network.context, at.network.embedding};
}

void embedding(StepList& f, const Site& at) {
    add(f, at.y(), emb(at), {"C", at.x()}, BYHAND_FUNCTION(embedding_forward), at.rows * at.network.context,
        at.network.embedding);
}

void embedding_gradients(StepList& b, const Site& at) {
    const std::size_t V = at.network.vocabulary, E = at.network.embedding;
    add(b, "dC", {V, E}, {at.dy(), at.x()}, BYHAND_FUNCTION(embedding_backward), at.rows * at.network.context, V, E);
}

void flatten(StepList& f, const Site& at) {
    add(f, at.y(), {at.rows, at.network.context * at.network.embedding}, {at.x()}, BYHAND_FUNCTION(concatenate_forward),
        count(emb(at)));
}

void flatten_gradients(StepList& b, const Site& at) {
    add(b, at.dx(), emb(at), {at.dy()}, BYHAND_FUNCTION(concatenate_backward), count(emb(at)));
}

}  // namespace

HandOperation embedding_operation() {
    return {.op = op::kEmbedding, .forward = embedding, .backward = embedding_gradients, .glossary = embedding_rows()};
}

HandOperation flatten_operation() {
    return {.op = op::kFlatten, .forward = flatten, .backward = flatten_gradients};
}

}  // namespace byhand

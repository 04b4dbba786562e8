// From C and X to emb, and from emb to embcat: for each context T rows of C, concatenated. A flatten joins consecutive
// positions, of emb or of a layer's result: the same numbers in fewer and longer rows.
#include "byhand/rounded.h"
#include "manual/embedding/formulas.h"
#include "manual/operation.h"

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

// The shapes that the flatten reads and makes.
Shape separate(const Site& at) {
    const Operation& one = at.operation;
    const std::size_t B = at.rows / one.positions, T = one.positions * one.joined;
    return one.layer.number == 0 ? Shape{B, T, one.width} : Shape{B * T, one.width};
}
Shape joined(const Site& at) {
    return {at.rows, at.operation.joined * at.operation.width};
}

void flatten(StepList& f, const Site& at) {
    add(f, at.y(), joined(at), {at.x()}, BYHAND_FUNCTION(concatenate_forward), count(joined(at)));
}

void flatten_gradients(StepList& b, const Site& at) {
    add(b, at.dx(), separate(at), {at.dy()}, BYHAND_FUNCTION(concatenate_backward), count(joined(at)));
}

GlossaryRows embedding_rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "C",
         .axes = {embedded, dimension},
         .meaning = "the embedding, a vector for each character",
         .symbol = "C",
         .rule = "A row of C is used at every position of its character: its gradient is the sum over those positions. "
                 "Start with zero, and add."},
        {.value = "emb",
         .axes = {row, position, dimension},
         .meaning = "the embedding vectors of each context's characters",
         .symbol = "E",
         .rule = "Only the shape changed: the same numbers, position by position."},
        {.value = "embcat",
         .axes = {row, input},
         .meaning = "the same, concatenated to one row for each context: the first layer's input",
         .symbol = "E",
         .rule = kLeftFactor},
    };
    return kRows;
}

GlossaryRows flatten_rows() {
    using enum Axis;
    static const std::vector<GlossaryRow> kRows = {
        {.value = "hpos",
         .axes = {row, unit},
         .meaning = "the layer's result before consecutive positions are joined",
         .rule = "Only the shape changed: the same numbers, position by position."},
    };
    return kRows;
}

}  // namespace

extern HandOperation embedding_operation() {
    return {.op = op::kEmbedding, .forward = embedding, .backward = embedding_gradients, .glossary = embedding_rows()};
}

extern HandOperation flatten_operation() {
    return {.op = op::kFlatten, .forward = flatten, .backward = flatten_gradients, .glossary = flatten_rows()};
}

}  // namespace byhand

// A trained model in a file: safetensors, with recipe, vocabulary, data and all that training needs to go on in the
// metadata (docs/formats.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/tensors.h"
#include "names/random.h"
#include "names/vocabulary.h"
#include "recipe/recipe.h"

namespace byhand {

struct SavedModel {
    Recipe recipe;
    Vocabulary vocabulary;
    std::string trained_by;  // "fused", "torch", …
    std::size_t steps = 0;   // that were carried out
    std::string data_path;   // the names it was trained on, as they were named, made printable
    std::uint64_t data_hash = 0;
    Tensors<float> state;  // after the last step, a table equal to state(recipe.network)
    // The same with mean and spread of the whole training part in the place of the running statistics, for a recipe
    // that evaluates by those (kept in the file as bnmean_training and bnvar_training).
    std::optional<Tensors<float>> calibrated;

    // As training left them; nothing where the file has none. It goes on from the first; the second, whose work was
    // done before the first step, is told of.
    std::optional<TorchGenerator> batches;
    std::optional<PythonGenerator> split;

    // What evaluation goes by.
    const Tensors<float>& for_evaluation() const { return calibrated ? *calibrated : state; }
};

// Throws InputError as write_tensors does.
void save_model(const std::string& path, const SavedModel& model);

// Throws InputError where the file can't be read, was not written by save_model, or does not fit its own recipe,
// and where a value is not finite.
SavedModel load_model(const std::string& path);

// A model that others wrote: the tensors of state(recipe.network), by their names, whatever else the file holds.
// Throws InputError where the file can't be read, says itself of what recipe it is, does not fit this one, or a
// value is not finite.
SavedModel load_foreign_model(const std::string& path, Recipe recipe, Vocabulary vocabulary);

}  // namespace byhand

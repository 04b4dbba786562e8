// A trained model in a file: safetensors, with recipe, vocabulary, data and everything needed to resume training in the
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
    std::size_t steps = 0;   // carried out so far
    std::string data_path;   // the path of the training names, made printable
    std::uint64_t data_hash = 0;
    Tensors<float> state;  // after the last step, a table equal to state(recipe.network)
    // The same with mean and variance of the whole training part instead of the running statistics, for a recipe that
    // evaluates with those (stored in the file as bnmean_training and bnvar_training).
    std::optional<Tensors<float>> calibrated;

    // As training left them; nullopt if the file has none. Training resumes with the first; the second, which is
    // only used before the first step, is stored for information.
    std::optional<TorchGenerator> batches;
    std::optional<PythonGenerator> split;

    // The state that evaluation uses.
    const Tensors<float>& for_evaluation() const { return calibrated ? *calibrated : state; }
};

// Throws InputError as write_tensors does.
void save_model(const std::string& path, const SavedModel& model);

// Throws InputError if the file can't be read, was not written by save_model, or does not match its own recipe, and for
// a value that is not finite.
SavedModel load_model(const std::string& path);

// An external model: the tensors of state(recipe.network), by their names; other tensors are ignored. Throws InputError
// if the file can't be read, contains a recipe itself, does not match this one, or has a value that is not finite.
SavedModel load_foreign_model(const std::string& path, Recipe recipe, Vocabulary vocabulary);

// ---- The generators of a run as text, for checkpoints ----

// 624 words of eight hexadecimal digits each, a blank, and the index of the next word; TorchGenerator adds a blank and
// the bits of the stored normal, or "none".
std::string to_text(const PythonGenerator& generator);
std::string to_text(const TorchGenerator& generator);

// The inverse; nullopt if the text is malformed.
std::optional<PythonGenerator> python_from_text(const std::string& text);
std::optional<TorchGenerator> torch_from_text(const std::string& text);

}  // namespace byhand

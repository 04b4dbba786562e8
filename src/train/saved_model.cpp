#include "train/saved_model.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "base/utf8.h"
#include "base/value.h"
#include "byhand/version.h"
#include "train/safetensors.h"

namespace byhand {
namespace {

constexpr const char *kRecipe = "recipe", *kBatches = "batches_generator", *kSplit = "split_generator";

// The name of a calibrated statistic in the file: bnmean_running.2 as bnmean_training.2.
std::string training_name(std::string name) {
    const std::string running = "_running";
    return name.replace(name.find(running), running.size(), "_training");
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw InputError(printable(path) + ": " + why + "; byhand train writes files that can be read here");
}

const std::string& field(const TensorFile& file, const std::string& path, const std::string& key) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end()) {
        refuse(path, "not a model saved by byhand: its metadata has no \"" + key + "\"");
    }
    return found->second;
}

std::uint64_t number(const std::string& text, const std::string& path, const std::string& key, int base) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
        refuse(path, "metadata \"" + key + "\" is not a number");
    }
    return value;
}

// nullopt if the file has none.
template <class Generator>
std::optional<Generator> generator(const TensorFile& file, const std::string& path, const std::string& key,
                                   std::optional<Generator> (*from_text)(const std::string&)) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end()) {
        return std::nullopt;
    }
    std::optional<Generator> generator = from_text(found->second);
    if (!generator) {
        refuse(path, "metadata \"" + key + "\" is not the state of a generator");
    }
    return generator;
}

// The file's float tensor of that name and shape.
const View& require(const std::vector<View>& views, const std::string& name, const Shape& shape,
                    const std::string& path) {
    const View* view = find(views, name);
    if (view == nullptr) {
        refuse(path, "tensor " + name + " is missing");
    }
    if (view->shape != shape || view->dtype != DType::float32) {
        refuse(path, "tensor " + name + " should be float " + to_string(shape) + ", but is " +
                         (view->dtype != DType::float32 ? "not float " : "") + to_string(view->shape));
    }
    return *view;
}

void require_finite(const Tensors<float>& state, const std::string& path) {
    if (const TensorSpec* spec = first_not_finite(state)) {
        refuse(path, "tensor " + spec->name + " has a value that is infinite or not a number");
    }
}

void copy_values(std::span<float> out, const View& view) {
    std::memcpy(out.data(), view.data, out.size_bytes());
}

// The mark and then other characters, each once, in increasing order. The text was parsed as JSON, so it is UTF-8.
Vocabulary read_vocabulary(const std::string& text, const std::string& path) {
    Vocabulary vocabulary{from_utf8(text)};
    const std::u32string& all = vocabulary.characters;
    const auto is_none = [&](char32_t c) { return c == all.front() || is_control(c); };
    if (all.empty() || is_control(all.front()) || std::any_of(all.begin() + 1, all.end(), is_none) ||
        std::adjacent_find(all.begin() + 1, all.end(), std::greater_equal<>()) != all.end()) {
        refuse(path, "metadata \"vocabulary\" is not a mark and then other, sorted characters");
    }
    return vocabulary;
}

// Whole numbers: an optimizer's count of steps, which in float stops at 2^24, and the keys of dropouts' masks.
void require_counts(const Tensors<float>& state, const NetworkConfig& network, const std::string& path) {
    std::vector<TensorSpec> counts = keys(network);
    if (state.contains(kept::kStepCount)) {
        counts.push_back({kept::kStepCount, {}});
    }
    for (const TensorSpec& spec : counts) {
        const double value = state[spec.name][0];
        const std::uint32_t most = spec.name == kept::kStepCount ? 1U << 24 : kMaskKeys - 1;
        const bool is_whole = value >= 0 && value <= most && value == std::floor(value);
        if (!is_whole) {
            refuse(path, spec.name + " is " + std::to_string(value) + ", takes a whole number from 0 to " +
                             std::to_string(most));
        }
    }
}

// AdamW's averages of squares, of which it takes roots.
void require_squares(const Tensors<float>& state, const std::string& path) {
    for (const TensorSpec& spec : state.table()) {
        const bool is_square = role_of(spec.name) == kept::kSquare;
        if (is_square && std::ranges::any_of(state[spec.name], [](float value) { return value < 0; })) {
            refuse(path, "tensor " + spec.name + " has a negative value, but holds averages of squares");
        }
    }
}

// The model's state from the file, by its recipe and vocabulary. Tensors in `optional` are 0 if the file has none.
void take_tensors(SavedModel& model, const TensorFile& file, const std::string& path,
                  const std::vector<TensorSpec>& optional = {}) {
    NetworkConfig& network = model.recipe.network;
    network.vocabulary = model.vocabulary.size();
    try {
        check_network(network, model.recipe.batch);
    } catch (const InputError& error) {
        refuse(path, std::string("metadata \"recipe\": ") + error.what());
    }
    const std::vector<View> views = byhand::views(file.tensors);
    // Checked before memory is allocated, so that a small file can't claim much.
    const auto is_left_out = [&](const TensorSpec& spec) {
        return std::ranges::find(optional, spec) != optional.end() && find(views, spec.name) == nullptr;
    };
    for (const TensorSpec& spec : state(network)) {
        if (!is_left_out(spec)) {
            require(views, spec.name, spec.shape, path);
        }
    }
    model.state = Tensors<float>(state(network));
    for (const TensorSpec& spec : model.state.table()) {
        if (is_left_out(spec)) {
            std::ranges::fill(model.state[spec.name], 0.0F);
        } else {
            copy_values(model.state[spec.name], require(views, spec.name, spec.shape, path));
        }
    }
    require_finite(model.state, path);
    require_counts(model.state, network, path);
    require_squares(model.state, path);
    if (is_calibrated(network)) {
        model.calibrated = model.state;
        for (const TensorSpec& spec : running_figures(network)) {
            copy_values((*model.calibrated)[spec.name], require(views, training_name(spec.name), spec.shape, path));
        }
        require_finite(*model.calibrated, path);
    }
}

}  // namespace

void save_model(const std::string& path, const SavedModel& model) {
    std::vector<View> views = model.state.views();
    if (model.calibrated) {
        for (const TensorSpec& spec : running_figures(model.recipe.network)) {
            views.push_back(
                {training_name(spec.name), spec.shape, DType::float32, (*model.calibrated)[spec.name].data()});
        }
    }
    Metadata metadata = {{"version", kVersion},
                         {kRecipe, to_json(model.recipe)},
                         {"vocabulary", to_utf8(model.vocabulary.characters)},
                         {"model", model.trained_by},
                         {kStepsKey, std::to_string(model.steps)},
                         {"examples_drawn", std::to_string(model.steps * model.recipe.batch)},
                         {"data", printable(model.data_path)},
                         {"data_hash", fmt::format("{:x}", model.data_hash)}};
    if (model.batches) {
        metadata[kBatches] = to_text(*model.batches);
    }
    if (model.split) {
        metadata[kSplit] = to_text(*model.split);
    }
    write_tensors(path, views, metadata);
}

SavedModel load_model(const std::string& path) {
    const TensorFile file = read_tensors(path);
    SavedModel model;
    model.recipe = recipe_from_json(field(file, path, kRecipe), path + ", metadata \"recipe\"");
    model.vocabulary = read_vocabulary(field(file, path, "vocabulary"), path);
    model.trained_by = field(file, path, "model");
    model.steps = number(field(file, path, kStepsKey), path, kStepsKey, 10);
    model.data_path = field(file, path, "data");
    model.data_hash = number(field(file, path, "data_hash"), path, "data_hash", 16);
    model.batches = generator(file, path, kBatches, torch_from_text);
    model.split = generator(file, path, kSplit, python_from_text);
    take_tensors(model, file, path);
    return model;
}

SavedModel load_foreign_model(const std::string& path, Recipe recipe, Vocabulary vocabulary) {
    const TensorFile file = read_tensors(path);
    if (file.metadata.contains(kRecipe)) {
        throw InputError(printable(path) + ": contains its own recipe; leave out --recipe");
    }
    SavedModel model;
    model.recipe = std::move(recipe);
    model.recipe.network.optimizer = {};  // external models have neither optimizer state nor mask keys
    model.vocabulary = std::move(vocabulary);
    model.trained_by = "others";
    take_tensors(model, file, path, keys(model.recipe.network));
    return model;
}

}  // namespace byhand

#include "train/saved_model.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "base/message_of.h"
#include "base/same_bytes.h"
#include "base/temporary_folder.h"
#include "base/utf8.h"
#include "train/raw.h"
#include "train/safetensors.h"

using namespace byhand;
using temporary::Folder;

namespace {

const std::string kName = "m.safetensors";

Recipe two_layers() {
    Recipe recipe;
    recipe.name = "two";
    recipe.network.context = 2;
    recipe.network.embedding = 3;
    test::set(recipe.network, &ShortForm::hidden, {5, 1});
    recipe.initial = {{"C", LayerSet::all, 1.0}};
    recipe.rates = {{0, 0.1}};
    recipe.steps = 9;
    return recipe;
}

// No two values are equal.
Tensors<float> numbered(const NetworkConfig& network, float from) {
    Tensors<float> tensors(state(network));
    for (const TensorSpec& spec : tensors.table()) {
        for (float& x : tensors[spec.name]) {
            x = from += 0.125F;
        }
    }
    return tensors;
}

SavedModel example(EvaluationFigures figures = EvaluationFigures::running) {
    SavedModel model;
    model.recipe = two_layers();
    model.recipe.network.norm.evaluation = figures;
    model.vocabulary.characters = U".aéž名😀";
    model.recipe.network.vocabulary = model.vocabulary.size();
    model.trained_by = "collapsed";
    model.steps = 123456789012;
    model.data_path = "folder of/наши names.txt";
    model.data_hash = 0xfedcba9876543210;
    model.batches = torch_seeded(3);
    model.batches->next_normal = 0.1;
    model.split = python_seeded(4);
    model.state = numbered(model.recipe.network, 1);
    if (figures == EvaluationFigures::training_set) {
        model.calibrated = model.state;
        for (const TensorSpec& spec : running_figures(model.recipe.network)) {
            for (float& x : (*model.calibrated)[spec.name]) {
                x += 1000;
            }
        }
    }
    return model;
}

// The model as it is read from the file that it is saved to.
SavedModel reloaded(const SavedModel& model) {
    const Folder folder;
    save_model(folder.file(kName), model);
    return load_model(folder.file(kName));
}

// The message of load_model for the saved example with changed tensors and metadata.
std::string refused(const std::function<void(std::vector<View>&, Metadata&)>& change,
                    EvaluationFigures figures = EvaluationFigures::running) {
    const Folder folder;
    const std::string path = folder.file(kName);
    save_model(path, example(figures));
    const TensorFile file = read_tensors(path);
    std::vector<View> tensors = views(file.tensors);
    Metadata metadata = file.metadata;
    change(tensors, metadata);
    std::filesystem::remove(path);
    write_tensors(path, tensors, metadata);
    try {
        load_model(path);
    } catch (const InputError& error) {
        const std::string message = error.what();
        CHECK(message.find('\n') == std::string::npos);
        const std::size_t at = message.find(path);
        CHECK(at != std::string::npos);
        CHECK(message.find(path, at + 1) == std::string::npos);  // mentioned once
        return message;
    }
    return "";
}

std::string refused_metadata(const std::string& key, const std::string& value) {
    return refused([&](std::vector<View>&, Metadata& metadata) { metadata[key] = value; });
}

View& named(std::vector<View>& views, const std::string& name) {
    return *std::ranges::find_if(views, [&](const View& view) { return view.name == name; });
}

bool says(const std::string& message, const std::string& what) {
    CAPTURE(message, what);
    return message.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("saved model: a saved model is read again, complete") {
    const SavedModel model = example(), read = reloaded(model);
    CHECK(read.recipe == model.recipe);
    CHECK(read.vocabulary == model.vocabulary);
    CHECK(read.trained_by == "collapsed");
    CHECK(read.steps == 123456789012);
    CHECK(read.data_path == model.data_path);
    CHECK(read.data_hash == 0xfedcba9876543210);
    CHECK(test::first_different(model.state, read.state) == "");
    CHECK_FALSE(read.calibrated.has_value());
    CHECK(test::first_different(model.state, read.for_evaluation()) == "");
}

TEST_CASE("saved model: statistics of the whole training part are kept beside the running ones") {
    const Folder folder;
    const std::string path = folder.file(kName);
    const SavedModel model = example(EvaluationFigures::training_set);
    save_model(path, model);
    const SavedModel read = load_model(path);
    CHECK(test::first_different(model.state, read.state) == "");
    REQUIRE(read.calibrated.has_value());
    CHECK(test::first_different(*model.calibrated, *read.calibrated) == "");
    CHECK(test::first_different(*model.calibrated, read.for_evaluation()) == "");
    CHECK(read.for_evaluation()["bnmean_running.1"][0] == read.state["bnmean_running.1"][0] + 1000);
    const TensorFile file = read_tensors(path);
    const std::vector<View> stored = views(file.tensors);
    CHECK(find(stored, "bnvar_training.2") != nullptr);
}

TEST_CASE("saved model: a value that is not finite is refused, in any file") {
    for (const float value : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()}) {
        for (const EvaluationFigures figures : {EvaluationFigures::running, EvaluationFigures::training_set}) {
            const Folder folder;
            const std::string path = folder.file(kName);
            SavedModel model = example(figures);
            Tensors<float>& wrong = model.calibrated ? *model.calibrated : model.state;
            wrong["bnvar_running.2"].back() = value;
            save_model(path, model);
            CHECK(says(test::message_of([&] { load_model(path); }),
                       path + ": tensor bnvar_running.2 has a value that is infinite or not a number"));
            write_tensors(folder.file("theirs"), model.for_evaluation().views(), {});
            CHECK(says(
                test::message_of([&] { load_foreign_model(folder.file("theirs"), model.recipe, model.vocabulary); }),
                "theirs: tensor bnvar_running.2 has a value"));
        }
    }
}

TEST_CASE("saved model: a network without a norm has no statistics to keep") {
    SavedModel model = example();
    test::set(model.recipe.network, &ShortForm::norm_place, "none");
    model.recipe.network.norm.evaluation = EvaluationFigures::training_set;
    test::set(model.recipe.network, &ShortForm::output_bias, false);
    model.state = numbered(model.recipe.network, -3);
    const SavedModel read = reloaded(model);
    CHECK(test::first_different(model.state, read.state) == "");
    CHECK_FALSE(read.calibrated.has_value());
}

TEST_CASE("saved model: optimizer state is saved, and optional in external files") {
    const Folder folder;
    SavedModel model = example(), theirs = example();
    model.recipe.network.optimizer.kind = OptimizerKind::adamw;
    model.state = numbered(model.recipe.network, -3);
    for (const float wrong : {-1.0F, 2.5F, 1e30F}) {
        model.state["step_count"][0] = wrong;
        CHECK_THROWS_WITH(reloaded(model),
                          Catch::Matchers::ContainsSubstring("takes a whole number from 0 to 16777216"));
    }
    model.state["step_count"][0] = 29;
    const SavedModel read = reloaded(model);
    CHECK(read.recipe == model.recipe);
    CHECK(test::first_different(model.state, read.state) == "");
    CHECK(read.state.contains("step_count"));

    write_tensors(folder.file("theirs"), theirs.state.views(), {});
    const SavedModel foreign = load_foreign_model(folder.file("theirs"), model.recipe, model.vocabulary);
    CHECK(test::first_different(theirs.state, foreign.state) == "");
}

TEST_CASE("saved model: a negative average of squares is refused") {
    const Folder folder;
    SavedModel model = example();
    model.recipe.network.optimizer.kind = OptimizerKind::adamw;
    model.state = numbered(model.recipe.network, 1);
    model.state["step_count"][0] = 3;
    model.state["exp_avg_W2"].back() = -0.5F;  // a mean of gradients may be negative
    model.state["exp_avg_sq_bngain.1"][1] = 0;
    CHECK(test::first_different(model.state, reloaded(model).state) == "");
    for (const std::string name : {"exp_avg_sq_C", "exp_avg_sq_W2", "exp_avg_sq_bngain.1"}) {
        SavedModel wrong = model;
        wrong.state[name].back() = -1e-30F;
        save_model(folder.file(kName), wrong);
        CHECK(test::message_of([&] { load_model(folder.file(kName)); }) ==
              folder.file(kName) + ": tensor " + name +
                  " has a negative value, but holds averages of squares; byhand train writes files that can be read "
                  "here");
    }
}

// The example with a dropout in its first layer.
SavedModel with_dropout() {
    SavedModel model = example();
    std::vector<OperationConfig> layers = model.recipe.network.layers;
    layers.insert(layers.begin() + 1, {op::kDropout});
    model.recipe.network = with_layers(model.recipe.network, layers);
    model.state = numbered(model.recipe.network, -3);
    return model;
}

TEST_CASE("saved model: the key of a dropout's mask is a whole number below 2^24") {
    SavedModel model = with_dropout();
    const std::string key = keys(model.recipe.network).at(0).name;
    for (const float wrong : {-1.0F, 0.5F, 16777216.0F}) {
        model.state[key][0] = wrong;
        CHECK_THROWS_WITH(reloaded(model),
                          Catch::Matchers::ContainsSubstring(key + " is ") &&
                              Catch::Matchers::ContainsSubstring("takes a whole number from 0 to 16777215"));
    }
    model.state[key][0] = 16777215;
    CHECK(test::first_different(model.state, reloaded(model).state) == "");
}

TEST_CASE("saved model: an external model has no key of a dropout's mask, and needs none") {
    const Folder folder;
    const SavedModel theirs = example();
    write_tensors(folder.file("theirs"), theirs.state.views(), {});
    const Recipe recipe = with_dropout().recipe;
    REQUIRE(keys(recipe.network).size() == 1);
    const SavedModel foreign = load_foreign_model(folder.file("theirs"), recipe, theirs.vocabulary);
    CHECK(foreign.state[keys(recipe.network)[0].name][0] == 0);
}

TEST_CASE("saved model: the same model yields the same bytes, and a loaded one is written identically") {
    const Folder folder;
    const SavedModel model = example(EvaluationFigures::training_set);
    save_model(folder.file("first"), model);
    save_model(folder.file("again"), model);
    save_model(folder.file("copy"), load_model(folder.file("first")));
    CHECK(folder.read("first") == folder.read("again"));
    CHECK(folder.read("first") == folder.read("copy"));
}

TEST_CASE("saved model: other safetensors files are not models") {
    CHECK(refused([](std::vector<View>&, Metadata&) {}).empty());
    for (const std::string key : {"recipe", "vocabulary", "model", "steps", "data", "data_hash"}) {
        CAPTURE(key);
        const std::string message = refused([&](std::vector<View>&, Metadata& metadata) { metadata.erase(key); });
        CHECK(says(message, "not a model saved by byhand: its metadata has no \"" + key + "\""));
    }
    const Folder folder;
    const std::string path = folder.file(kName);
    const std::string header = R"({"W":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})";
    folder.write(kName, test::raw<std::uint64_t>({header.size()}) + header + std::string(4, '\1'));
    CHECK_THROWS_AS(load_model(path), InputError);
    folder.write(kName, "emma\nolivia\nava\n");
    CHECK_THROWS_AS(load_model(path), InputError);
    CHECK_THROWS_AS(load_model(folder.file("none")), InputError);
    CHECK_THROWS_AS(load_model(folder.path().string()), InputError);
}

TEST_CASE("saved model: a tensor that is missing, or differs from the recipe, is named") {
    const auto without = [](const std::string& name, EvaluationFigures figures = EvaluationFigures::running) {
        return refused(
            [&](std::vector<View>& views, Metadata&) {
                REQUIRE(std::erase_if(views, [&](const View& view) { return view.name == name; }) == 1);
            },
            figures);
    };
    for (const TensorSpec& spec : state(example().recipe.network)) {
        CHECK(says(without(spec.name), "tensor " + spec.name + " is missing"));
    }
    CHECK(says(without("bnmean_training.2", EvaluationFigures::training_set), "tensor bnmean_training.2 is missing"));

    const auto with_shape = [](const Shape& shape) {
        return refused([&](std::vector<View>& views, Metadata&) { named(views, "W1").shape = shape; });
    };
    CHECK(says(with_shape({5, 6}), "tensor W1 should be float (6, 5), but is (5, 6)"));
    CHECK(says(with_shape({30}), "tensor W1 should be float (6, 5), but is (30)"));
    CHECK(says(with_shape({6, 5, 1}), "tensor W1 should be float (6, 5), but is (6, 5, 1)"));
    const std::vector<double> doubles(30, 0.5);
    CHECK(says(refused([&](std::vector<View>& views, Metadata&) {
                   named(views, "W1") = {"W1", {6, 5}, DType::float64, doubles.data()};
               }),
               "tensor W1 should be float (6, 5)"));
}

TEST_CASE("saved model: a recipe that does not match the tensors is refused") {
    const auto with_recipe = [](const std::function<void(Recipe&)>& change) {
        Recipe recipe = example().recipe;
        change(recipe);
        return refused_metadata("recipe", to_json(recipe));
    };
    CHECK(with_recipe([](Recipe&) {}).empty());
    const auto wider = [](Recipe& r) { test::set(r.network, &ShortForm::hidden, {5, 2}); };
    CHECK(says(with_recipe(wider), "tensor W2 should be float (5, 2), but is (5, 1)"));
    CHECK(says(with_recipe([](Recipe& r) { test::set(r.network, &ShortForm::hidden, {5}); }), "tensor"));
    CHECK(says(with_recipe([](Recipe& r) { test::set(r.network, &ShortForm::hidden, {5, 1, 1}); }), "tensor"));
    CHECK(says(with_recipe([](Recipe& r) { r.network.embedding = 4; }), "tensor C should be float (6, 4)"));
    CHECK(says(with_recipe([](Recipe& r) { r.network.context = 3; }), "tensor W1 should be float (9, 5)"));
    CHECK(says(with_recipe([](Recipe& r) { test::set(r.network, &ShortForm::output_norm, true); }), "bngain.3"));
    // The memory that a recipe may claim is not allocated before the tensors are checked.
    const auto huge = [](Recipe& r) { test::set(r.network, &ShortForm::hidden, {40000, 40000}); };
    CHECK(says(with_recipe(huge), "tensor W1 should be float"));

    CHECK(says(refused_metadata("recipe", "{"), "metadata \"recipe\""));
    std::string with_colour = to_json(example().recipe);
    with_colour.replace(0, 1, "{\"colour\": 1,");
    CHECK(says(refused_metadata("recipe", with_colour), "colour"));
}

TEST_CASE("saved model: an invalid recipe is refused, and the file is named") {
    Recipe recipe = example().recipe;
    recipe.batch = 1;
    CHECK(says(refused_metadata("recipe", to_json(recipe)), "a batch of 1 row"));
}

TEST_CASE("saved model: an invalid vocabulary is refused") {
    for (const std::u32string bad : {U"", U"aabcde", U".ab.cd", U".acbde", U".aabcd"}) {
        const std::string message = refused_metadata("vocabulary", to_utf8(bad));
        CHECK(says(message, "metadata \"vocabulary\" is not a mark and then other, sorted characters"));
    }
    // Sorted, but of another size than C.
    CHECK(says(refused_metadata("vocabulary", ".abcd"), "tensor C should be float (5, 3), but is (6, 3)"));
    CHECK(says(refused_metadata("vocabulary", ".abcdefg"), "tensor C should be float (8, 3), but is (6, 3)"));
    // Neither occurs in a name file, and printed they would control the terminal or end the name.
    CHECK(says(refused_metadata("vocabulary",
                                ".\x1b"
                                "abcd"),
               "vocabulary"));
    CHECK(says(refused_metadata("vocabulary", "..abcd"), "vocabulary"));
}

TEST_CASE("saved model: the generators are kept complete, may be missing, and are refused if malformed") {
    CHECK(reloaded(example()).batches == example().batches);
    CHECK(reloaded(example()).split == example().split);
    SavedModel without = example();
    without.batches.reset();
    without.split.reset();
    CHECK_FALSE(reloaded(without).batches);
    CHECK_FALSE(reloaded(without).split);
    for (const std::string key : {"batches_generator", "split_generator"}) {
        CHECK(says(refused_metadata(key, "1 2 3"), "\"" + key + "\" is not the state of a generator"));
    }
}

TEST_CASE("saved model: numbers in the metadata are validated") {
    for (const std::string bad : {"", "-1", "1.5", "many", "1 ", " 1", "99999999999999999999"}) {
        CHECK(says(refused_metadata("steps", bad), "metadata \"steps\" is not a number"));
    }
    for (const std::string bad : {"", "0x12", "xyz", "fedcba98765432100"}) {
        CHECK(says(refused_metadata("data_hash", bad), "metadata \"data_hash\" is not a number"));
    }
}

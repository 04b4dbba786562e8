// A small, fast run.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/change_network.h"
#include "train/run.h"

namespace small_run {

inline byhand::Recipe recipe() {
    using namespace byhand;
    Recipe recipe;
    recipe.name = "small";
    recipe.network.context = 2;
    recipe.network.embedding = 3;
    test::set(recipe.network, &ShortForm::hidden, {5});
    recipe.network.norm.batch_divisor = Divisor::n;
    recipe.seed = 77;
    recipe.initial = {{"C", LayerSet::all, 1.0},
                      {"W", LayerSet::all, 0.5},
                      {"b", LayerSet::all, 0.25},
                      {"bngain", LayerSet::all, std::nullopt, false, 1},
                      {"bnbias", LayerSet::all, std::nullopt, false, 0}};
    recipe.first_cut = 0.5;
    recipe.second_cut = 0.75;
    recipe.batch = 16;
    recipe.rates = {{0, 0.1}};
    return recipe;
}

inline const byhand::Names kNames = {U"ana", U"bo", U"čë", U"dd", U"anna", U"b", U"ač", U"da"};

inline byhand::NamesFile names_file(byhand::Names names = kNames) {
    byhand::NamesFile file;
    file.names = std::move(names);
    return file;
}

inline byhand::Run run() {
    return byhand::prepare(recipe(), names_file(), "names.txt");
}

}  // namespace small_run

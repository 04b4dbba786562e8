// What the experiments are given in their tests, and how their papers are read.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "lab/paper/json.h"
#include "lab/paper/lines.h"
#include "lab/paper/text.h"
#include "lab/setting.h"
#include "manual/formulas.h"
#include "names/names_file.h"
#include "torch_ref/load.h"

namespace lab_test {

// With LibTorch's side where it was built.
inline byhand::lab::Setting setting() {
    byhand::lab::Setting made;
    if (BYHAND_TORCH_BUILT) {
        made.torch = &byhand::torch_ref::load();
    }
    return made;
}

// The shipped names.
inline byhand::lab::Material names() {
    return {byhand::read_names(BYHAND_SOURCES "/data/names.txt"), "data/names.txt"};
}

inline byhand::SourceLine source_of(const std::string& function) {
    for (const byhand::Formula& formula : byhand::formulas()) {
        if (function == formula.function) {
            return {formula.file, formula.text};
        }
    }
    return {};
}

// The paper as programs read it. Checks on the way that it agrees with LibTorch where that is there, that every formula
// has its function, and that a terminal of 80 columns is wide enough.
inline nlohmann::json read(const byhand::lab::Paper& paper) {
    CHECK(paper.agrees);
    const std::string text = byhand::lab::to_text(paper, source_of);
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        const std::string line = text.substr(begin, end - begin);
        CAPTURE(line);
        CHECK(byhand::lab::width_of(line) < 80);
        begin = end + 1;
    }
    return nlohmann::json::parse(byhand::lab::to_json(paper, source_of));
}

}  // namespace lab_test

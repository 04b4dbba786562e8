#include <catch2/catch_test_macros.hpp>
#include <string>

#include "base/change_network.h"
#include "lab/tests/read.h"
#include "lab/tests/recipes.h"

using namespace byhand;

TEST_CASE("batch: losses over every setting, claims against the usual one and against no norm") {
    Recipe recipe = lab_test::recipe("notes");
    test::set(recipe.network, &ShortForm::hidden, {9});
    const lab::Setup setup = lab_test::setup({recipe}, 40);
    const Json document = lab_test::read(lab_test::run(lab::batch_experiment(), setup));
    const Json& studies = document.at("studies");
    CHECK(studies.at("epsilon_notes").at("arms").size() == 1);
    CHECK(studies.at("batch_notes").at("arms").size() == 2);
    CHECK(document.at("claims").size() == 4 + 4 + 6);
    CHECK(document.at("plots").size() == 3);
    const auto loss = [&](const char* study, std::size_t value) {
        return studies.at(study).at("arms").at(0).at("figures").at(value).at(0).get<double>();
    };
    // An ε of 1 is another network; the momentum changes nothing but the evaluation.
    CHECK(loss("epsilon_notes", 4) != loss("epsilon_notes", 1));
    CHECK(loss("momentum_notes", 4) != loss("momentum_notes", 2));
    // 32 rows is the recipe's own batch: the same training as with the usual ε.
    CHECK(loss("batch_notes", 4) == loss("epsilon_notes", 1));
    const Json& claim = document.at("claims").at(8);
    CHECK(claim.at("claim").get<std::string>() == "2 rows: lower with the norm than without");
}

// Loading the module from beside the program. This program is in bin/, the module in lib/byhand/ next to it.
#include "torch_ref/load.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "manual/plain.h"
#include "torch_ref/example.h"
#include "torch_ref/near.h"

using namespace byhand;

TEST_CASE("load: the module is loaded once, with one thread by default") {
    unsetenv("OPENBLAS_NUM_THREADS");
    setenv("OMP_NUM_THREADS", "3", /*overwrite=*/1);
    const torch_ref::Factory& factory = torch_ref::load();
    CHECK(&torch_ref::load() == &factory);
    CHECK(std::string(std::getenv("OPENBLAS_NUM_THREADS")) == "1");
    CHECK(std::string(std::getenv("OMP_NUM_THREADS")) == "3");
    CHECK(factory.version().find('.') != std::string::npos);
}

TEST_CASE("load: implementations and models of the module work outside it") {
    const example::Example example = example::make(example::small_network({7}), 9);
    const torch_ref::Factory& factory = torch_ref::load();
    plain::Network network{example.config, plain::copy(example.state)};
    const double loss = network.loss(example.X, example.Y);

    const auto stepwise = factory.stepwise(example.config, 9, DType::float64);
    const auto module = factory.module_model(example.config, 9, Keep::all, {});
    for (Model* implementation : std::initializer_list<Model*>{stepwise.get(), module.get()}) {
        near::check("loss", near::values(example::views_after(*implementation, example), "loss"), {loss}, 1e-6, 0);
    }
    near::check("loss", {static_cast<double>(module->train_step(example.batch(), 0.1F))}, {loss}, 1e-6, 0);
}

TEST_CASE("load: an InputError of the module can be caught outside it") {
    CHECK_THROWS_AS(torch_ref::load().stepwise(example::small_network({7}), 0, DType::float32), InputError);
}

// The optimizers: as torch operations and handwritten, against torch::optim::SGD and torch::optim::AdamW.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/same_bytes.h"
#include "fast/models.h"
#include "harness/drawn.h"
#include "torch_ref/example.h"
#include "torch_ref/module.h"
#include "torch_ref/near.h"
#include "torch_ref/stepwise.h"

using namespace byhand;

namespace {

const std::vector<OptimizerConfig> kOptimizers = {
    {},
    {.weight_decay = 0.3},
    {.momentum = 0.8},
    {.weight_decay = 0.3, .momentum = 0.8},
    {.momentum = 0.8, .nesterov = true},
    {.weight_decay = 0.3, .momentum = 0.8, .nesterov = true},
    {.kind = OptimizerKind::adamw},
    {.kind = OptimizerKind::adamw, .weight_decay = 0.3, .beta1 = 0.7, .beta2 = 0.9, .epsilon = 0.01},
    {.kind = OptimizerKind::adamw, .weight_decay = 0.3, .beta1 = 0, .beta2 = 0.5, .epsilon = 0.01},
};

// {6, 5} has square weights, whose shape does not reveal their layout. No norm after a bias, whose gradient would be 0
// up to rounding.
example::Example example_of(const OptimizerConfig& optimizer) {
    NetworkConfig config = example::small_network({6, 5});
    test::set(config, &ShortForm::norm_place, "after");
    config.optimizer = optimizer;
    example::Example example = example::make(config, 13);
    example.state = drawn_state(config, 3);
    return example;
}

}  // namespace

TEST_CASE(
    "optimizers: LibTorch's stepwise implementation and every handwritten form update like LibTorch's own classes") {
    for (const OptimizerConfig& optimizer : kOptimizers) {
        const example::Example example = example_of(optimizer);
        const auto module = torch_ref::module_model(example.config, example.rows, Keep::all);
        const std::vector<View> theirs = example::views_after(*module, example);
        std::vector<std::unique_ptr<Model>> implementations;
        for (const DType dtype : {DType::float32, DType::float64}) {
            implementations.push_back(torch_ref::stepwise(example.config, example.rows, dtype));
            for (const HandForm form : {HandForm::stepwise, HandForm::collapsed}) {
                implementations.push_back(
                    make_hand_model(form, example.config, example.rows, {.keep = Keep::all, .dtype = dtype}));
            }
        }
        implementations.push_back(make_hand_model(HandForm::fused, example.config, example.rows, {.keep = Keep::all}));
        for (const auto& implementation : implementations) {
            const std::vector<View> ours = example::views_after(*implementation, example);
            for (const TensorSpec& spec : state(example.config)) {
                const std::string name = update_of(spec.name);
                INFO(name);
                near::check(name, near::values(ours, name), near::values(theirs, name), 2e-5, 2e-6);
            }
        }
    }
}

TEST_CASE("optimizers: LibTorch's state is initially 0, and round-trips to the bit") {
    for (const OptimizerConfig& optimizer : kOptimizers) {
        example::Example example = example_of(optimizer);
        for (const TensorSpec& spec : optimizer_state(example.config)) {
            std::ranges::fill(example.state[spec.name], 0.0F);
        }
        const auto one = torch_ref::module_model(example.config, example.rows),
                   other = torch_ref::module_model(example.config, example.rows);
        const Tensors<float> unstepped = one->save();
        for (const TensorSpec& spec : optimizer_state(example.config)) {
            CHECK(std::ranges::count(unstepped[spec.name], 0.0F) ==
                  static_cast<std::ptrdiff_t>(unstepped[spec.name].size()));
        }
        one->load(example.state);
        one->train_step(example.batch(), 0.25F);
        other->load(one->save());
        CHECK(one->train_step(example.batch(), 0.1F) == other->train_step(example.batch(), 0.1F));
        CHECK(test::first_different(one->save(), other->save()) == "");
    }
}

// Training steps do not allocate memory after construction. A separate program, which counts every allocation.
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <new>
#include <utility>

#include "base/change_network.h"
#include "fast/fused.h"
#include "fast/models.h"
#include "fast/tests/layers.h"
#include "manual/networks.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

namespace {

std::atomic<std::size_t> allocations = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void* counted(std::size_t bytes, std::size_t alignment) {
    ++allocations;
    void* memory = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

}  // namespace

void* operator new(std::size_t bytes) {
    return counted(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new[](std::size_t bytes) {
    return counted(bytes, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
    return counted(bytes, static_cast<std::size_t>(alignment));
}
// NOLINTBEGIN(cppcoreguidelines-no-malloc)
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
// NOLINTEND(cppcoreguidelines-no-malloc)

namespace {

using namespace byhand;

template <class Work>
std::size_t allocations_of(Work work) {
    const std::size_t before = allocations;
    work();
    return allocations - before;
}

// Deep, with every convention of the norm, with norms of rows and joined positions, and with enough rows for the fused
// step to compute products by character.
std::vector<networks::Example> examples() {
    std::vector<networks::Example> all;
    for (const networks::PlacedNorm& norm : networks::norms()) {
        NetworkConfig config = networks::small({33, 5, 17}, 27);
        networks::put(config, norm);
        all.push_back(networks::make(config, 7));
        all.push_back(networks::make(config, 110));
    }
    for (const char* kind : {op::kLayernorm, op::kRmsnorm}) {
        NetworkConfig config = networks::small({33, 17}, 27);
        config.context = 4;
        test::set(config, &ShortForm::flatten, 2);
        test::set(config, &ShortForm::activation, "gelu");
        test::set(config, &ShortForm::norm, kind);
        all.push_back(networks::make(config, 7));
        all.push_back(networks::make(config, 110));
    }
    return all;
}

// With residuals, dropout, tied weights and other optimizers. (In step lists, a gradient of several terms allocates
// memory for each: sum_of.)
std::vector<networks::Example> examples_with_sums() {
    std::vector<networks::Example> all;
    for (const OptimizerConfig& optimizer : {OptimizerConfig{.weight_decay = 0.1, .momentum = 0.9, .nesterov = true},
                                             OptimizerConfig{.kind = OptimizerKind::adamw}}) {
        NetworkConfig config = networks::small({1}, 27);
        config.embedding = 17;
        config = with_layers(config, test::layers("linear 17, batchnorm, tanh, dropout, linear 17, layernorm, relu, "
                                                  "residual 2, batchnorm, linear tied"));
        config.optimizer = optimizer;
        all.push_back(networks::make(config, 7));
        all.push_back(networks::make(config, 110));
    }
    return all;
}

}  // namespace

TEST_CASE("allocations: the counter counts, including aligned ones") {
    // The compiler may optimise away unused memory.
    const auto look_at = [](const void* memory) { asm volatile("" : : "g"(memory) : "memory"); };
    CHECK(allocations_of([&] { look_at(std::vector<int>(3).data()); }) == 1);
    CHECK(allocations_of([&] { look_at(AlignedVector<float>(3).data()); }) == 1);
    CHECK(allocations_of([&] { look_at(std::make_unique<double>(3).get()); }) == 1);
    CHECK(allocations_of([] {}) == 0);
}

TEST_CASE("allocations: none in a fused training step") {
    std::vector<networks::Example> all = examples();
    std::ranges::move(examples_with_sums(), std::back_inserter(all));
    for (const networks::Example& example : all) {
        for (const auto& [keep, parts] : {std::pair(Keep::all, 1), {Keep::needed, 1}, {Keep::needed, 5}}) {
            Fused fused(example.config, example.rows, keep, 1, static_cast<std::size_t>(parts));
            fused.load(example.state);
            const Batch batch = example.batch();
            const auto three_steps = [&] {
                for (int step = 0; step < 3; ++step) {
                    fused.run(batch, 0.1F);
                    fused.commit();
                }
            };
            CHECK(allocations_of(three_steps) == 0);
        }
    }
}

TEST_CASE("allocations: none in the lists of steps") {
    for (const networks::Example& example : examples()) {
        for (const auto& network :
             {stepwise_graph(example.config, example.rows), collapsed_graph(example.config, example.rows)}) {
            Runner<float> runner(network);
            copy_into(runner.tensors(), example.state);
            const Batch batch = example.batch();
            const auto all_lists = [&] {
                runner.set_batch(batch);
                runner.set_rate(0.1F);
                runner.forward();
                runner.backward();
                runner.update();
            };
            CHECK(allocations_of(all_lists) == 0);
        }
    }
}

TEST_CASE("allocations: none in a training step of any model") {
    const networks::Example example = networks::make(networks::small({33, 5, 17}, 27), 7);
    for (const HandForm form : {HandForm::stepwise, HandForm::collapsed, HandForm::fused}) {
        const auto model = make_hand_model(form, example.config, example.rows);
        model->load(example.state);
        const Batch batch = example.batch();
        CHECK(allocations_of([&] { model->train_step(batch, 0.1F); }) == 0);
    }
}

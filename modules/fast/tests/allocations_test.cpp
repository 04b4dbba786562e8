// Training steps do not allocate memory after construction, and write nothing behind what they have. A separate
// program, which counts and fences every allocation.
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <cstring>
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

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<std::size_t> allocations = 0, overruns = 0;

// Behind every allocation lie bytes that nothing may change.
constexpr std::size_t kFence = 256;
constexpr unsigned char kUntouched = 0xC5;

// One alignment before the memory that is returned: its size.
void* counted(std::size_t bytes, std::align_val_t align) {
    const auto alignment = static_cast<std::size_t>(align);
    ++allocations;
    auto* const start = static_cast<unsigned char*>(
        std::aligned_alloc(alignment, (bytes + kFence + 2 * alignment) / alignment * alignment));
    if (start == nullptr) {
        throw std::bad_alloc();
    }
    std::memcpy(start, &bytes, sizeof bytes);
    std::memset(start + alignment + bytes, kUntouched, kFence);
    return start + alignment;
}

void release(void* memory, std::align_val_t align) {
    if (memory == nullptr) {
        return;
    }
    auto* const begin = static_cast<unsigned char*>(memory);
    auto* const start = begin - static_cast<std::size_t>(align);
    std::size_t bytes = 0;
    std::memcpy(&bytes, start, sizeof bytes);
    const unsigned char* const fence = begin + bytes;
    overruns += std::all_of(fence, fence + kFence, [](unsigned char c) { return c == kUntouched; }) ? 0 : 1;
    std::free(start);
}

constexpr std::align_val_t kDefault{__STDCPP_DEFAULT_NEW_ALIGNMENT__};

}  // namespace

// Those of arrays call these.
void* operator new(std::size_t bytes) {
    return counted(bytes, kDefault);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return counted(bytes, alignment);
}
void operator delete(void* memory) noexcept {
    release(memory, kDefault);
}
void operator delete(void* memory, std::size_t) noexcept {
    release(memory, kDefault);
}
void operator delete(void* memory, std::align_val_t alignment) noexcept {
    release(memory, alignment);
}
void operator delete(void* memory, std::size_t, std::align_val_t alignment) noexcept {
    release(memory, alignment);
}
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-avoid-non-const-global-variables)

namespace {

using namespace byhand;

template <class Work>
std::size_t allocations_of(Work work) {
    const std::size_t before = allocations;
    work();
    return allocations - before;
}

// The allocations released by `work` behind which something was written.
template <class Work>
std::size_t overruns_of(Work work) {
    const std::size_t before = overruns;
    work();
    return overruns - before;
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

TEST_CASE("allocations: a write behind the memory counts as an overrun") {
    const auto write = [](std::size_t place) {
        const auto bytes = std::make_unique<unsigned char[]>(33);
        *std::launder(reinterpret_cast<volatile unsigned char*>(bytes.get()) + place) = 1;
    };
    CHECK(overruns_of([&] { write(32); }) == 0);
    CHECK(overruns_of([&] { write(33); }) == 1);
}

TEST_CASE("allocations: a model writes nothing behind the memory that it has") {
    std::vector<networks::Example> all = examples();
    std::ranges::move(examples_with_sums(), std::back_inserter(all));
    all.push_back(networks::make(NetworkConfig{}, 32));
    for (const networks::Example& example : all) {
        for (const HandForm form : {HandForm::stepwise, HandForm::collapsed, HandForm::fused}) {
            for (const Keep keep : {Keep::needed, Keep::all}) {
                CHECK(overruns_of([&] {
                          const auto model = make_hand_model(form, example.config, example.rows, {.keep = keep});
                          model->load(example.state);
                          model->train_step(example.batch(), 0.1F);
                          model->train_step(example.batch(), 0.1F);
                          model->load(model->save());
                          std::vector<float> logits(example.rows * example.config.vocabulary);
                          model->logits(logits, example.X);
                          model->calibrate(example.X);
                      }) == 0);
            }
        }
    }
}

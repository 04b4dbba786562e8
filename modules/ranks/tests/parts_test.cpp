// Training in parts: the same bytes on any number of ranks, and the network's values within rounding.
#include "ranks/parts.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <memory>
#include <vector>

#include "base/change_network.h"
#include "fast/fused.h"
#include "fast/fused_tensors.h"
#include "fast/models.h"
#include "fast/pieces.h"
#include "manual/networks.h"
#include "manual/stepwise.h"
#include "ranks/tests/thread_ranks.h"

using namespace byhand;

namespace {

constexpr float kRate = 0.3F;
using thread_ranks::kRanks;
using thread_ranks::same_bytes;

std::vector<float> trained(Trainable& model, const networks::Example& example) {
    return thread_ranks::trained(model, example.state, example.batch(), kRate, 3);
}

// So few rows that the fused step computes the first linear row by row, or so many that it does so by character.
std::size_t rows_for(const NetworkConfig& config, bool by_character) {
    return !by_character ? 13 : config.vocabulary == 7 ? 33 : 141;
}

// What train(group) returns on each of the ranks has the bytes of `single`.
template <class Train>
void check_on_ranks(std::size_t ranks, const std::vector<float>& single, Train train) {
    INFO(ranks << " ranks");
    for (const std::vector<float>& of_rank : thread_ranks::of_each_rank(ranks, train)) {
        CHECK(same_bytes(of_rank, single));
    }
}

constexpr HandForm kForms[] = {HandForm::stepwise, HandForm::collapsed, HandForm::fused};

}  // namespace

TEST_CASE("parts: one part is the whole network, to the bit") {
    Single one;
    unsigned seed = 0;
    for (const NetworkConfig& config : networks::with_every_operation()) {
        const networks::Example example = networks::make(config, 9, ++seed);
        for (const HandForm form : kForms) {
            INFO(networks::describe(config, 9) << ", form " << static_cast<int>(form));
            const std::vector<float> whole = trained(*make_hand_model(form, config, 9), example);
            CHECK(same_bytes(trained(*make_model_in_parts(form, config, 9, {1, &one}), example), whole));
        }
    }
}

TEST_CASE("parts: the same bytes on any number of ranks, uneven parts and ranks without a row included") {
    unsigned seed = 20;
    const std::vector<NetworkConfig> all = networks::with_every_operation();
    for (std::size_t i = 0; i < all.size(); i += i + 6 < all.size() ? 3 : 1) {
        const std::size_t rows = i % 2 == 0 ? rows_for(all[i], true) : 8;
        const networks::Example example = networks::make(all[i], rows, ++seed);
        for (const HandForm form : kForms) {
            INFO(networks::describe(all[i], rows) << ", form " << static_cast<int>(form));
            const auto by = [&](Group& group) {
                return trained(*make_model_in_parts(form, all[i], rows, {8, &group}), example);
            };
            Single one;
            const std::vector<float> single = by(one);
            for (const std::size_t ranks : kRanks) {
                check_on_ranks(ranks, single, by);
            }
        }
    }
}

namespace {

// Within a few roundings of the largest number.
template <class Number>
void check_numbers(std::span<const Number> numbers, const View& expected) {
    REQUIRE(numbers.size() == count(expected.shape));
    double size = 0, off = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        size = std::max(size, std::abs(value_at(expected, i)));
        const double here = std::abs(static_cast<double>(numbers[i]) - value_at(expected, i));
        off = std::isnan(off) || off >= here ? off : here;  // a NaN is kept
    }
    CHECK(off <= 2e-5 * size + 1e-6);
}

std::unique_ptr<Model> in_double(const networks::Example& example) {
    auto right =
        make_hand_model(HandForm::stepwise, example.config, example.rows, {.keep = Keep::all, .dtype = DType::float64});
    right->load(example.state);
    right->run(example.batch(), kRate);
    return right;
}

// Calls visit(example) for each network, with few rows and with many.
template <class Visit>
void for_each_example(Visit visit) {
    unsigned seed = 70;
    for (const NetworkConfig& config : networks::with_every_operation()) {
        for (const bool by_character : {false, true}) {
            const std::size_t rows = rows_for(config, by_character);
            INFO(networks::describe(config, rows));
            REQUIRE(pays_by_character(config, rows) == by_character);
            visit(networks::make(config, rows, ++seed));
        }
    }
}

}  // namespace

TEST_CASE("parts: a step makes what the whole network makes, within a few roundings of the largest number") {
    Single one;
    for_each_example([&](const networks::Example& example) {
        const auto right = in_double(example);
        const std::vector<View> views = right->views();
        for (const HandForm form : kForms) {
            for (const std::size_t parts : {2U, 5U, 13U}) {
                if (form != HandForm::fused && example.rows > 13) {
                    continue;
                }
                const auto model = make_model_in_parts(form, example.config, example.rows, {parts, &one});
                model->load(example.state);
                const auto loss = static_cast<double>(model->train_step(example.batch(), kRate));
                INFO("form " << static_cast<int>(form) << ", parts " << parts);
                CHECK(std::abs(loss - value_at(*find(views, "loss"), 0)) <= 2e-6 * std::abs(loss));
                const Tensors<float> state = model->save();
                for (const TensorSpec& spec : state.table()) {
                    INFO(spec.name);
                    check_numbers<float>(state[spec.name], *find(views, "new_" + spec.name));
                }
            }
        }
    });
}

TEST_CASE("parts: every value of the fused step is that of the whole network, within a few roundings") {
    for_each_example([&](const networks::Example& example) {
        const auto right = in_double(example);
        const std::vector<View> views = right->views();
        Fused fused(example.config, example.rows, Keep::all, 1, 5);
        fused.load(example.state);
        fused.run(example.batch(), kRate);
        const Tensors<float> kept = fused.kept();
        for (const TensorSpec& spec : kept.table()) {
            INFO(spec.name);
            check_numbers<float>(kept[spec.name], *find(views, spec.name));
        }
    });
}

TEST_CASE("parts: the fused step makes the same bytes on any number of threads and of ranks") {
    for_each_example([&](const networks::Example& example) {
        const auto by = [&](std::size_t threads, Group& group) {
            const auto model = make_model_in_parts(HandForm::fused, example.config, example.rows, {7, &group}, threads);
            return trained(*model, example);
        };
        Single one;
        const std::vector<float> single = by(1, one);
        CHECK(same_bytes(by(3, one), single));
        for (const std::size_t ranks : {2U, 3U, 11U}) {
            check_on_ranks(ranks, single, [&](Group& group) { return by(ranks == 3 ? 2 : 1, group); });
        }
    });
}

TEST_CASE("parts: a step with kernels, for networks without a fused step") {
    for (const NetworkConfig& config : networks::with_every_operation()) {
        const networks::Example example = networks::make(config, 13, 5);
        const auto right = in_double(example);
        const std::vector<View> views = right->views();
        const MakePart make = [&](const BatchPart& part) {
            return with_kernels_of_part(hand_graph(HandForm::fused, config, part), part);
        };
        Single one;
        PartsRunner runner(make, 13, 5, one);
        copy_into(runner.shared(), example.state);
        runner.run(example.batch(), kRate);
        INFO(networks::describe(config, 13));
        for (const TensorSpec& spec : state(config)) {
            INFO(spec.name);
            check_numbers<float>(runner.shared()["new_" + spec.name], *find(views, "new_" + spec.name));
        }
    }
}

TEST_CASE("parts: sums that no step reads yet are gathered together") {
    const NetworkConfig config = [] {
        NetworkConfig with_norm = networks::small({17});
        test::set(with_norm, &ShortForm::norm_place, "before");
        with_norm.norm.affine = true;
        return with_norm;
    }();
    Single one;
    const auto messages = [&](HandForm form) {
        return PartsRunner([&](const BatchPart& part) { return hand_graph(form, config, part); }, 9, 3, one).messages();
    };
    // The mean, the variance; the loss with dW2, db2, dγ and dβ; the other gradients.
    CHECK(messages(HandForm::collapsed) == 4);
    CHECK(messages(HandForm::fused) == 4);
    // In small steps also dbnvar_inv, which dbnvar reads, and dbnmeani.
    CHECK(messages(HandForm::stepwise) == 5);
}

TEST_CASE("parts: the fused step sends a message for each sum that it waits for") {
    const auto sent = [&](const NetworkConfig& config, std::size_t ranks) {
        const networks::Example example = networks::make(config, 9);
        std::vector<std::size_t> gathers(ranks);
        thread_ranks::on_each(ranks, [&](thread_ranks::Thread& group) {
            Fused fused(config, 9, Keep::needed, 1, 3, &group);
            fused.load(example.state);
            fused.run(example.batch(), kRate);
            gathers[group.rank()] = group.gathers;
        });
        CHECK(std::ranges::count(gathers, gathers.front()) == static_cast<std::ptrdiff_t>(ranks));
        return gathers.front();
    };
    NetworkConfig config = networks::small({17, 5});
    test::set(config, &ShortForm::norm_place, "none");
    CHECK(sent(config, 2) == 1);
    test::set(config, &ShortForm::norm_place, "before");
    CHECK(sent(config, 1) == 0);
    for (const std::size_t ranks : {2U, 5U}) {
        CHECK(sent(config, ranks) == 2 * 2 + 1);  // of each norm its mean with its variance, and dγ with dβ
    }
    // 65,536 weights have a message of their own, but not in the first layer, after which nothing is computed.
    test::set(config, &ShortForm::hidden, {300, 260});
    CHECK(sent(config, 2) == 2 * 2 + 2);
    test::set(config, &ShortForm::hidden, {4000, 5});
    CHECK(sent(config, 2) == 2 * 2 + 1);
}

TEST_CASE("parts: large layers, whose gradients travel while others are computed, make the same bytes on any ranks") {
    NetworkConfig config = networks::small({300, 257, 5});
    test::set(config, &ShortForm::norm_place, "before");
    const networks::Example example = networks::make(config, 9, 3);
    const auto by = [&](Group& group) {
        return trained(*make_model_in_parts(HandForm::fused, config, 9, {4, &group}), example);
    };
    Single one;
    const std::vector<float> single = by(one);
    for (const std::size_t ranks : {2U, 3U, 5U}) {
        check_on_ranks(ranks, single, by);
    }
}

// Training in parts: the same bytes on any number of ranks, and the network's values within rounding.
#include "manual/parts.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "base/thread_ranks.h"
#include "manual/models.h"
#include "manual/networks.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

constexpr float kRate = 0.3F;
using thread_ranks::kRanks;
using thread_ranks::same_bytes;

std::vector<float> trained(Model& model, const networks::Example& example) {
    return thread_ranks::trained(model, example.state, example.batch(), kRate, 3);
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
            CHECK(same_bytes(trained(*make_model_in_parts(form, config, 9, 1, one), example), whole));
        }
    }
}

TEST_CASE("parts: the same bytes on any number of ranks, uneven parts and ranks without a row included") {
    unsigned seed = 20;
    const std::vector<NetworkConfig> all = networks::with_every_operation();
    for (std::size_t i = 0; i < all.size(); i += i + 3 < all.size() ? 3 : 1) {
        const std::size_t rows = i % 2 == 0 ? 33 : 8;
        const networks::Example example = networks::make(all[i], rows, ++seed);
        for (const HandForm form : kForms) {
            Single one;
            const std::vector<float> single = trained(*make_model_in_parts(form, all[i], rows, 8, one), example);
            for (const std::size_t ranks : kRanks) {
                for (const std::vector<float>& of_rank : thread_ranks::of_each_rank(ranks, [&](Group& group) {
                         return trained(*make_model_in_parts(form, all[i], rows, 8, group), example);
                     })) {
                    INFO(networks::describe(all[i], rows) << ", form " << static_cast<int>(form) << ", " << ranks);
                    CHECK(same_bytes(of_rank, single));
                }
            }
        }
    }
}

TEST_CASE("parts: a step makes what the whole network makes, within a few roundings of the largest number") {
    Single one;
    unsigned seed = 70;
    for (const NetworkConfig& config : networks::with_every_operation()) {
        const networks::Example example = networks::make(config, 13, ++seed);
        const auto right = make_hand_implementation(HandForm::stepwise, config, 13, DType::float64);
        right->load(example.state);
        right->run(example.batch(), kRate);
        const std::vector<View> views = right->views();
        for (const HandForm form : kForms) {
            for (const std::size_t parts : {2U, 5U, 13U}) {
                const auto model = make_model_in_parts(form, config, 13, parts, one);
                model->load(example.state);
                const auto loss = static_cast<double>(model->train_step(example.batch(), kRate));
                INFO(networks::describe(config, 13) << ", form " << static_cast<int>(form) << ", parts " << parts);
                CHECK(std::abs(loss - value_at(*find(views, "loss"), 0)) <= 2e-6 * std::abs(loss));
                const Tensors<float> state = model->save();
                for (const TensorSpec& spec : state.table()) {
                    INFO(spec.name);
                    const View& expected = *find(views, "new_" + spec.name);
                    double size = 0, off = 0;
                    for (std::size_t i = 0; i < count(spec.shape); ++i) {
                        size = std::max(size, std::abs(value_at(expected, i)));
                        const double here = std::abs(static_cast<double>(state[spec.name][i]) - value_at(expected, i));
                        off = std::isnan(off) || off >= here ? off : here;  // a NaN is kept
                    }
                    CHECK(off <= 2e-5 * size + 1e-6);
                }
            }
        }
    }
}

TEST_CASE("parts: sums that no step reads yet are gathered together") {
    const NetworkConfig config = [] {
        NetworkConfig with_norm = networks::small({17});
        with_norm.norm.place = NormPlace::before;
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

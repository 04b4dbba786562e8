// LibTorch's reference operations: for consistent values they equal the values of LibTorch's own run, with autograd for
// gradients; and they depend exactly on what they declare.
#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "torch_ref/example.h"
#include "torch_ref/near.h"
#include "torch_ref/stepwise.h"

using namespace byhand;

namespace {

// All values of one training step in double, with its inputs. The views are valid as long as this object.
struct Consistent {
    example::Example example;
    std::unique_ptr<Model> implementation;
    float rate = 0.25F;
    std::vector<View> views;

    explicit Consistent(const NetworkConfig& config, std::size_t rows = 6, unsigned seed = 7)
        : example(example::make(config, rows, seed)),
          implementation(torch_ref::stepwise(config, rows, DType::float64)) {
        views = example::views_after(*implementation, example, rate);
        views.push_back({"X", {rows, config.context}, DType::int64, example.X.data()});
        views.push_back({"Y", {rows}, DType::int64, example.Y.data()});
        views.push_back({"rate", {}, DType::float32, &rate});
    }
    Consistent(const Consistent&) = delete;
    Consistent& operator=(const Consistent&) = delete;
};

// Every convention, and ε = 0.
std::vector<NetworkConfig> conventions(const std::vector<std::size_t>& hidden) {
    std::vector<NetworkConfig> all = example::all_conventions(hidden);
    for (const std::string place : {"before", "after"}) {
        NetworkConfig config = example::small_network(hidden);
        test::set(config, &ShortForm::norm_place, place);
        config.norm.epsilon = 0;
        test::set(config, &ShortForm::output_norm, place == "after");
        all.push_back(config);
    }
    return all;
}

// A bias before a norm, whose mean removes it, and the shift by the maximum: only rounding errors are left.
bool is_zero_in_exact_arithmetic(const NetworkConfig& config, const std::string& name) {
    for (const Layer& layer : layers(config)) {
        if (layer.has_batchnorm_first && name == gradient_of(layer.b())) {
            return true;
        }
    }
    return name == "dlogit_maxes";
}

void check_all(const ReferenceOperations& reference_operations, const Consistent& consistent) {
    for (const std::string& name : reference_operations.names()) {
        const std::vector<double> expected = near::values(consistent.implementation->views(), name);
        const double absolute = is_zero_in_exact_arithmetic(consistent.example.config, name) ? 1e-15 : 0;
        near::check(name, reference_operations.evaluate(name, consistent.views), expected, 1e-12, absolute);
    }
}

std::set<std::string> names_of(const std::vector<View>& views) {
    std::set<std::string> names;
    for (const View& view : views) {
        names.insert(view.name);
    }
    return names;
}

std::set<std::string> read_by(const ReferenceOperations& reference_operations, const std::string& name) {
    std::set<std::string> names;
    for (const TensorSpec& spec : reference_operations.reads(name)) {
        names.insert(spec.name);
    }
    return names;
}

// Owns one tensor's numbers, with a changed value.
struct Changed {
    std::vector<double> numbers;
    std::vector<std::int64_t> indices;

    View view(const View& of) const {
        const bool holds_indices = of.dtype == DType::int64;
        return {of.name, of.shape, holds_indices ? DType::int64 : DType::float64,
                holds_indices ? static_cast<const void*>(indices.data()) : static_cast<const void*>(numbers.data())};
    }
};

std::array<std::unique_ptr<ReferenceOperations>, 3> all_reference_operations(const NetworkConfig& config) {
    return {torch_ref::reference_operations(HandForm::stepwise, config, 6),
            torch_ref::reference_operations(HandForm::collapsed, config, 6),
            torch_ref::reference_operations(HandForm::fused, config, 6)};
}

}  // namespace

TEST_CASE(
    "reference operations: for consistent values each result is that of autograd over small steps, in each form") {
    using Names = std::set<std::string>;
    for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{7}, {4, 5}, {5, 3, 4}}) {
        for (const NetworkConfig& config : conventions(hidden)) {
            INFO(networks::describe(config, 0));
            const Consistent consistent(config);
            const auto [stepwise, collapsed, fused] = all_reference_operations(config);
            for (const auto* reference_operations : {&stepwise, &collapsed, &fused}) {
                check_all(**reference_operations, consistent);
                const std::vector<std::string> names = (*reference_operations)->names();
                CHECK(Names(names.begin(), names.end()).size() == names.size());
            }

            // Complete: every computed value has a reference operation.
            Names made = names_of(consistent.implementation->views());
            for (const TensorSpec& spec : state(config)) {
                made.erase(spec.name);
            }
            const std::vector<std::string> names = stepwise->names();
            CHECK(Names(names.begin(), names.end()) == made);

            CHECK(read_by(*collapsed, "dlogits") == Names{"logits", "Y"});
            CHECK(read_by(*collapsed, "loss") == Names{"logits", "Y"});
            CHECK_THROWS_AS(collapsed->reads("dprobs"), std::out_of_range);
            CHECK(read_by(*fused, "counts") == Names{"norm_logits"});
            for (const Layer& layer : layers(config)) {
                if (!layer.has_batchnorm) {
                    continue;
                }
                const std::string dhprebn = gradient_of(layer.value("hprebn"));
                const Names reads = read_by(*collapsed, dhprebn), reads_of_fused = read_by(*fused, dhprebn);
                CHECK(reads.size() == 4);
                CHECK(reads.contains(layer.value("bnvar_inv")));
                CHECK_FALSE(reads.contains(layer.value("bndiff")));
                CHECK_FALSE(reads.contains(layer.value("dbndiff")));
                CHECK(reads_of_fused.size() == (config.norm.affine ? 7 : 4));
                CHECK(reads_of_fused.contains(layer.value("dbngain")) == config.norm.affine);
                CHECK(read_by(*fused, layer.value("bnvar")) == Names{layer.value("bndiff")});
            }
        }
    }
}

TEST_CASE("reference operations: a result depends only on its declared inputs, which have the values' shapes") {
    for (const std::string place : {"before", "after", "none"}) {
        NetworkConfig config = example::small_network({4, 5});
        test::set(config, &ShortForm::norm_place, place);
        test::set(config, &ShortForm::output_norm, place == "before");
        INFO(networks::describe(config, 0));
        const Consistent consistent(config);
        for (const auto& reference_operations : all_reference_operations(config)) {
            for (const std::string& name : reference_operations->names()) {
                INFO(name);
                const std::vector<double> expected = reference_operations->evaluate(name, consistent.views);
                const std::set<std::string> reads = read_by(*reference_operations, name);
                CHECK(reads.size() == reference_operations->reads(name).size());
                for (const TensorSpec& spec : reference_operations->reads(name)) {
                    CHECK(near::view(consistent.views, spec.name).shape == spec.shape);
                }
                std::vector<View> needed, spoiled;
                std::vector<Changed> garbage(consistent.views.size());
                for (std::size_t v = 0; v < consistent.views.size(); ++v) {
                    const View& view = consistent.views[v];
                    if (reads.contains(view.name)) {
                        needed.push_back(view);
                        spoiled.push_back(view);
                        continue;
                    }
                    garbage[v].numbers.assign(count(view.shape), std::numeric_limits<double>::quiet_NaN());
                    garbage[v].indices.assign(count(view.shape), 1'000'000);
                    spoiled.push_back(garbage[v].view(view));
                }
                CHECK(needed.size() == reads.size());
                CHECK(reference_operations->evaluate(name, needed) == expected);
                CHECK(reference_operations->evaluate(name, spoiled) == expected);
            }
        }
    }
}

TEST_CASE("reference operations: a missing input is an error that names it") {
    const NetworkConfig config = example::small_network({7});
    const Consistent consistent(config);
    for (const auto& reference_operations : all_reference_operations(config)) {
        for (const std::string& name : reference_operations->names()) {
            REQUIRE(!read_by(*reference_operations, name).empty());
            for (const std::string& missing : read_by(*reference_operations, name)) {
                std::vector<View> without = consistent.views;
                std::erase_if(without, [&](const View& view) { return view.name == missing; });
                CHECK_THROWS_MATCHES(reference_operations->evaluate(name, without), std::out_of_range,
                                     Catch::Matchers::Message(name + " can't be computed without " + missing));
            }
        }
        CHECK_THROWS_AS(reference_operations->evaluate("nothing", consistent.views), std::out_of_range);
        CHECK_THROWS_AS(reference_operations->reads("nothing"), std::out_of_range);
    }
}

TEST_CASE("reference operations: for inconsistent values they use the given inputs, by hand-computed gradients") {
    // Cases that consistent values hide: their sums are zero, and their maxima are where they should be.
    const NetworkConfig config = example::small_network({7});
    const std::size_t rows = 3, V = config.vocabulary;
    const auto reference_operations = torch_ref::reference_operations(HandForm::stepwise, config, rows);
    std::vector<double> dnorm, dmaxes, logits;
    for (std::size_t i = 0; i < rows * V; ++i) {
        dnorm.push_back(std::sin(1.0 + static_cast<double>(i)));
        logits.push_back(std::cos(3.0 * static_cast<double>(i)));
    }
    for (std::size_t i = 0; i < rows; ++i) {
        dmaxes.push_back(0.3 + static_cast<double>(i));
    }
    logits[1 * V + 2] = logits[1 * V + 4] = 2;  // a tie: the first gets all of it
    std::vector<double> expected = dnorm, sums(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i * V);
        const auto at = std::max_element(row, row + static_cast<std::ptrdiff_t>(V)) - row;
        expected[i * V + static_cast<std::size_t>(at)] += dmaxes[i];
        for (std::size_t j = 0; j < V; ++j) {
            sums[i] -= dnorm[i * V + j];
        }
    }
    // A step that subtracts may read values that are inconsistent with each other.
    std::vector<View> views = {{"dnorm_logits", {rows, V}, DType::float64, dnorm.data()},
                               {"dlogit_maxes", {rows}, DType::float64, dmaxes.data()},
                               {"logits", {rows, V}, DType::float64, logits.data()},
                               {"logit_maxes", {rows}, DType::float64, dmaxes.data()}};
    near::check("dlogits", reference_operations->evaluate("dlogits", views), expected, 1e-15, 0);
    near::check("dlogit_maxes", reference_operations->evaluate("dlogit_maxes", views), sums, 1e-15, 0);

    // C collects from every position; float values are used as they are.
    const std::vector<std::int64_t> X = {4, 0, 4, 1, 4, 0, 2, 2, 1};
    std::vector<float> demb, C(V * 2, 0.5F);
    std::vector<double> dC(V * 2);
    for (std::size_t i = 0; i < X.size() * 2; ++i) {
        demb.push_back(0.1F + static_cast<float>(i * i));
        dC[static_cast<std::size_t>(X[i / 2]) * 2 + i % 2] += static_cast<double>(demb.back());
    }
    views = {{"demb", {rows, 3, 2}, DType::float32, demb.data()},
             {"C", {V, 2}, DType::float32, C.data()},
             {"X", {rows, 3}, DType::int64, X.data()}};
    near::check("dC", reference_operations->evaluate("dC", views), dC, 1e-15, 0);
}

TEST_CASE("reference operations: an invalid network is refused") {
    NetworkConfig config = example::small_network({7});
    hidden_linears(config).front()->outputs = 0;
    CHECK_THROWS_AS(torch_ref::reference_operations(HandForm::stepwise, config, 6), InputError);
    CHECK_THROWS_AS(torch_ref::reference_operations(HandForm::collapsed, config, 6), InputError);
    CHECK_THROWS_AS(torch_ref::reference_operations(HandForm::stepwise, example::small_network({7}), 1), InputError);
}

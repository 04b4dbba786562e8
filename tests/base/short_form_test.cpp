// The words of recipes for a network whose layers are alike, and changes of lists of operations.
#include "base/short_form.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"

using namespace byhand;

namespace {

using List = std::vector<OperationConfig>;

// What `change` makes of a list.
template <class Change>
std::string changed(List list, Change change) {
    change(list);
    check_layers(list);
    return test::text(list);
}

OperationConfig residual_of(std::size_t from) {
    OperationConfig residual{op::kResidual};
    residual.from = from;
    return residual;
}

}  // namespace

TEST_CASE("short form: it expands to a list of operations, and the list folds back to it") {
    ShortForm form;
    for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{7}, {5, 3}, {4, 4, 4, 3}}) {
        for (const std::string place : {"none", "before", "after"}) {
            for (const char* norm : op::kNorms) {
                for (unsigned bits = 0; bits < 16; ++bits) {
                    const bool has_norm = place != "none";
                    form.hidden = hidden;
                    form.norm_place = place;
                    form.norm = has_norm ? norm : op::kBatchnorm;  // without a norm its kind is not kept
                    form.output_norm = has_norm && (bits & 1) != 0;
                    form.hidden_bias = (bits & 2) != 0;
                    form.output_bias = form.tied = (bits & 4) != 0;
                    form.residual = (bits & 8) != 0 && hidden.size() == 4;
                    form.flatten = (bits & 8) != 0 && hidden.size() == 2 ? 3 : 0;
                    form.activation = hidden.size() == 1 ? "gelu" : op::kTanh;
                    INFO(test::text(layers_of(form)));
                    CHECK(short_form_of(layers_of(form)) == form);
                    CHECK_NOTHROW(check_layers(layers_of(form)));
                }
            }
        }
    }
    form = {.hidden = {5, 3}, .hidden_bias = false, .norm_place = "after", .output_norm = true};
    CHECK(test::text(layers_of(form)) ==
          "linear 5 -b, tanh, batchnorm, linear 3 -b, tanh, batchnorm, linear, batchnorm");
    form = {.hidden = {5, 3, 3}, .residual = true, .norm = op::kRmsnorm};
    CHECK(test::text(layers_of(form)) ==
          "linear 5, rmsnorm, tanh, linear 3, rmsnorm, tanh, linear 3, rmsnorm, tanh, residual 5, linear");
    CHECK(layers_of({}) == NetworkConfig().layers);
}

TEST_CASE("short form: lists that it cannot express have none") {
    for (const List& list : {List{{"linear"}},             // no hidden layer
                             {{"linear", 5}, {"linear"}},  // no activation
                             {{"linear", 5}, {"tanh"}, {"linear", 3}, {"relu"}, {"linear"}},
                             {{"linear", 5}, {"tanh"}, {"linear", 3, false}, {"tanh"}, {"linear"}},
                             {{"linear", 5}, {"dropout"}, {"tanh"}, {"linear"}},
                             {{"linear", 5}, {"tanh"}, {"linear"}, {"batchnorm"}},  // only on the output
                             {{"linear", 5}, {"tanh"}, {"linear", 5}, {"tanh"}, residual_of(0), {"linear"}}}) {
        INFO(test::text(list));
        CHECK_FALSE(short_form_of(list));
    }
    // More widths than a recipe's "hidden" takes.
    CHECK(short_form_of(layers_of({.hidden = std::vector<std::size_t>(kMostHiddenLayers, 1)})));
    CHECK_FALSE(short_form_of(layers_of({.hidden = std::vector<std::size_t>(kMostHiddenLayers + 1, 1)})));
}

TEST_CASE("short form: impossible words are refused") {
    CHECK_THROWS_WITH(layers_of({.hidden = {7, 5, 7}, .residual = true}),
                      "residual: no hidden layer is as wide as the one below it, position for position: give two in a "
                      "row the same width, without flatten");
    CHECK_THROWS_AS(layers_of({.hidden = {7, 7}, .flatten = 2, .residual = true}), InputError);
}

TEST_CASE("set_widths: any number of layers that are alike, else as many as there are") {
    List list = layers_of({.hidden = {5, 5}, .residual = true});
    CHECK(set_widths(list, {7, 7, 4}));
    CHECK(list == layers_of({.hidden = {7, 7, 4}, .residual = true}));
    CHECK_THROWS_AS(set_widths(list, {7, 6}), InputError);  // leaves the residual no place

    list = {{"linear", 7}, {"tanh"}, {"linear", 5}, {"relu"}, {"linear"}};
    CHECK_FALSE(set_widths(list, {3}));
    CHECK(set_widths(list, {3, 2}));
    CHECK(test::text(list) == "linear 3, tanh, linear 2, relu, linear");
    for (const std::vector<std::size_t>& widths : {std::vector<std::size_t>{}, {5, 0}}) {
        CHECK_THROWS_AS(set_widths(list, widths), InputError);
    }
}

TEST_CASE("set_activation: every activation of a list, and none where there is none") {
    const auto relu = [](List& list) { CHECK(set_activation(list, "relu") == 2); };
    CHECK(changed({{"linear", 7}, {"tanh"}, {"dropout"}, {"linear", 5}, {"gelu"}, {"linear"}}, relu) ==
          "linear 7, relu, dropout, linear 5, relu, linear");
    List list = {{"linear", 3}, {"batchnorm"}, {"linear"}};
    CHECK(set_activation(list, "relu") == 0);
    list = {{"linear", 3}, {"leaky_relu"}, {"linear"}};
    list[1].negative_slope = 0.3;
    CHECK(set_activation(list, op::kLeakyRelu) == 1);
    CHECK(list[1].negative_slope == 0.3);  // it was one before
}

TEST_CASE("place_norms: around the activations of hidden layers, and residuals add the same results") {
    const List list = {{"linear", 7},  {"dropout"},   {"tanh"}, {"linear", 7},  {"layernorm"}, {"relu"},
                       residual_of(2), {"linear", 7}, {"gelu"}, residual_of(6), {"linear"},    {"batchnorm"}};
    const auto place = [](const char* where, std::size_t places) {
        return [where, places](List& changing) { CHECK(place_norms(changing, where) == places); };
    };
    CHECK(changed(list, place("before", 3)) ==
          "linear 7, dropout, layernorm, tanh, linear 7, layernorm, relu, residual 3, linear 7, layernorm, gelu, "
          "residual 7, linear, batchnorm");
    CHECK(changed(list, place("after", 3)) ==
          "linear 7, dropout, tanh, layernorm, linear 7, relu, layernorm, residual 3, linear 7, gelu, layernorm, "
          "residual 7, linear, batchnorm");
    CHECK(changed(list, place("none", 2)) ==
          "linear 7, dropout, tanh, linear 7, relu, residual 2, linear 7, gelu, residual 5, linear");

    // As the words of a recipe: every place from every other, with the norm's own options.
    for (const char* from : {"before", "after"}) {
        for (const char* to : {"before", "after", "none"}) {
            List moved = layers_of({.hidden = {5, 5, 3}, .residual = true, .norm = op::kRmsnorm, .norm_place = from});
            place_norms(moved, to);
            const std::string norm = to == std::string("none") ? op::kBatchnorm : op::kRmsnorm;
            CHECK(moved == layers_of({.hidden = {5, 5, 3}, .residual = true, .norm = norm, .norm_place = to}));
        }
    }
    // A norm that is where it is asked for stays where it is, and residuals as they are.
    const List apart = {{"linear", 6}, {"tanh"},       {"dropout"}, {"batchnorm"}, {"linear", 6},
                        {"batchnorm"}, residual_of(1), {"relu"},    {"linear"}};
    CHECK(changed(apart, place("after", 2)) ==
          "linear 6, tanh, dropout, batchnorm, linear 6, residual 1, relu, batchnorm, linear");
    CHECK(changed(apart, place("before", 2)) ==
          "linear 6, batchnorm, tanh, dropout, linear 6, batchnorm, residual 2, relu, linear");
    List own = layers_of({});
    own[1].epsilon = 0.5;
    CHECK(place_norms(own, "after") == 1);
    CHECK(own[2].epsilon == 0.5);
    List none = {{"linear", 3}, {"tanh"}, {"linear"}};
    CHECK(place_norms(none, "before", op::kRmsnorm) == 1);
    CHECK(none[1].op == op::kRmsnorm);
    List linears = {{"linear", 3}, {"batchnorm"}, {"linear"}};
    CHECK(place_norms(linears, "before") == 0);
}

TEST_CASE("set_norm: every norm is of another kind, at its place and with its options") {
    List list = {{"linear", 7}, {"batchnorm"}, {"tanh"}, {"linear"}, {"batchnorm"}};
    list[1].momentum = 0.25;
    list[1].epsilon = 0.5;
    set_norm(list, op::kLayernorm);
    CHECK(test::text(list) == "linear 7, layernorm, tanh, linear, layernorm");
    CHECK_FALSE(list[1].momentum);  // a layer norm has none
    CHECK(list[1].epsilon == 0.5);
}

TEST_CASE("add_residuals: to layers as wide as the one below, once") {
    const auto add = [](std::size_t places) { return [places](List& list) { CHECK(add_residuals(list) == places); }; };
    OperationConfig pair{op::kFlatten};
    pair.positions = 2;
    const List alike = {{"linear", 5}, {"tanh"}, {"linear", 5}, {"relu"}, {"linear", 5}, {"linear", 3}, {"linear"}};
    const std::string with = "linear 5, tanh, linear 5, relu, residual 1, linear 5, residual 4, linear 3, linear";
    CHECK(changed(alike, add(2)) == with);
    CHECK(changed(alike, [](List& list) { CHECK(add_residuals(list) + add_residuals(list) == 4); }) == with);
    // One that is there adds what it did.
    CHECK(
        changed({{"linear", 5}, {"tanh"}, {"linear", 5}, {"tanh"}, {"linear", 5}, {"tanh"}, residual_of(3), {"linear"}},
                add(2)) == "linear 5, tanh, linear 5, tanh, residual 1, linear 5, tanh, residual 3, linear");
    CHECK(changed({{"linear", 5}, {"tanh"}, pair, {"linear", 5}, {"tanh"}, {"linear"}}, add(0)) ==
          "linear 5, tanh, flatten, linear 5, tanh, linear");
}

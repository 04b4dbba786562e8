#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/short_form.h"
#include "base/utf8.h"
#include "manual/operation.h"
#include "recipe/json_fields.h"
#include "recipe/recipe.h"

// One description for each object of the file, used for reading and writing.

namespace byhand {
namespace {

constexpr std::size_t kMostRules = 1024;
constexpr Whole kWidth{1, std::uint64_t{1} << 31};
constexpr Whole kSteps{0, kMostSteps};
constexpr Whole kSeed{0, std::numeric_limits<std::uint64_t>::max()};
constexpr double kLargest = 1e30;    // finite in float, and so is its product with any normal draw
constexpr double kSmallest = 1e-30;  // representable in float with full precision
constexpr Number kFactor{-kLargest, kLargest};

constexpr std::pair<const char*, const char*> kNormKinds[] = {
    {"batch", op::kBatchnorm}, {"layer", op::kLayernorm}, {"rms", op::kRmsnorm}};
constexpr std::pair<const char*, Divisor> kDivisors[] = {{"n", Divisor::n}, {"n-1", Divisor::n_minus_1}};
constexpr std::pair<const char*, RunningSpread> kSpreads[] = {{"variance", RunningSpread::variance},
                                                              {"deviation", RunningSpread::deviation}};
constexpr std::pair<const char*, EvaluationFigures> kFigures[] = {{"running", EvaluationFigures::running},
                                                                  {"training-set", EvaluationFigures::training_set}};
enum class EpsilonWord { inside, outside, none };
constexpr std::pair<const char*, EpsilonWord> kEpsilonWords[] = {
    {"inside", EpsilonWord::inside}, {"outside", EpsilonWord::outside}, {"none", EpsilonWord::none}};
constexpr std::pair<const char*, bool> kMomentumOf[] = {{"new", false}, {"old", true}};
constexpr std::pair<const char*, LayerSet> kLayerSets[] = {
    {"all", LayerSet::all}, {"hidden", LayerSet::hidden}, {"output", LayerSet::output}};
constexpr std::pair<const char*, bool> kOver[] = {{"sqrt_fan_in", true}};

constexpr std::pair<const char*, RateThen> kThens[] = {
    {"hold", RateThen::hold}, {"linear", RateThen::linear}, {"cosine", RateThen::cosine}};
constexpr std::pair<const char*, OptimizerKind> kOptimizers[] = {{"sgd", OptimizerKind::sgd},
                                                                 {"adamw", OptimizerKind::adamw}};

std::vector<double> cuts(const Field& field) {
    std::vector<double> two;
    List{2, 2, Number{0, 1}}.read(field, two);
    const bool rising = 0 < two[0] && two[0] < two[1] && two[1] < 1;
    if (!rising) {
        refuse(field.where, field.path, "takes two cuts that leave three parts: 0 < first < second < 1");
    }
    return two;
}

// A list of layers determines the places of the norms, so that it has no short form.
void describe_norm(Object& object, NormConfig& norm, ShortForm* form) {
    if (form != nullptr) {
        object.take_if(form->norm != op::kBatchnorm, "kind", form->norm, kNormKinds);
        object.take("place", form->norm_place, OneOf{{"before", "after", "none"}});
        object.take("output", form->output_norm, truth);
    }
    object.take("affine", norm.affine, truth);
    object.take("batch_divisor", norm.batch_divisor, kDivisors);
    object.take("running_divisor", norm.running_divisor, kDivisors);
    object.take("running", norm.running_spread, kSpreads);

    bool of_old = false;
    const bool has_momentum = object.take("momentum", norm.momentum, Number{0, 1});
    object.take("momentum_of", of_old, kMomentumOf);
    if (has_momentum && of_old) {
        norm.momentum = 1 - norm.momentum;
    }

    auto place = norm.epsilon_place == EpsilonPlace::outside ? EpsilonWord::outside
                 : norm.epsilon == 0                         ? EpsilonWord::none
                                                             : EpsilonWord::inside;
    const bool has_epsilon = object.take("epsilon", norm.epsilon, Number{0, std::numeric_limits<double>::max()});
    object.take("epsilon_place", place, kEpsilonWords);
    if (place == EpsilonWord::none && !has_epsilon) {
        norm.epsilon = 0;
    }
    norm.epsilon_place = place == EpsilonWord::outside ? EpsilonPlace::outside : EpsilonPlace::inside;

    object.take("evaluation", norm.evaluation, kFigures);
    object.refuse_if(place == EpsilonWord::none && norm.epsilon != 0, "epsilon",
                     R"(but epsilon_place is "none": give "inside" or "outside", or leave epsilon out)");
    for (const char* key : {"kind", "place", "output"}) {
        object.refuse_if(form == nullptr, key, "but \"layers\" determines where the norms are: leave it out");
    }
}

void describe_bias(Object& object, ShortForm& form) {
    object.take("hidden", form.hidden_bias, truth);
    object.take("output", form.output_bias, truth);
}

void describe_operation(Object& object, OperationConfig& one) {
    object.need("op", one.op, OneOf{listed_operations()});
    object.maybe("outputs", one.outputs, kWidth);
    object.take_if(one.op == op::kLinear, "bias", one.bias, truth);
    object.maybe("positions", one.positions, Whole{1, kMostContext});
    const bool has_from = object.take_if(one.op == op::kResidual, "from", one.from, Whole{0, kMostOperations});
    object.maybe("tied", one.tied, truth);
    object.take_if(one.op == op::kDropout, "p", one.p, Number{0, 1});
    object.take_if(one.op == op::kLeakyRelu, "negative_slope", one.negative_slope, kFactor);
    object.maybe("affine", one.affine, truth);
    object.maybe("epsilon", one.epsilon, Number{0, std::numeric_limits<double>::max()});
    object.maybe("momentum", one.momentum, Number{0, 1});
    for (const char* key : {"outputs", "bias", "tied"}) {
        object.refuse_if(one.op != op::kLinear, key, "but goes with a linear only: leave it out");
    }
    object.refuse_if(one.op != op::kFlatten, "positions", "but goes with a flatten only: leave it out");
    object.refuse_if(one.op == op::kFlatten && one.positions == 0,
                     "is a flatten without \"positions\": say how many it joins");
    constexpr double kFinest = 0x1p-24;  // of the random numbers
    object.refuse_if(one.op == op::kDropout && one.p > 1 - kFinest, "p", "which drops everything: give less");
    object.refuse_if(one.op == op::kDropout && one.p < kFinest, "p", "which drops nothing: leave the dropout out");
    object.refuse_if(one.op != op::kDropout, "p", "but goes with a dropout only: leave it out");
    object.refuse_if(one.op != op::kResidual, "from", "but goes with a residual only: leave it out");
    object.refuse_if(one.op == op::kResidual && !has_from,
                     "is a residual without \"from\": say which operation of the list, from 0, makes what it adds");
    for (const char* key : {"affine", "epsilon"}) {
        object.refuse_if(!is_norm(one.op), key, "but goes with a norm only: leave it out");
    }
    object.refuse_if(one.op != op::kBatchnorm, "momentum", "but goes with a batchnorm only: leave it out");
    object.refuse_if(one.op != op::kLeakyRelu, "negative_slope", "but goes with a leaky_relu only: leave it out");
}

// The layers are described by the words of the short form, where they have one and `in_full` does not ask for the list.
void describe_network(Object& object, NetworkConfig& network, bool in_full) {
    object.take("context", network.context, Whole{1, kMostContext});
    object.take("embedding", network.embedding, kWidth);
    const std::optional<ShortForm> short_form = in_full ? std::nullopt : short_form_of(network.layers);
    ShortForm form = short_form.value_or(ShortForm());
    std::vector<OperationConfig> layers = short_form ? std::vector<OperationConfig>() : network.layers;
    object.maybe("layers", layers, List{1, kMostOperations, describe_operation});
    const bool listed = !layers.empty();
    if (!listed) {
        object.take("hidden", form.hidden, List{1, kMostHiddenLayers, kWidth});
        object.maybe("flatten", form.flatten, Whole{1, kMostContext});
        object.take("bias", form, describe_bias);
        object.take_if(form.activation != op::kTanh, "activation", form.activation, OneOf{activations()});
        object.maybe("residual", form.residual, truth);
        object.maybe("tied", form.tied, truth);
    }
    object.take("norm", network.norm,
                [&](Object& norm, NormConfig& target) { describe_norm(norm, target, listed ? nullptr : &form); });
    for (const char* key : {"hidden", "flatten", "bias", "activation", "residual", "tied"}) {
        object.refuse_if(listed, key, "but \"layers\" lists every operation: leave it out");
    }
    try {
        network = with_layers(network, listed ? std::move(layers) : layers_of(form));
    } catch (const InputError& error) {
        object.refuse_part(error.what());
    }
}

void describe_rule(Object& object, InitialRule& rule) {
    object.need(
        "parameter", rule.parameter,
        OneOf{{"C", "W", "b", "bngain", "bnbias", "bnmean_running", "bnvar_running", "lngain", "lnbias", "rmsgain"}});
    object.maybe("layers", rule.layers, kLayerSets);
    object.maybe("normal", rule.normal, kFactor);
    object.maybe("over", rule.over_sqrt_fan_in, kOver);
    double plus = rule.normal ? rule.plus : 0;
    object.maybe("plus", plus, kFactor);
    std::optional<double> constant = rule.normal ? std::nullopt : std::optional(rule.plus);
    object.maybe("constant", constant, kFactor);
    rule.plus = constant.value_or(plus);

    object.refuse_if(rule.parameter == "C" && rule.layers != LayerSet::all, "layers",
                     "but C belongs to no layer: leave it out");
    object.refuse_if(rule.normal.has_value() == constant.has_value(),
                     R"(takes either "normal" or "constant", not both and not neither)");
    for (const char* only_drawn : {"over", "plus"}) {
        object.refuse_if(!rule.normal, only_drawn, "but goes with \"normal\" only: leave it out");
    }
    object.refuse_if(rule.parameter == "C", "over", "but C has no fan-in: leave it out");
}

void describe_initial(Object& object, Recipe& recipe) {
    object.take("seed", recipe.seed, kSeed);
    object.need("rules", recipe.initial, List{1, kMostRules, describe_rule});
}

void describe_data(Object& object, Recipe& recipe) {
    object.take("split_seed", recipe.split_seed, kSeed);
    std::vector<double> split = {recipe.first_cut, recipe.second_cut};
    object.take("split", split, cuts);
    recipe.first_cut = split[0];
    recipe.second_cut = split[1];
}

void describe_batches(Object& object, Recipe& recipe) {
    object.take("size", recipe.batch, kWidth);
    object.take("seed", recipe.batch_seed, OrNull{kSeed});
    object.take_if(recipe.parts > 1, "parts", recipe.parts, Whole{1, kMostParts});
    object.refuse_if(recipe.parts > recipe.batch, "parts",
                     "but the batch has " + std::to_string(recipe.batch) + " rows: give at most as many");
}

void describe_schedule(Object& object, Recipe& recipe) {
    std::optional<std::size_t> before;  // the step of the previous rate
    const auto describe_rate = [&before](Object& entry, RateFrom& rate) {
        entry.need("from", rate.step, kSteps);
        entry.need("rate", rate.rate, Number{kSmallest, kLargest});
        entry.maybe("then", rate.then, kThens);
        entry.refuse_if(!before && rate.step != 0, "from", "but the first rate holds from 0");
        entry.refuse_if(
            before && rate.step <= *before, "from",
            "but the rate before it holds from " + std::to_string(before.value_or(0)) + ": let the steps rise");
        before = rate.step;
    };
    object.need("steps", recipe.steps, kSteps);
    object.need("rates", recipe.rates, List{1, kMostRules, describe_rate});
    if (!recipe.rates.empty() && recipe.rates.back().then != RateThen::hold) {
        object.refuse_part("rates[" + std::to_string(recipe.rates.size() - 1) +
                           "].then: no rate comes after the last: add one, or leave it out");
    }
}

// Each has its own options, and λ.
void describe_optimizer(Object& object, OptimizerConfig& optimizer) {
    constexpr Number kBeta{0, 0.9999999};  // less than 1 in float
    object.need("name", optimizer.kind, kOptimizers);
    const bool is_adamw = optimizer.kind == OptimizerKind::adamw;
    if (is_adamw) {
        object.take("beta1", optimizer.beta1, kBeta);
        object.take("beta2", optimizer.beta2, kBeta);
        object.take("epsilon", optimizer.epsilon, Number{kSmallest, kLargest});
    } else {
        object.take("momentum", optimizer.momentum, Number{0, 1});
        object.take("nesterov", optimizer.nesterov, truth);
    }
    if (!object.take("weight_decay", optimizer.weight_decay, Number{0, kLargest}) && is_adamw) {
        optimizer.weight_decay = kAdamwDecay;
    }
    for (const char* key : {"momentum", "nesterov"}) {
        object.refuse_if(is_adamw, key, "but goes with \"sgd\" only: leave it out");
    }
    for (const char* key : {"beta1", "beta2", "epsilon"}) {
        object.refuse_if(!is_adamw, key, "but goes with \"adamw\" only: leave it out");
    }
    object.refuse_if(optimizer.nesterov && optimizer.momentum == 0, "nesterov",
                     "but goes with a momentum above 0: give one, or leave it out");
}

void describe_sample(Object& object, Recipe& recipe) {
    object.take("seed", recipe.sample_seed, kSeed);
}

void describe_recipe(Object& object, Recipe& recipe, bool in_full) {
    object.need("name", recipe.name, OneLine{100});
    object.maybe("about", recipe.about, OneLine{1000});
    object.take("network", recipe.network,
                [in_full](Object& part, NetworkConfig& network) { describe_network(part, network, in_full); });
    object.need("initial", recipe, describe_initial);
    object.take("data", recipe, describe_data);
    object.take("batches", recipe, describe_batches);
    object.maybe("optimizer", recipe.network.optimizer, describe_optimizer);
    object.need("schedule", recipe, describe_schedule);
    object.take("sample", recipe, describe_sample);
}

}  // namespace

Recipe recipe_from_json(const std::string& text, const std::string& where) {
    const std::string file = "recipe " + printable(where);
    const Json value = strict_json(text, file);
    Recipe recipe;
    Object::read({value, file, ""}, recipe,
                 [](Object& object, Recipe& target) { describe_recipe(object, target, false); });
    NetworkConfig smallest = recipe.network;
    smallest.vocabulary = 2;
    if (!fits_in_memory(smallest, recipe.batch)) {
        refuse(file, "network", "its tensors would take more than 1 TiB; lower its widths, or the batch");
    }
    return recipe;
}

Json json_of(Recipe recipe, bool in_full) {
    return Object::write(recipe,
                         [in_full](Object& object, Recipe& target) { describe_recipe(object, target, in_full); });
}

std::string to_json(const Recipe& recipe, bool in_full) {
    return readable_text(json_of(recipe, in_full)) + "\n";
}

}  // namespace byhand

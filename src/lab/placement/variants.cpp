#include "lab/placement/variants.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "base/json.h"
#include "base/value.h"
#include "lab/held.h"

namespace byhand::lab {
namespace {

const char* word_of(NormPlace place) {
    return place == NormPlace::before ? "before" : place == NormPlace::after ? "after" : "none";
}

Variant variant_of(Recipe recipe, NormPlace place, EpsilonPlace epsilon, bool affine) {
    NormConfig& norm = recipe.network.norm;
    norm.place = place;
    norm.epsilon_place = epsilon;
    norm.affine = affine;
    const bool outside = epsilon == EpsilonPlace::outside;
    const std::string name = word_of(place);
    return {name + (outside ? "_outside" : "") + (affine ? "" : "_plain"),
            name + (outside ? ", ε outside" : "") + (affine ? "" : ", no γ β"), std::move(recipe)};
}

struct AgainstTorch {
    std::size_t gradients = 0;  // comparisons of one: by three networks, with two references
    double used = 0;            // the largest share of a limit
    std::string closest;        // whose
    Summary summary;
    std::map<std::string, double> shares;  // of each gradient that agrees, the largest
    Json data = Json::array();
};

AgainstTorch against_torch(const Variant& variant, const Material& material, const torch_ref::Factory& torch) {
    const Held held =
        hold_against_torch(torch, first_step(variant.recipe, material), {"stepwise", "collapsed", "fused"});
    AgainstTorch found;
    found.summary = held.summary;
    for (const ComparedTensor& tensor : held.step.tensors) {
        const TensorResult& result = tensor.result;
        if (value_of(result.name).kind != Kind::gradient) {
            continue;
        }
        ++found.gradients;
        if (agrees(result.verdict)) {
            double& share = found.shares[result.name];
            share = std::max(share, result.used.value_or(0));
            if (share > found.used) {
                found.used = share;
                found.closest = result.name;
            }
        }
        found.data.push_back({{"name", result.name},
                              {"model", tensor.model},
                              {"witness", tensor.reference},
                              {"used", number(result.used.value_or(std::numeric_limits<double>::quiet_NaN()))},
                              {"verdict", to_string(result.verdict)}});
    }
    return found;
}

// The parameters' gradients of the three places; the JSON has the others.
Table gradients_table(const std::vector<Variant>& variants, const std::vector<AgainstTorch>& found) {
    Table table{"the parameters' gradients: the largest share of a limit", {""}, {}};
    std::vector<std::string> names;
    for (std::size_t v = 0; v < kPlaces; ++v) {
        table.columns.emplace_back(variants[v].words);
        for (const TensorSpec& spec : parameters(variants[v].recipe.network)) {
            const std::string name = gradient_of(spec.name);
            if (std::ranges::find(names, name) == names.end()) {
                names.push_back(name);
            }
        }
    }
    for (const std::string& name : names) {
        std::vector<Cell>& row = table.rows.emplace_back();
        row.emplace_back(name);
        for (std::size_t v = 0; v < kPlaces; ++v) {
            const auto share = found[v].shares.find(name);
            row.push_back(share == found[v].shares.end() ? Cell("–") : percent(share->second));
        }
    }
    return table;
}

}  // namespace

std::vector<Variant> variants_of(const Recipe& recipe) {
    std::vector<Variant> all;
    for (const NormPlace place : {NormPlace::before, NormPlace::after, NormPlace::none}) {
        all.push_back(variant_of(recipe, place, EpsilonPlace::inside, true));
    }
    for (const NormPlace place : {NormPlace::before, NormPlace::after}) {
        all.push_back(variant_of(recipe, place, EpsilonPlace::outside, true));
        all.push_back(variant_of(recipe, place, EpsilonPlace::inside, false));
        all.push_back(variant_of(recipe, place, EpsilonPlace::outside, false));
    }
    return all;
}

void tell_agreement(Document& document, const std::vector<Variant>& variants, const Material& material,
                    const Setting& setting) {
    document.blocks.emplace_back(
        Text{"One training step of each by hand (the small steps, the collapsed formulas, the fused kernels) beside "
             "LibTorch's operations and torch::nn, as byhand compare does it; γ and β drawn. The share is of what "
             "rounding in float may come to. (A dash: not there, or nothing but rounding, as the gradient of a bias "
             "that the norm takes out again.)"});
    Table table{"each variant against LibTorch", {"", "gradients", "closest", "share of limit", "verdict"}, {}};
    std::vector<AgainstTorch> all;
    all.reserve(variants.size());
    setting.progress(0, variants.size());
    for (const Variant& variant : variants) {
        const AgainstTorch& found = all.emplace_back(against_torch(variant, material, *setting.torch));
        setting.progress(all.size(), variants.size());
        table.rows.push_back({variant.words, whole(found.gradients), found.closest, percent(found.used),
                              found.summary.agree ? "agrees" : "DISAGREES"});
        document.agrees = document.agrees && found.summary.agree;
        document.data[variant.key]["torch"] = {{"agrees", found.summary.agree},
                                               {"tensors", found.summary.compared},
                                               {"largest_share", found.used},
                                               {"gradients", found.data}};
    }
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(gradients_table(variants, all));
}

}  // namespace byhand::lab

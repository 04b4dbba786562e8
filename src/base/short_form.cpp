#include "base/short_form.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/error.h"

namespace byhand {
namespace {

using Layers = std::vector<OperationConfig>;

bool is_linear(const OperationConfig& one) {
    return one.op == op::kLinear;
}
bool is_an_activation(const OperationConfig& one) {
    return is_activation(one.op);
}
bool is_a_norm(const OperationConfig& one) {
    return is_norm(one.op);
}

// The operations of a layer: [begin, end), the linear first; a flatten before the next linear is not among them.
struct Span {
    std::size_t begin = 0, end = 0;
    bool is_output = false;
};

std::vector<Span> spans(const Layers& layers) {
    std::vector<Span> all;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (is_linear(layers[i])) {
            all.push_back({i, i, false});
        }
        if (!all.empty() && layers[i].op != op::kFlatten) {
            all.back().end = i + 1;
        }
    }
    all.back().is_output = true;
    return all;
}

// In this order a change of one layer leaves the places of the next.
std::vector<Span> from_the_last(const Layers& layers) {
    std::vector<Span> all = spans(layers);
    std::ranges::reverse(all);
    return all;
}

std::size_t find(const Layers& layers, const Span& span, bool (*which)(const OperationConfig&)) {
    std::size_t i = span.begin;
    while (i < span.end && !which(layers[i])) {
        ++i;
    }
    return i;
}

void erase(Layers& layers, std::size_t i) {
    layers.erase(layers.begin() + static_cast<std::ptrdiff_t>(i));
    for (OperationConfig& one : layers) {
        one.from -= one.op == op::kResidual && one.from >= i ? 1 : 0;
    }
}

// If it is `behind` the operation before it, residuals that add that one's result add its own.
void insert(Layers& layers, std::size_t i, OperationConfig added, bool behind) {
    for (OperationConfig& one : layers) {
        one.from += one.op == op::kResidual && one.from + (behind ? 1 : 0) >= i ? 1 : 0;
    }
    layers.insert(layers.begin() + static_cast<std::ptrdiff_t>(i), std::move(added));
}

// The norms in [begin, end), taken out of the list.
Layers take_norms(Layers& layers, std::size_t begin, std::size_t end) {
    Layers norms;
    for (std::size_t i = end; i-- > begin;) {
        if (is_norm(layers[i].op)) {
            norms.insert(norms.begin(), layers[i]);
            erase(layers, i);
        }
    }
    return norms;
}

}  // namespace

std::vector<OperationConfig> layers_of(const ShortForm& form) {
    Layers list;
    for (const std::size_t width : form.hidden) {
        if (form.flatten > 0) {
            list.emplace_back(op::kFlatten).positions = form.flatten;
        }
        list.push_back({op::kLinear, width, form.hidden_bias});
        if (form.norm_place == "before") {
            list.push_back({form.norm});
        }
        list.push_back({form.activation});
        if (form.norm_place == "after") {
            list.push_back({form.norm});
        }
    }
    list.push_back({op::kLinear, 0, form.output_bias});
    list.back().tied = form.tied;
    if (form.norm_place != "none" && form.output_norm) {
        list.push_back({form.norm});
    }
    if (form.residual && add_residuals(list) == 0) {
        throw InputError(
            "residual: no hidden layer is as wide as the one below it, position for position: give two in a row the "
            "same width, without flatten");
    }
    return list;
}

std::optional<ShortForm> short_form_of(const Layers& layers) {
    const auto norm = std::ranges::find_if(layers, is_a_norm);
    const auto activation = std::ranges::find_if(layers, is_an_activation);
    const auto first = std::ranges::find_if(layers, is_linear);
    const Span output = spans(layers).back();
    ShortForm form;
    form.hidden.clear();
    for (const OperationConfig& one : layers) {
        if (is_linear(one)) {
            form.hidden.push_back(one.outputs);
        }
    }
    form.hidden.pop_back();
    if (form.hidden.empty() || form.hidden.size() > kMostHiddenLayers) {
        return std::nullopt;
    }
    form.flatten = layers.front().op == op::kFlatten ? layers.front().positions : 0;
    form.hidden_bias = first->bias;
    form.output_bias = layers[output.begin].bias;
    form.tied = layers[output.begin].tied;
    form.activation = activation == layers.end() ? op::kTanh : activation->op;
    form.residual = std::ranges::count(layers, op::kResidual, &OperationConfig::op) > 0;
    form.norm_place = norm == layers.end() ? "none" : is_linear(*(norm - 1)) ? "before" : "after";
    form.norm = norm == layers.end() ? op::kBatchnorm : norm->op;
    form.output_norm = find(layers, output, is_a_norm) < output.end;
    try {
        return layers_of(form) == layers ? std::optional(form) : std::nullopt;
    } catch (const InputError&) {  // no residual fits
        return std::nullopt;
    }
}

bool set_widths(Layers& layers, const std::vector<std::size_t>& widths) {
    if (widths.empty() || std::ranges::count(widths, 0U) > 0) {
        throw InputError("a hidden layer of width 0 passes nothing on: give widths of at least 1, as in 64,64");
    }
    if (std::optional<ShortForm> form = short_form_of(layers)) {
        form->hidden = widths;
        layers = layers_of(*form);
        return true;
    }
    const std::vector<Span> all = spans(layers);
    if (widths.size() + 1 != all.size()) {
        return false;
    }
    for (std::size_t l = 0; l < widths.size(); ++l) {
        layers[all[l].begin].outputs = widths[l];
    }
    return true;
}

std::size_t set_activation(Layers& layers, const std::string& activation) {
    std::size_t places = 0;
    for (OperationConfig& one : layers) {
        if (is_an_activation(one)) {
            one = one.op == activation ? one : OperationConfig{activation};
            ++places;
        }
    }
    return places;
}

std::size_t place_norms(Layers& layers, const std::string& place, const std::string& kind) {
    const auto first = std::ranges::find_if(layers, is_a_norm);
    const OperationConfig like = first == layers.end() ? OperationConfig{kind} : *first;
    std::size_t places = 0;
    for (const Span& span : from_the_last(layers)) {
        const std::size_t f = find(layers, span, is_an_activation);
        if (place == "none") {
            places += take_norms(layers, span.begin, span.end).size();
        } else if (!span.is_output && f < span.end) {
            const bool after = place == "after", has_norm = find(layers, span, is_a_norm) < span.end;
            Layers norms = take_norms(layers, after ? span.begin : f, after ? f : span.end);
            if (!has_norm) {
                norms.push_back(like);
            }
            // Norms before f that are gone have moved it.
            std::size_t i = find(layers, span, is_an_activation) + (after ? 1 : 0);
            for (OperationConfig& norm : norms) {
                insert(layers, i++, std::move(norm), after);
            }
            ++places;
        }
    }
    return places;
}

std::size_t add_residuals(Layers& layers) {
    std::size_t places = 0;
    std::vector<Span> all = spans(layers);
    for (std::size_t l = 1; l + 1 < all.size(); ++l) {
        const Span below = all[l - 1];
        if (layers[below.begin].outputs != layers[all[l].begin].outputs || below.end != all[l].begin) {
            continue;  // another width, or a flatten between them
        }
        ++places;
        const auto is_residual = [](const OperationConfig& one) { return one.op == op::kResidual; };
        if (find(layers, all[l], is_residual) < all[l].end) {
            continue;
        }
        OperationConfig residual{op::kResidual};
        residual.from = below.end - 1;
        insert(layers, all[l].end, residual, false);
        all = spans(layers);
    }
    return places;
}

void set_norm(Layers& layers, const std::string& norm) {
    for (OperationConfig& one : layers) {
        if (is_norm(one.op)) {
            one.op = norm;
            one.momentum = norm == op::kBatchnorm ? one.momentum : std::nullopt;
        }
    }
}

}  // namespace byhand

// Changes of networks in the words of recipes, for tests.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/member.h"
#include "base/short_form.h"

namespace byhand::test {

// A network with one word of its short form changed. Precondition: it has a short form.
template <class T>
void set(NetworkConfig& config, Member<ShortForm, T> word, std::type_identity_t<T> value) {
    ShortForm form = short_form_of(config.layers).value();
    form.*word = std::move(value);
    config.layers = layers_of(form);
}

inline NetworkConfig network(std::size_t vocabulary, std::size_t context, std::size_t embedding,
                             const ShortForm& form) {
    return {vocabulary, context, embedding, layers_of(form), {}, {}};
}

// The widths of the hidden layers.
inline std::vector<std::size_t> widths(NetworkConfig config) {
    std::vector<std::size_t> all;
    for (const OperationConfig* linear : hidden_linears(config)) {
        all.push_back(linear->outputs);
    }
    return all;
}

// "linear 5 -b, tanh, residual 1".
inline std::string text(const std::vector<OperationConfig>& list) {
    std::string all;
    for (const OperationConfig& one : list) {
        all += (all.empty() ? "" : ", ") + one.op + (one.outputs == 0 ? "" : " " + std::to_string(one.outputs)) +
               (one.bias ? "" : " -b") + (one.op == op::kResidual ? " " + std::to_string(one.from) : "");
    }
    return all;
}

}  // namespace byhand::test

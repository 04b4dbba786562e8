#include "lab/walkthrough/symbols.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace byhand::lab {
namespace {

struct Symbol {
    std::string_view name, symbol;
};

// A norm that stands after the non-linearity, or on the output, goes by the same: H0 is what it reads.
constexpr std::array kSymbols = std::to_array<Symbol>({
    {"emb", "E"},
    {"embcat", "E"},
    {"hprebn", "H0"},
    {"bnmeani", "μ"},
    {"bndiff", "H0 − μ"},
    {"bndiff2", "(H0 − μ)²"},
    {"bnvar", "σ²"},
    {"bnvar_inv", "1/√(σ²+ε)"},
    {"bnraw", "HN"},
    {"bngain", "γ"},
    {"bnbias", "β"},
    {"hpreact", "HZ"},
    {"h", "Ha"},
    {"logits", "logits"},
    {"probs", "Ŷ"},
    {"loss", "L"},
    {"C", "C"},
});

bool is_weight_or_bias(std::string_view name) {
    return name.size() > 1 && (name.front() == 'W' || name.front() == 'b') &&
           name.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

std::string own_symbol(std::string_view name) {
    const auto* const found = std::ranges::find(kSymbols, name.substr(0, name.find('.')), &Symbol::name);
    return std::string(found != kSymbols.end() ? found->symbol : is_weight_or_bias(name) ? name : std::string_view());
}

}  // namespace

std::string symbol_of(const std::string& name) {
    if (std::string own = own_symbol(name); !own.empty() || !name.starts_with('d')) {
        return own;
    }
    const std::string of = own_symbol(std::string_view(name).substr(1));
    const bool fraction = of.find('/') != std::string::npos || of.find(' ') != std::string::npos;
    return of.empty() ? "" : fraction ? "dL/d(" + of + ")" : "dL/d" + of;
}

}  // namespace byhand::lab

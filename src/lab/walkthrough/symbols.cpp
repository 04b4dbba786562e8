#include "lab/walkthrough/symbols.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/value.h"

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

std::string own_symbol(const std::string& name) {
    const Value value = value_of(name);
    const auto* const found = std::ranges::find(kSymbols, value.base, &Symbol::name);
    if (found != kSymbols.end()) {
        return std::string(found->symbol);
    }
    return (value.base == "W" || value.base == "b") && value.layer > 0 ? name : "";
}

}  // namespace

std::string symbol_of(const std::string& name) {
    const Kind kind = value_of(name).kind;
    const std::string of = own_symbol(without_kind(name));
    if (kind != Kind::gradient) {
        return kind == Kind::value ? of : "";
    }
    const bool fraction = of.find('/') != std::string::npos || of.find(' ') != std::string::npos;
    return of.empty() ? "" : fraction ? "dL/d(" + of + ")" : "dL/d" + of;
}

}  // namespace byhand::lab

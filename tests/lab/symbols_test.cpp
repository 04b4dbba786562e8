#include "lab/walkthrough/symbols.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <utility>

using byhand::lab::symbol_of;

TEST_CASE("the notes' symbols, as note 1 writes them") {
    for (const auto& [name, symbol] : {std::pair<std::string, std::string>{"embcat", "E"},
                                       {"hprebn", "H0"},
                                       {"bnmeani", "μ"},
                                       {"bnvar", "σ²"},
                                       {"bnvar_inv", "1/√(σ²+ε)"},
                                       {"bnraw", "HN"},
                                       {"hpreact", "HZ"},
                                       {"bngain", "γ"},
                                       {"bnbias", "β"},
                                       {"h", "Ha"},
                                       {"probs", "Ŷ"},
                                       {"W2", "W2"},
                                       {"b12", "b12"}}) {
        CAPTURE(name);
        CHECK(symbol_of(name) == symbol);
        CHECK(symbol_of("d" + name) == (name == "bnvar_inv" ? "dL/d(1/√(σ²+ε))" : "dL/d" + symbol));
    }
    CHECK(symbol_of("hprebn.3") == "H0");
    CHECK(symbol_of("dbndiff2.11") == "dL/d((H0 − μ)²)");
    for (const char* none : {"counts", "dcounts_sum", "logit_maxes", "bnmean_running", "b", "W", "d", ""}) {
        CHECK(symbol_of(none).empty());
    }
}

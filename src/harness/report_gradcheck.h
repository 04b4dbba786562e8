// What a check by finite differences looks like: as a table for people, as JSON for programs. Everything is returned as
// text.
#pragma once

#include <string>
#include <vector>

#include "harness/gradcheck/gradcheck.h"
#include "harness/report.h"

namespace byhand {

// The gradients of one hand-written network.
struct CheckedModel {
    std::string model;  // "stepwise", "collapsed"
    std::vector<CheckedGradient> gradients;
};

struct GradcheckHeader {
    std::string recipe;
    std::size_t rows = 0;
    std::size_t elements = 0;  // of each gradient at most
    std::uint64_t seed = 0;
};

bool agree(const std::vector<CheckedModel>& models);

// A row a gradient, the first that is wrong with its line of code and formula, and the verdict on the whole.
std::string gradcheck_table(const GradcheckHeader& header, const std::vector<CheckedModel>& models,
                            const SourceOf& source, bool colour);

// {"verdict","first_divergence","recipe","rows","elements","seed","gradients":[…]}; what is not finite is the strings
// "nan", "inf", "-inf".
std::string gradcheck_json(const GradcheckHeader& header, const std::vector<CheckedModel>& models);

}  // namespace byhand

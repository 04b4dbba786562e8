// The reports of this module as documents: docs/formats.md has the fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "checks/diff.h"
#include "checks/gradcheck.h"
#include "checks/score.h"
#include "documents/presentation.h"
#include "report/document.h"

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

// A table for each model with a row for each gradient, the first that is wrong with its line of code and formula, and
// the verdict on the whole.
Document gradcheck_document(const GradcheckHeader& header, const std::vector<CheckedModel>& models,
                            const SourceOf& source);

// ---- Two files of tensors beside each other as a document: docs/formats.md has the fields ----

// A row for each tensor, those that differ first and with their worst element in words; then the conclusion. Of `how`
// the filter is used, and the network with its characters; without characters no network is known, and a place is a
// name and an index.
Document diff_document(const Diff& diff, const Presentation& how);

// The verdict on the whole in a line.
Text conclusion(const Diff& diff);

// ---- Scores of planted mistakes as a document: docs/formats.md has the fields ----

// A row for each mistake, then byhand beside the baseline metrics.
Document score_document(const Scores& scores);

}  // namespace byhand

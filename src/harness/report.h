// What a comparison looks like: as a table for people, as JSON for programs. Everything is returned as text.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/comparison.h"

namespace byhand {

// The whole of a comparison, gathered step by step.
struct Summary {
    bool agree = true;  // false as soon as a verdict is no agreement, in the chain or alone
    // Verdicts that count as agreement although they are none: vacuous, out_of_range.
    std::set<Verdict> allowed;
    std::vector<Culprit> culprits;  // each name once
    std::vector<Victim> victims;
    double largest_use_alone = 0;  // of a step alone
    std::string largest_use_alone_name;
    double largest_catch = 0;  // the largest relative error, of all steps, that might not be caught
    std::string largest_catch_name;
    std::size_t steps = 0;
    std::size_t compared = 0;  // tensors, over all steps
    std::size_t disagreeing = 0;
    std::optional<std::string> first_divergence;  // the first tensor, in the order of the steps, that did not agree
    // The tensor that came closest to its limit among those that agree.
    double largest_use = 0;  // difference / limit
    std::string largest_use_name;
    std::size_t largest_use_step = 0;
};

void add(Summary& summary, const ComparedStep& step);

// Which rows a table shows.
using Filter = std::function<bool(const std::string& name)>;

// One step: a row a tensor with name, shape, count, bit-equal, largest difference, largest ULP, worst element with both
// values, share of the limit used, verdict; all figures on a pass as on a failure.
std::string table(const ComparedStep& step, const Filter& filter, bool colour);

// Where a function of the network stands in the source, and the formula above it.
struct SourceLine {
    std::string place;    // "src/manual/batchnorm.h:124"
    std::string formula;  // "dbnmeani[j] = −Σ_i dbndiff[i, j]"
};
using SourceOf = std::function<SourceLine(const std::string& function)>;

// Who is to blame: for each culprit its function, the formula it should be, the line of code, the figures and who
// inherits from it. Empty where there is none.
std::string blame(const std::vector<Culprit>& culprits, const std::vector<Victim>& victims, const SourceOf& source,
                  bool colour);

// The verdict on the whole, in a line or two.
std::string conclusion(const Summary& summary, bool colour);

// What names a comparison in its JSON.
struct ReportHeader {
    std::string recipe;
    std::string torch_version;
};

// The report of DESIGN's contract; what is not known is null, what is not finite the strings "nan", "inf", "-inf".
std::string to_json(const ReportHeader& header, const Summary& summary, const std::vector<ComparedStep>& steps,
                    const Filter& filter);

}  // namespace byhand

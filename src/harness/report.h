// What a comparison looks like: as a table for people; as JSON, CSV and JUnit for programs. Everything is returned as
// text, and the same comparison gives the same text.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/end_to_end/value_report.h"
#include "harness/words.h"

namespace byhand {

struct Text;

// How far a network has drifted from LibTorch's by the start of a step: by the parameter that leads, relative to scale.
struct DriftPoint {
    std::size_t step = 0;
    std::string parameter;
    double distance = 0;
    double scale = 0;
};

struct DriftGrowth {
    std::string model;
    std::vector<DriftPoint> points;  // a compared step each
    // What a single step adds: the largest error of an updated parameter against the oracle, relative to its scale.
    double fresh = 0;
    std::string fresh_parameter;
};

// The whole of a comparison, gathered step by step.
struct Summary {
    bool agree = true;  // false as soon as a verdict is no agreement, in the chain or in isolation
    // Verdicts that count as agreement although they are none: vacuous, out_of_range.
    std::set<Verdict> allowed;
    std::vector<ValueReport> culprits, downstream;  // each name once, as it was first
    double largest_use_alone = 0;                   // of an isolated step
    std::string largest_use_alone_name;
    double largest_catch = 0;  // the largest relative error, of all steps, that might not be caught
    std::string largest_catch_name;
    std::size_t steps = 0;
    std::size_t compared = 0;       // comparisons: each tensor with each reference, for each model and step
    std::set<std::string> tensors;  // of these
    std::size_t disagreeing = 0;
    std::size_t undecided = 0;                    // of them: the chain says nothing, the isolated steps decide
    std::size_t alone = 0;                        // steps run in isolation, over all training steps
    std::size_t disagreeing_alone = 0;            // of them
    std::optional<std::string> first_divergence;  // the first tensor, in the order of the steps, that did not agree
    std::optional<std::size_t> first_divergence_step;
    std::string first_divergence_model;
    // The tensor that came closest to its limit among those that agree.
    double largest_use = 0;  // difference / limit
    std::string largest_use_name;
    std::size_t largest_use_step = 0;
    std::vector<DriftGrowth> drift;  // a model each, where each side goes on with its own
};

void add(Summary& summary, const ComparedStep& step);

// Which rows a report shows.
using Filter = std::function<bool(const std::string& name)>;

// Where a function of the network stands in the source, and the formula above it.
struct SourceLine {
    std::string place;    // "src/manual/batchnorm/formulas.h:124"
    std::string formula;  // "dbnmeani[j] = −Σ_i dbndiff[i, j]"
};
using SourceOf = std::function<SourceLine(const std::string& function)>;

// What a report says besides its figures, and of what.
struct Presentation {
    std::string recipe;
    std::string torch_version;
    NetworkConfig network;
    Glossary glossary;                    // of its operations
    std::vector<std::string> characters;  // of the vocabulary, '.' first: UTF-8, fit to print
    SourceOf source;                      // may be empty
    Filter shows;
    bool colour = false;
    Whose whose = Whose::by_hand;
};

// Who is to blame in this step: the first divergence, then for each culprit the formula it should be, its function and
// the line of code, the figures, what their structure tells, and who inherits from it. Empty where nothing is wrong.
std::string blame(const ComparedStep& step, const Presentation& how);
std::vector<Text> blame_texts(const ComparedStep& step, const Presentation& how);

// One step: a row a tensor with all figures, on a pass as on a failure; then a row for each isolated step. Culprits
// come first, then what else is no agreement, with the worst element in words and what stands around it.
std::string table(const ComparedStep& step, const Presentation& how);

// The verdict on the whole in a line; with drift a line more for each model.
std::string conclusion(const Summary& summary, bool colour);

// The report as docs/formats.md describes it; what is not known is null, what is not finite the strings "nan", "inf",
// "-inf".
std::string to_json(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps);

// RFC 4180: a header, then a row a tensor and step. What is not known is an empty field.
std::string to_csv(const Presentation& how, const std::vector<ComparedStep>& steps);

// A suite a step; in it a test case a tensor (its class is model.reference) and one for each isolated step
// (model.alone). Valid by Ant's schema of JUnit reports and by Jenkins' own. Times are 0 and dates 1970: nobody
// measured them.
std::string to_junit(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps);

}  // namespace byhand

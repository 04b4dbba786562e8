// The report of byhand compare.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "documents/presentation.h"
#include "harness/end_to_end/summary.h"
#include "harness/end_to_end/value_report.h"
#include "report/document.h"
#include "steps/step.h"

namespace byhand {

// Which rows the tables of a comparison have.
enum class ShownRows {
    disagreeing,   // one screen: of the first step given, the culprits; if all agree, how near the limits are
    all,           // every value that is compared and shown
    for_programs,  // and those that external values do not include; with test cases and data
};

// The verdict on all steps: in a sentence for learners; and in figures, with drift in a line more for each model.
std::string in_a_sentence(const Summary& summary);
Text conclusion(const Summary& summary);

// "step 3: loss 3.25 by hand, 3.25 by LibTorch".
Text loss_text(const ComparedStep& step, Whose whose);

// The names of the values that are not given, or their number if there are more than `most`; empty if all are given.
Text not_given_text(const ComparedStep& step, const Presentation& how, std::size_t most);

// The verdict, the culprits, `next`, then tables of `steps`: those to show, of all that `summary` counts.
Document compare_document(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                          ShownRows rows, const Text& next);

// The same as a page, with a diagram of `network` and details of each tensor. Of several steps one is shown in full,
// that of shown_step; of the others their figures. Written, it stays under 2 MB: if the images do not fit, those of the
// tensors that are farthest below their limits are left out, and their details say so.
Document compare_page(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                      const Graph& network, const Text& next);

// The first step that disagrees, or else the last. Precondition: there is one.
std::size_t shown_step(const std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed);

// Drops the pictures that the page of these steps would not show.
void drop_pictures(std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed);

// The report as docs/formats.md describes it: null for what is not known, and "nan", "inf" or "-inf" for what is not
// finite.
Json compare_json(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps);

// One suite for each step; in it a test case for each tensor (its class is model.reference) and for each isolated step
// (model.alone).
std::vector<report::Suite> compare_suites(const Presentation& how, const Summary& summary,
                                          const std::vector<ComparedStep>& steps);

// The tables of a comparison: one row for each value. A figure is a column here and a cell of the row, and is then part
// of the table, JSON, CSV, JUnit and the page. A verdict that is allowed is marked as open.

// One for each model and reference, of the rows that are asked for. Culprits and what inherits from them are paragraphs
// (blame_texts), not rows, where only disagreeing ones are.
std::vector<Table> tensor_tables(const ComparedStep& step, const Presentation& how, const Summary& summary,
                                 ShownRows rows);
// One for each model.
std::vector<Table> isolated_tables(const ComparedStep& step, const Presentation& how, const std::set<Verdict>& allowed);

// End to end. Its rows are tensor_row; the columns are in docs/formats.md.
Table tensor_table(std::string title, Whose whose);
std::vector<Cell> tensor_row(std::size_t step, const ChainFinding& found, const Wording& wording,
                             const std::set<Verdict>& allowed);

// Isolated steps.
Table isolated_table(std::string title);
// Precondition: the value's step was run in isolation.
std::vector<Cell> isolated_row(const std::string& model, const ValueReport& value, const std::set<Verdict>& allowed);

// The figures of a trial, for programs.
Json json_of(const Trial& trial);

// The first divergence of a step, then for each root cause its formula, function and line of code, its figures, hints,
// the values that inherit from it, and the smallest input that shows it. Empty if nothing disagrees.
std::vector<Text> blame_texts(const ComparedStep& step, const Presentation& how);
// Those of one model; `lead` stands before the first.
std::vector<Text> blame_texts(const ModelReport& model, const Presentation& how, const Wording& wording,
                              const std::string& lead);

}  // namespace byhand

// Figures, places and root causes in words, as all reports of a comparison phrase them.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "documents/presentation.h"
#include "harness/end_to_end/summary.h"
#include "harness/isolated/shrink.h"
#include "report/document.h"

namespace byhand::report {

// Agreement is good, and what contradicts is bad, unless it is allowed.
Mark mark_of(Verdict verdict, const std::set<Verdict>& allowed);

// An error in units of the last place of floats as large as `scale`. Nothing where one is unknown, or the scale is 0.
std::optional<double> in_ulp(const std::optional<double>& error, const std::optional<double>& scale);

// Of a limit: "31.8 %", "250,413×", "1.3e+08×".
std::string share(double used);

// "3,200".
std::string grouped(std::size_t n);

// With the rows of that step's batch, or without.
Wording wording(const Presentation& how, const ComparedStep& step = {});

// The worst element in words, or nothing where there is none.
std::string where(const std::string& name, const Finding& finding, const Wording& wording);
// That of a trial. The batch's rows are shown only where it is the batch that was tried.
std::string where(const std::string& name, const Shape& shape, const Trial& trial, bool not_on_batch,
                  const Wording& wording);

// Of an isolated step: "within", "wrong: mismatch", "wrong, not on this batch: mismatch".
std::string verdict_in_words(const IsolatedStep& step);

// The smallest relative error that is caught wherever it stands: 0 where any is. Nothing where that is not known.
std::optional<double> catches(const IsolatedStep& step);

// Of a mismatch: "dx[18, 71]: yours 0.25, expected 0.5", with so many digits that the two look different.
std::string numbers_of(const std::string& place, const Finding& finding, Whose whose, bool in_double);
// "error 0.25, rounding explains at most 1.19e-07".
std::string error_of(const Finding& finding);

// What shows that it is one: its figures, and on a line of its own the element where it shows most.
std::string figures_of(const ValueReport& culprit, const Wording& wording);

// "by hand", "yours", "given".
const char* in_words(Whose whose);

// Of numbers that it makes too: "the known mistake dvar-path-forgotten produces these numbers: …".
std::string made_by(const Mistake& mistake);

// What there is to say of its cause: the error's structure, and the planted mistake that makes the same numbers.
std::vector<std::string> hints_of(const Trial& trial);

// "demb, dembcat, dhprebn, … (18)", the first `few` of more.
std::string few_of(const std::vector<std::string>& names, std::size_t few);

// Whether there is a loss by hand: external values need not hold one.
bool gives_loss(const ComparedStep& step);

// "src/manual/batchnorm/formulas.h:133"; of given numbers, which that function has not made, "byhand's own: src/…"; "no
// source".
std::string place_in_words(const Presentation& how, const SourceLine& line);

// The test case of an isolated step. Precondition: the value's step was run in isolation.
Case case_of(const ValueReport& value, const std::string& model, const Wording& wording, const Summary& summary,
             const Presentation& how);

// ---- The smallest input that shows a mistake, for tests of one's own: as C++, and as JSON ----

// "const float logits[1][3] = {{-1, -2, -3}};  // dlogits[0][1] 0, expected 0.25": a definition of each value
// that the step reads, after a line that names the network's size. Numbers are those that were read, to the bit.
std::vector<std::string> as_code(const SmallestInput& input);

// Whether people can take it in: at most 8 numbers, or one row in a few lines.
bool is_small(const SmallestInput& input);

Json json_of(const SmallestInput& input);

}  // namespace byhand::report

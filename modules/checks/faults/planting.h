// The tools with which mistakes are planted (mistakes.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "checks/faults/mistakes.h"
#include "steps/step.h"

namespace byhand::planting {

using Network = Graph;
using Names = std::vector<std::string>;
using Reads = byhand::Reads<float>;
using Call = std::function<void(float* out, Reads reads)>;
// The element at a place in the result.
using Element = std::function<float(std::size_t i, Reads reads)>;
// What becomes of an element, by its place; or by what the step read as well.
using Change = std::function<float(float x, std::size_t i)>;
using ChangeByReads = std::function<float(float x, std::size_t i, Reads reads)>;
using Where = std::function<bool(std::size_t i)>;

// Which mistakes each file contributes.
std::vector<Mistake> batchnorm_mistakes();
std::vector<Mistake> cross_entropy_mistakes();
std::vector<Mistake> embedding_mistakes();
std::vector<Mistake> linear_mistakes();
std::vector<Mistake> tanh_mistakes();
std::vector<Mistake> activation_mistakes();
std::vector<Mistake> row_norm_mistakes();
std::vector<Mistake> residual_mistakes();
std::vector<Mistake> dropout_mistakes();
std::vector<Mistake> update_mistakes();
std::vector<Mistake> optimizer_mistakes();
std::vector<Mistake> memory_mistakes();
std::vector<Mistake> rank_mistakes();

// Those that show only on some data: at ties, on rows that are all negative, where numbers saturate, overflow or
// vanish, for one class, or at sizes that are no multiple of a block.
//
// The recipes hide them: 32 rows are a whole number of eights and a power of two, all widths are even, 27 classes fit a
// warp and a byte, and the values of a batch are moderate. Of the 50, planted 594 times by `byhand mistakes --score`, a
// batch and one random draw catch 46 without the battery: the three of the last class or character each time, two
// others at times.
std::vector<Mistake> batchnorm_data_mistakes();
std::vector<Mistake> cross_entropy_data_mistakes();
std::vector<Mistake> embedding_data_mistakes();
std::vector<Mistake> linear_data_mistakes();
std::vector<Mistake> tanh_data_mistakes();
std::vector<Mistake> activation_data_mistakes();
std::vector<Mistake> row_norm_data_mistakes();
std::vector<Mistake> residual_data_mistakes();
std::vector<Mistake> dropout_data_mistakes();
std::vector<Mistake> update_data_mistakes();
std::vector<Mistake> optimizer_data_mistakes();

// ---- which step ----

// The first step of the list that is computed by one of these functions, by itself or as a term; or nullptr.
Step* step_by(StepList& list, const std::vector<std::string>& functions);
// The first, in the order in which they run, that is computed by this function; or nullptr.
Step* step_by(Network& network, const std::string& function);

// The last step of the update by this function that makes the `role` (empty: any, or the parameter itself) of a
// parameter whose name begins with these letters: the output's W or b; γ. Or nullptr.
Step* last_of(Network& network, const std::string& function, const std::string& begins, const std::string& role = "");

// Finds a step, or nullptr.
using Find = std::function<Step*(Network&)>;
// Spoils it, and says whether it could.
using Edit = std::function<bool(Network&, Step&)>;

// A mistake that has one culprit: the step that `find` finds, or the one computed by `function`, by itself or as a term
// of a sum.
Mistake at(Find find, std::string name, std::string what, std::string source, Edit edit);
Mistake at(const std::string& function, std::string name, std::string what, std::string source, Edit edit);

// The rows of what the step's operation makes: B times its positions.
std::size_t rows_of(const Network& network, const Step& step);
// The conventions of the norm that the step belongs to.
NormConfig norm_of(const Network& network, const Step& step);
// The columns of the step's result, or 1 for a vector's.
std::size_t width(const Step& step);
// How many elements the operand at `position` has; 0 where the network has no such value.
std::size_t elements_read(const Network& network, const Step& step, std::size_t position);

// ---- another result; all return true where no more is said ----

bool instead(Step& step, Call wrong);
bool elementwise(Step& step, Element element);
// What the step reads first, as it is.
bool makes_first_read(Step& step);

// ---- the right result, and then a change ----

bool then(Step& step, Call spoil);
bool makes_changed(Step& step, Change change);
bool makes_changed(Step& step, ChangeByReads change);
// Every element times `factor`. False where that is 1.
bool scaled(Step& step, float factor);
bool makes_zero_where(Step& step, Where is_zero);
// The right result, but where `leaves_out` holds: those elements are not written.
bool unwritten_where(Step& step, Where leaves_out);
bool makes_through_half(Step& step);
// Within ±most.
bool makes_clipped(Step& step, float most);
bool makes_at_least(Step& step, float least);

// ---- the right function of other operands ----

// Another value. Returns true.
bool reads_instead(Step& step, std::size_t position, const std::string& name);

// Its operands changed; false where the network has no such value.
bool reads_changed(const Network& network, Step& step, std::size_t position, Change change);
bool indices_changed(const Network& network, Step& step, std::size_t position, std::int64_t (*change)(std::int64_t));
bool reads_at_least(const Network& network, Step& step, std::size_t position, float least);
// With 0 in the rows from `first` on. The operand's rows are as wide as the result's.
bool rows_left_out(const Network& network, Step& step, std::size_t position, std::size_t first);

// ---- numbers ----

// Half precision has no larger finite number than 65504; its rounding is left out.
float through_half(float x);

// What a step adds to a running variance, times `ratio`; to a running deviation, times its root.
bool running_spread_scaled(const Network& network, Step& step, float ratio);

float divisor_of(Divisor divisor, std::size_t n);
// What was divided by `right` times this is divided by the other.
float to_other_divisor(Divisor right, std::size_t n);

}  // namespace byhand::planting

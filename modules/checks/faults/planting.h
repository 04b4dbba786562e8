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
// Spoils it, and returns whether it could.
using Edit = std::function<bool(Network&, Step&)>;

// A mistake that has one culprit: the step that `find` finds, or the one computed by `function`, by itself or as a term
// of a sum.
Mistake at(Find find, std::string name, std::string what, std::string source, Edit edit);
Mistake at(const std::string& function, std::string name, std::string what, std::string source, Edit edit);

// ---- formulas ----

// A step and its network, as far as formulas need them.
struct Setting {
    NetworkConfig config;
    Operation operation;       // that the step belongs to
    Shape shape;               // of the result
    std::size_t batch = 0;     // B
    std::size_t rows = 0;      // of what the operation makes: B times its positions
    std::size_t columns = 0;   // of the result; 1 without axes
    std::size_t elements = 0;  // of the result
};
Setting setting_of(const Network& network, const Step& step);

// An element of a step's result, or of an operand.
struct Element : Setting {
    Reads reads;  // of the step
    std::size_t i = 0;

    std::size_t row() const { return i / columns; }
    std::size_t column() const { return i % columns; }
    // The operand at this position: all of it, its element at the same place, at the same row or column, and the only
    // one of a single number.
    const float* all(std::size_t position) const { return numbers(reads, position); }
    float operator()(std::size_t position) const { return all(position)[i]; }
    float of_row(std::size_t position) const { return all(position)[row()]; }
    float of_column(std::size_t position) const { return all(position)[column()]; }
    float only(std::size_t position) const { return *all(position); }
};
using Formula = std::function<float(const Element& x)>;
using Change = std::function<float(float made, const Element& x)>;
using Where = std::function<bool(const Element& x)>;
using Applies = std::function<bool(const Setting& setting)>;
using Factor = std::function<float(const Setting& setting)>;

// The edit, only in such a setting; only with more than one row.
Edit when(const Applies& applies, const Edit& edit);
Edit on_several_rows(const Edit& edit);

// ---- another result ----

// Returns true.
bool instead(Step& step, Call wrong);
Edit makes(const Formula& formula);
// Of the first operands.
Edit makes(float (*formula)(float a));
Edit makes(float (*formula)(float a, float b));
// What the step reads first, as it is.
bool makes_first_read(Network& network, Step& step);

// ---- the right result, and then a change ----

// Returns true.
bool then(Step& step, Call spoil);
Edit changes(const Change& change);
Edit changes(float (*change)(float made));
// Every element times a factor. Not applied where that is 1.
Edit scaled(float factor);
Edit scaled(const Factor& factor);
Edit is_zero_where(const Where& is_zero);
// NaN where the operand at this position is such.
Edit is_nan_where(std::size_t position, bool (*is_such)(float x));
// Elements that are left out are not written.
Edit unwritten_where(const Where& is_left_out);
bool makes_through_half(Network& network, Step& step);
// Within ±most.
Edit makes_clipped(float most);
Edit makes_at_least(float least);

// ---- the right function of other operands ----

// Another value. Returns true.
bool reads_instead(Step& step, std::size_t position, const std::string& name);

// An operand changed; nowhere where the network has no such value.
Edit reads_changed(std::size_t position, const Change& change);
Edit reads_changed(std::size_t position, float (*change)(float x));
Edit indices_changed(std::size_t position, std::int64_t (*change)(std::int64_t));
Edit reads_at_least(std::size_t position, float least);
// With 0 in the rows from `first` on. The operand's rows are as wide as the result's.
Edit rows_left_out(std::size_t position, const std::function<std::size_t(std::size_t rows)>& first);

// ---- numbers ----

// Half precision has no larger finite number than 65504; its rounding is left out.
float through_half(float x);

// What a step adds to a running variance, times `ratio`; to a running deviation, times its root.
Edit running_spread_scaled(float ratio);

float divisor_of(Divisor divisor, std::size_t n);
// What was divided by `right` times this is divided by the other.
float to_other_divisor(Divisor right, std::size_t n);

}  // namespace byhand::planting

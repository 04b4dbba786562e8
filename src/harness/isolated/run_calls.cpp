#include "harness/isolated/run_calls.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>

#include "harness/isolated/access_faults.h"
#include "harness/isolated/stored.h"

namespace byhand {
namespace {

// Memory between fences: writes around it are detected afterwards.
class Fenced {
public:
    Fenced(std::size_t bytes, DType dtype, double fence)
        : dtype_(dtype),
          outside_(fence),
          fence_(size_of(dtype) * (16 + std::min<std::size_t>(bytes, 4096))),
          all_(bytes + 2 * fence_) {
        fill(all_, dtype, fence);
    }

    std::span<std::byte> bytes() { return std::span(all_).subspan(fence_, all_.size() - 2 * fence_); }
    std::span<const std::byte> bytes() const { return std::span(all_).subspan(fence_, all_.size() - 2 * fence_); }

    bool fences_stand() const {
        const std::span<const std::byte> all = all_;
        return is_filled(all.first(fence_), dtype_, outside_) && is_filled(all.last(fence_), dtype_, outside_);
    }

private:
    DType dtype_;
    double outside_;
    std::size_t fence_;
    std::vector<std::byte> all_;
};

// The operands of functions on T: the values as they are stored.
template <class T>
class FencedOperands {
public:
    FencedOperands(const Step& step, const Values& values) : step_(step), values_(values) {
        for (std::size_t i = 0; i < step.reads.size(); ++i) {
            const std::string& name = step.reads[i];
            const DType dtype = stored_operand<T>(step, i, values);
            const bool indices = values.holds_indices(name);
            // A read past their end yields NaNs.
            Fenced& operand = operands_.emplace_back(bytes_of(values, name, dtype), dtype,
                                                     indices ? 0 : std::numeric_limits<double>::quiet_NaN());
            store(values, name, dtype, operand.bytes().data());
            reads_.push_back(operand_at<T>(operand.bytes().data(), indices));
        }
    }

    Reads<T> reads() const { return reads_; }

    // The first operand that the step has changed.
    std::optional<std::string> changed() const {
        for (std::size_t i = 0; i < operands_.size(); ++i) {
            std::vector<std::byte> before(operands_[i].bytes().size());
            store(values_, step_.reads[i], stored_operand<T>(step_, i, values_), before.data());
            if (!std::ranges::equal(before, operands_[i].bytes()) || !operands_[i].fences_stand()) {
                return step_.reads[i];
            }
        }
        return std::nullopt;
    }

private:
    const Step& step_;
    const Values& values_;
    std::vector<Fenced> operands_;
    std::vector<Operand<T>> reads_;
};

template <class T>
CallResult<T> run_here(const Call<T>& call) {
    const Step& step = *call.step;
    const DType dtype = stored_result<T>(step);
    const FencedOperands<T> operands(step, *call.values);
    Fenced out(count(step.shape) * size_of(dtype), dtype, kFence);
    fill_unwritten(out.bytes(), dtype);
    try {
        step.in<T>().run(reinterpret_cast<T*>(out.bytes().data()), operands.reads());
    } catch (...) {
        return {.made = {}, .fault = describe_exception(), .overwrites = {}};
    }
    CallResult<T> result{.made = loaded<T>(out.bytes(), dtype), .fault = {}, .overwrites = {}};
    if (!out.fences_stand()) {
        result.fault = "writes past the end of its result";
    } else if (const auto name = operands.changed()) {
        result.fault = overwriting(*name);
        result.overwrites = *name;
    }
    return result;
}

}  // namespace

template <class T>
std::vector<CallResult<T>> run_calls(const std::vector<Call<T>>& calls, const CallConfig& config) {
    if (config.subprocess) {
        if constexpr (std::is_same_v<T, float>) {
            return run_calls_in_subprocess(calls, {}, config).in_float;
        } else {
            return run_calls_in_subprocess({}, calls, config).in_double;
        }
    }
    std::vector<CallResult<T>> results;
    results.reserve(calls.size());
    for (const Call<T>& call : calls) {
        results.push_back(run_here(call));
    }
    return results;
}

template std::vector<CallResult<float>> run_calls(const std::vector<Call<float>>&, const CallConfig&);
template std::vector<CallResult<double>> run_calls(const std::vector<Call<double>>&, const CallConfig&);

}  // namespace byhand

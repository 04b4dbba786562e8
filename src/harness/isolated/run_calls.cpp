#include "harness/isolated/run_calls.h"

#include <type_traits>

#include "harness/isolated/access_faults.h"
#include "harness/isolated/fenced.h"

namespace byhand {
namespace {

template <class T>
CallResult<T> run_here(const Call<T>& call) {
    const Step& step = *call.step;
    FencedOperands<T> operands(*call.values);
    Fenced<T> out(count(step.shape), kFence<T>);
    fill_unwritten(out.data(), out.size());
    try {
        step.in<T>().run(out.data(), operands.of(step.reads));
    } catch (...) {
        return {.made = {}, .fault = describe_exception(), .overwrites = {}};
    }
    CallResult<T> result{.made = {out.numbers().begin(), out.numbers().end()}, .fault = {}, .overwrites = {}};
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

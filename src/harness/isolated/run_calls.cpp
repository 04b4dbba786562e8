#include "harness/isolated/run_calls.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <thread>
#include <tuple>
#include <type_traits>

#include "base/utf8.h"
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

// A call whose operands, as they are stored, and result lie between fences.
template <class T>
class FencedCall {
public:
    explicit FencedCall(const Call<T>& call)
        : values_(*call.values),
          dtype_(stored_result<T>(*call.step)),
          out_(count(call.step->shape) * size_of(dtype_), dtype_, kFence) {
        const auto operand = [&](const std::string& name) {
            const DType dtype = stored_operand<T>(*call.step, operands_.size(), values_);
            const bool indices = values_.holds_indices(name);
            // A read past their end yields NaNs.
            Fenced& memory = operands_.emplace_back(bytes_of(values_, name, dtype), dtype,
                                                    indices ? 0 : std::numeric_limits<double>::quiet_NaN());
            store(values_, name, dtype, memory.bytes().data());
            return operand_at<T>(memory.bytes().data(), indices);
        };
        bound_ = byhand::bind(*call.step, reinterpret_cast<T*>(out_.bytes().data()), operand);
    }

    std::vector<T> run() {
        fill_unwritten(out_.bytes(), dtype_);
        bound_.run();
        return loaded<T>(out_.bytes(), dtype_);
    }

    bool writes_outside() const { return !out_.fences_stand(); }

    // The first operand that the step has changed.
    std::optional<std::string> changed() const {
        for (std::size_t i = 0; i < operands_.size(); ++i) {
            const std::string& name = bound_.step->reads[i];
            std::vector<std::byte> before(operands_[i].bytes().size());
            store(values_, name, stored_operand<T>(*bound_.step, i, values_), before.data());
            if (!std::ranges::equal(before, operands_[i].bytes()) || !operands_[i].fences_stand()) {
                return name;
            }
        }
        return std::nullopt;
    }

private:
    const Tensors<double>& values_;
    DType dtype_;
    Fenced out_;
    std::vector<Fenced> operands_;
    BoundStep<T> bound_;
};

template <class T>
CallResult<T> run_here(const Call<T>& call) {
    FencedCall<T> fenced(call);
    CallResult<T> result;
    try {
        result.made = fenced.run();
    } catch (...) {
        result.fault = describe_exception();
        return result;
    }
    if (fenced.writes_outside()) {
        result.fault = "writes past the end of its result";
    } else if (const auto name = fenced.changed()) {
        result.fault = overwriting(*name);
        result.overwrites = *name;
    }
    return result;
}

// The fault of many calls on the same values that should make these numbers.
template <class T>
std::string fault_of_repeating(const Call<T>& call, const std::vector<T>& right) {
    FencedCall<T> fenced(call);
    const auto makes_the_same = [&] {
        try {
            return std::ranges::equal(fenced.run(), right, same_number<T>);
        } catch (...) {
            return false;
        }
    };
    return fault_in_a_row(makes_the_same, makes_the_same);
}

}  // namespace

std::string fault_in_a_row(const std::function<bool()>& makes_the_same, const std::function<bool()>& in_thread) {
    for (std::size_t call = 1; call <= kCallsInARow; ++call) {
        if (!makes_the_same()) {
            return "gives different results in call " + std::to_string(call) + " of " + std::to_string(kCallsInARow) +
                   " in a row on the same values";
        }
    }
    bool is_same = false;
    std::thread([&] { is_same = in_thread(); }).join();
    return is_same ? "" : "gives different results when another thread calls it";
}

template <class T>
std::vector<std::size_t> cheapest_calls(const std::vector<Call<T>>& calls) {
    const auto elements = [&](std::size_t i) { return count(calls[i].step->shape) + calls[i].values->elements(); };
    std::map<std::tuple<std::string, std::string, std::vector<DType>>, std::size_t> cheapest;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const Step& step = *calls[i].step;
        if (count(step.shape) == 0) {
            continue;
        }
        const auto [place, is_new] = cheapest.try_emplace({step.in<T>().name, step.makes, step.stored}, i);
        if (!is_new && elements(i) < elements(place->second)) {
            place->second = i;
        }
    }
    std::vector<std::size_t> all;
    for (const auto& [key, i] : cheapest) {
        if (elements(i) <= kMostInARow) {
            all.push_back(i);
        }
    }
    return all;
}

template <class T>
std::vector<CallResult<T>> run_calls(const std::vector<Call<T>>& calls, const CallConfig& config) {
    if (config.subprocess != nullptr) {
        if constexpr (std::is_same_v<T, float>) {
            return config.subprocess(calls, {}, config).in_float;
        } else {
            return config.subprocess({}, calls, config).in_double;
        }
    }
    std::vector<CallResult<T>> results;
    results.reserve(calls.size());
    for (const Call<T>& call : calls) {
        results.push_back(run_here(call));
    }
    for (const std::size_t i : config.in_a_row ? cheapest_calls(calls) : std::vector<std::size_t>()) {
        if (results[i].fault.empty()) {
            results[i].fault = fault_of_repeating(calls[i], results[i].made);
        }
    }
    return results;
}

bool is_time_out(std::string_view fault) {
    return fault.ends_with(kMoreTime);
}

std::string overwriting(const std::string& name) {
    return "overwrites " + name + ", which it reads";
}

std::string describe_exception() {
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return "needs more memory than it may have (std::bad_alloc)";
    } catch (const std::exception& exception) {
        constexpr std::size_t kLongest = 240;  // bytes: a journal has room for them
        return excerpt(exception.what(), kLongest);
    } catch (...) {
        return "throws an object other than std::exception";
    }
}

template std::vector<std::size_t> cheapest_calls(const std::vector<Call<float>>&);
template std::vector<std::size_t> cheapest_calls(const std::vector<Call<double>>&);
template std::vector<CallResult<float>> run_calls(const std::vector<Call<float>>&, const CallConfig&);
template std::vector<CallResult<double>> run_calls(const std::vector<Call<double>>&, const CallConfig&);

}  // namespace byhand

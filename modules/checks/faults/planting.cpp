#include "checks/faults/planting.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/value.h"

namespace byhand::planting {
namespace {

// The right function with the operand at `position` exchanged for a changed copy.
template <class T>
bool with_changed(const Network& network, Step& step, std::size_t position,
                  std::function<T(T x, std::size_t i)> change) {
    const std::size_t elements = elements_read(network, step, position);
    if (elements == 0) {
        return false;
    }
    return instead(
        step, [right = step.in_float.run, change = std::move(change), position, elements](float* out, Reads reads) {
            const T* read = std::get<const T*>(reads[position]);
            std::vector<T> changed(read, read + elements);
            for (std::size_t i = 0; i < elements; ++i) {
                changed[i] = change(changed[i], i);
            }
            std::vector<Operand<float>> operands(reads.begin(), reads.end());
            operands[position] = static_cast<const T*>(changed.data());
            right(out, operands);
        });
}

}  // namespace

Step* step_by(StepList& list, const std::vector<std::string>& functions) {
    const auto found = std::ranges::find_if(list, [&](Step& step) {
        return std::ranges::find(functions, step.in_float.name) != functions.end() ||
               step_by(step.terms, functions) != nullptr;
    });
    return found != list.end() ? &*found : nullptr;
}

Step* step_by(Network& network, const std::string& function) {
    for (StepList* list : network.lists()) {
        if (Step* step = step_by(*list, std::vector{function})) {
            return step;
        }
    }
    return nullptr;
}

Step* last_of(Network& network, const std::string& function, const std::string& begins, const std::string& role) {
    Step* found = nullptr;
    for (Step& step : network.update) {
        const std::string of = without_kind(step.makes);
        if (step.in_float.name == function && without_role(of).starts_with(begins) &&
            (role.empty() || role_of(of) == role)) {
            found = &step;
        }
    }
    return found;
}

Mistake at(Find find, std::string name, std::string what, std::string source, Edit edit) {
    return {std::move(name), std::move(what), std::move(source),
            [find = std::move(find), edit = std::move(edit)](Network& network) -> Names {
                Step* step = find(network);
                if (step == nullptr) {
                    return {};
                }
                const Names culprit = {step->makes};  // before the edit, which may drop the step
                return edit(network, *step) ? culprit : Names{};
            }};
}

Mistake at(const std::string& function, std::string name, std::string what, std::string source, Edit edit) {
    const auto edit_term = [function, edit = std::move(edit)](Network& network, Step& step) {
        Step* const term = step_by(step.terms, {function});
        if (term == nullptr) {
            return edit(network, step);
        }
        if (!edit(network, *term)) {
            return false;
        }
        const Step sum = sum_of(step.terms);
        step.reads = sum.reads;
        return instead(step, sum.in_float.run);
    };
    return at([function](Network& network) { return step_by(network, function); }, std::move(name), std::move(what),
              std::move(source), edit_term);
}

std::size_t rows_of(const Network& network, const Step& step) {
    return network.rows * operation_of(network, step).positions;
}

NormConfig norm_of(const Network& network, const Step& step) {
    return operation_of(network, step).norm;
}

std::size_t width(const Step& step) {
    return step.shape.empty() ? 1 : step.shape.back();
}

std::size_t elements_read(const Network& network, const Step& step, std::size_t position) {
    const std::map<std::string, Shape> shapes = shapes_of(network);
    const auto found = shapes.find(step.reads[position]);
    return found != shapes.end() ? count(found->second) : 0;
}

bool instead(Step& step, Call wrong) {
    step.in_float.run = std::move(wrong);
    return true;
}

bool elementwise(Step& step, Element element) {
    return instead(step, [element = std::move(element), elements = count(step.shape)](float* out, Reads reads) {
        for (std::size_t i = 0; i < elements; ++i) {
            out[i] = element(i, reads);
        }
    });
}

bool makes_first_read(Step& step) {
    return elementwise(step, [](std::size_t i, Reads r) { return numbers(r, 0)[i]; });
}

bool then(Step& step, Call spoil) {
    return instead(step, [right = step.in_float.run, spoil = std::move(spoil)](float* out, Reads reads) {
        right(out, reads);
        spoil(out, reads);
    });
}

bool makes_changed(Step& step, ChangeByReads change) {
    return then(step, [change = std::move(change), elements = count(step.shape)](float* out, Reads reads) {
        for (std::size_t i = 0; i < elements; ++i) {
            out[i] = change(out[i], i, reads);
        }
    });
}

bool makes_changed(Step& step, Change change) {
    return makes_changed(step, [change = std::move(change)](float x, std::size_t i, Reads) { return change(x, i); });
}

bool scaled(Step& step, float factor) {
    return factor != 1 && makes_changed(step, [factor](float x, std::size_t) { return x * factor; });
}

bool makes_zero_where(Step& step, Where is_zero) {
    return makes_changed(step,
                         [is_zero = std::move(is_zero)](float x, std::size_t i) { return is_zero(i) ? 0.0F : x; });
}

bool unwritten_where(Step& step, Where leaves_out) {
    return instead(step, [right = step.in_float.run, leaves_out = std::move(leaves_out), elements = count(step.shape)](
                             float* out, Reads reads) {
        std::vector<float> all(elements);
        right(all.data(), reads);
        for (std::size_t i = 0; i < elements; ++i) {
            out[i] = leaves_out(i) ? out[i] : all[i];
        }
    });
}

bool makes_through_half(Step& step) {
    return makes_changed(step, [](float x, std::size_t) { return through_half(x); });
}

bool makes_clipped(Step& step, float most) {
    return makes_changed(step, [most](float x, std::size_t) { return std::clamp(x, -most, most); });
}

bool makes_at_least(Step& step, float least) {
    return makes_changed(step, [least](float x, std::size_t) { return std::max(x, least); });
}

bool reads_instead(Step& step, std::size_t position, const std::string& name) {
    step.reads[position] = name;
    return true;
}

bool reads_changed(const Network& network, Step& step, std::size_t position, Change change) {
    return with_changed<float>(network, step, position, std::move(change));
}

bool indices_changed(const Network& network, Step& step, std::size_t position, std::int64_t (*change)(std::int64_t)) {
    return with_changed<std::int64_t>(network, step, position,
                                      [change](std::int64_t index, std::size_t) { return change(index); });
}

bool reads_at_least(const Network& network, Step& step, std::size_t position, float least) {
    return reads_changed(network, step, position, [least](float x, std::size_t) { return std::max(x, least); });
}

bool rows_left_out(const Network& network, Step& step, std::size_t position, std::size_t first) {
    return reads_changed(network, step, position, [columns = width(step), first](float x, std::size_t i) {
        return i / columns < first ? x : 0.0F;
    });
}

float through_half(float x) {
    return std::abs(x) > 65504 ? std::copysign(std::numeric_limits<float>::infinity(), x) : x;
}

bool running_spread_scaled(const Network& network, Step& step, float ratio) {
    const NormConfig norm = norm_of(network, step);
    const float factor = norm.running_spread == RunningSpread::deviation ? std::sqrt(ratio) : ratio;
    const auto m = static_cast<float>(norm.momentum);
    return makes_changed(step, [m, factor](float made, std::size_t j, Reads r) {
        const float kept = (1 - m) * numbers(r, 0)[j];
        return kept + (made - kept) * factor;
    });
}

float divisor_of(Divisor divisor, std::size_t n) {
    return static_cast<float>(divisor == Divisor::n ? n : n - 1);
}

float to_other_divisor(Divisor right, std::size_t n) {
    return divisor_of(right, n) / divisor_of(right == Divisor::n ? Divisor::n_minus_1 : Divisor::n, n);
}

}  // namespace byhand::planting

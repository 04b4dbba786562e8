#include "checks/faults/planting.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/value.h"

namespace byhand::planting {
namespace {

// The right function with the operand at `position` exchanged for a changed copy; nowhere where the network has no such
// value.
template <class T>
Edit with_changed(std::size_t position, const std::function<T(T x, const Element& at)>& change) {
    return [=](Network& network, Step& step) {
        const std::map<std::string, Shape> shapes = shapes_of(network);
        const auto shape = shapes.find(step.reads[position]);
        if (shape == shapes.end()) {
            return false;
        }
        return instead(step, [=, right = step.in_float.run, elements = count(shape->second),
                              setting = setting_of(network, step)](float* out, Reads reads) {
            const T* read = std::get<const T*>(reads[position]);
            std::vector<T> changed(read, read + elements);
            for (Element x{setting, reads}; x.i < elements; ++x.i) {
                changed[x.i] = change(changed[x.i], x);
            }
            std::vector<Operand<float>> operands(reads.begin(), reads.end());
            operands[position] = static_cast<const T*>(changed.data());
            right(out, operands);
        });
    };
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

Setting setting_of(const Network& network, const Step& step) {
    Setting setting{.config = network.config, .operation = operation_of(network, step), .shape = step.shape};
    setting.batch = network.rows;
    setting.rows = network.rows * setting.operation.positions;
    setting.columns = step.shape.empty() ? 1 : step.shape.back();
    setting.elements = count(step.shape);
    return setting;
}

Edit when(const Applies& applies, const Edit& edit) {
    return [=](Network& network, Step& step) { return applies(setting_of(network, step)) && edit(network, step); };
}

Edit on_several_rows(const Edit& edit) {
    return when([](const Setting& setting) { return setting.rows > 1; }, edit);
}

bool instead(Step& step, Call wrong) {
    step.in_float.run = std::move(wrong);
    return true;
}

Edit makes(const Formula& formula) {
    return [=](Network& network, Step& step) {
        return instead(step, [formula, setting = setting_of(network, step)](float* out, Reads reads) {
            for (Element x{setting, reads}; x.i < x.elements; ++x.i) {
                out[x.i] = formula(x);
            }
        });
    };
}

Edit makes(float (*formula)(float a)) {
    return makes([=](const Element& x) { return formula(x(0)); });
}

Edit makes(float (*formula)(float a, float b)) {
    return makes([=](const Element& x) { return formula(x(0), x(1)); });
}

bool makes_first_read(Network& network, Step& step) {
    return makes([](float x) { return x; })(network, step);
}

bool then(Step& step, Call spoil) {
    return instead(step, [right = step.in_float.run, spoil = std::move(spoil)](float* out, Reads reads) {
        right(out, reads);
        spoil(out, reads);
    });
}

Edit changes(const Change& change) {
    return [=](Network& network, Step& step) {
        return then(step, [change, setting = setting_of(network, step)](float* out, Reads reads) {
            for (Element x{setting, reads}; x.i < x.elements; ++x.i) {
                out[x.i] = change(out[x.i], x);
            }
        });
    };
}

Edit changes(float (*change)(float made)) {
    return changes([=](float made, const Element&) { return change(made); });
}

Edit scaled(const Factor& factor) {
    return [=](Network& network, Step& step) {
        const float times = factor(setting_of(network, step));
        return times != 1 && changes([times](float made, const Element&) { return made * times; })(network, step);
    };
}

Edit scaled(float factor) {
    return scaled([factor](const Setting&) { return factor; });
}

Edit is_zero_where(const Where& is_zero) {
    return changes([=](float made, const Element& x) { return is_zero(x) ? 0.0F : made; });
}

Edit is_nan_where(std::size_t position, bool (*is_such)(float x)) {
    return changes([=](float made, const Element& x) {
        return is_such(x(position)) ? std::numeric_limits<float>::quiet_NaN() : made;
    });
}

Edit unwritten_where(const Where& is_left_out) {
    return [=](Network& network, Step& step) {
        return instead(step,
                       [=, right = step.in_float.run, setting = setting_of(network, step)](float* out, Reads reads) {
                           std::vector<float> all(setting.elements);
                           right(all.data(), reads);
                           for (Element x{setting, reads}; x.i < x.elements; ++x.i) {
                               out[x.i] = is_left_out(x) ? out[x.i] : all[x.i];
                           }
                       });
    };
}

bool makes_through_half(Network& network, Step& step) {
    return changes(through_half)(network, step);
}

Edit makes_clipped(float most) {
    return changes([most](float made, const Element&) { return std::clamp(made, -most, most); });
}

Edit makes_at_least(float least) {
    return changes([least](float made, const Element&) { return std::max(made, least); });
}

bool reads_instead(Step& step, std::size_t position, const std::string& name) {
    step.reads[position] = name;
    return true;
}

Edit reads_changed(std::size_t position, const Change& change) {
    return with_changed<float>(position, change);
}

Edit reads_changed(std::size_t position, float (*change)(float x)) {
    return reads_changed(position, [=](float x, const Element&) { return change(x); });
}

Edit indices_changed(std::size_t position, std::int64_t (*change)(std::int64_t)) {
    return with_changed<std::int64_t>(position, [=](std::int64_t index, const Element&) { return change(index); });
}

Edit reads_at_least(std::size_t position, float least) {
    return reads_changed(position, [least](float x, const Element&) { return std::max(x, least); });
}

Edit rows_left_out(std::size_t position, const std::function<std::size_t(std::size_t rows)>& first) {
    return reads_changed(position, [=](float x, const Element& at) { return at.row() < first(at.rows) ? x : 0.0F; });
}

float through_half(float x) {
    return std::abs(x) > 65504 ? std::copysign(std::numeric_limits<float>::infinity(), x) : x;
}

Edit running_spread_scaled(float ratio) {
    return changes([ratio](float made, const Element& x) {
        const NormConfig& norm = x.operation.norm;
        const auto m = static_cast<float>(norm.momentum);
        const float kept = (1 - m) * x(0);
        return kept + (made - kept) * (norm.running_spread == RunningSpread::deviation ? std::sqrt(ratio) : ratio);
    });
}

float divisor_of(Divisor divisor, std::size_t n) {
    return static_cast<float>(divisor == Divisor::n ? n : n - 1);
}

float to_other_divisor(Divisor right, std::size_t n) {
    return divisor_of(right, n) / divisor_of(right == Divisor::n ? Divisor::n_minus_1 : Divisor::n, n);
}

}  // namespace byhand::planting

#include "harness/end_to_end/value_report.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace byhand {
namespace {

constexpr std::array kBoth = {Against::operations, Against::module};

}  // namespace

std::string to_string(Against against) {
    return against == Against::operations ? "stepwise" : "module";
}

std::string to_string(const Role& role) {
    return role.kind == Role::Kind::culprit     ? "culprit"
           : role.kind == Role::Kind::inherited ? inherited_from(role.from)
                                                : "";
}

std::string inherited_from(const std::string& culprit) {
    return "inherited from " + culprit;
}

const std::optional<Finding>& ValueReport::against(Against which) const {
    return which == Against::operations ? operations : module;
}

const Finding* ValueReport::in_chain() const {
    return operations ? &*operations : module ? &*module : nullptr;
}

bool ValueReport::fails_in_chain() const {
    return std::ranges::any_of(kBoth,
                               [this](Against which) { return against(which) && fails(against(which)->verdict); });
}

bool ValueReport::without_effect() const {
    if (!isolated || !isolated->wrong()) {
        return false;
    }
    const bool on_real_data = std::ranges::any_of(
        isolated->trials, [](const Trial& one) { return one.input == TrialInput::batch && fails(one.verdict); });
    return isolated->on_batch().note.empty() && (!on_real_data || !fails_in_chain());
}

std::optional<double> ValueReport::inherited_error() const {
    const Finding* chain = module ? &*module : in_chain();
    if (!isolated || chain == nullptr || !chain->error) {
        return std::nullopt;
    }
    return std::max(*chain->error - isolated->on_batch().error.value_or(0), 0.0);
}

const Trial* ValueReport::evidence() const {
    return isolated && list_fault.empty() ? isolated->telling() : nullptr;
}

const std::string& ValueReport::wrong_function() const {
    const Trial* trial = evidence();
    return trial != nullptr && !trial->by.empty() ? trial->by : function;
}

std::string ValueReport::why() const {
    const Trial* trial = evidence();
    if (trial == nullptr) {
        return list_fault;
    }
    const bool elsewhere = isolated->not_on_batch();
    if (!trial->note.empty() && !elsewhere) {
        return trial->note;
    }
    const std::string on = !elsewhere ? "this batch" : trial->on.empty() ? "random values" : trial->on;
    const std::string where = (isolated->only_in_double() ? "in double, on " : "on ") + on;
    return trial->note.empty() ? where : trial->note + ", " + where;
}

std::vector<ChainFinding> findings(const ModelReport& model) {
    std::vector<ChainFinding> all;
    for (const Against against : kBoth) {
        for (const ValueReport& value : model.values) {
            if (const std::optional<Finding>& finding = value.against(against)) {
                all.push_back({model, against, value, *finding});
            }
        }
    }
    return all;
}

std::vector<ChainFinding> findings(const ComparedStep& step) {
    std::vector<ChainFinding> all;
    for (const ModelReport& model : step.models) {
        std::ranges::copy(findings(model), std::back_inserter(all));
    }
    return all;
}

}  // namespace byhand

#include "harness/end_to_end/compare_views.h"

#include <map>
#include <memory>
#include <span>

#include "base/value.h"

namespace byhand {
namespace {

// What every implementation must have, whatever else it keeps: without these, values could be left out unnoticed.
std::set<std::string> required_names(const NetworkConfig& config) {
    std::set<std::string> names = {"loss", "logits"};
    for (const TensorSpec& spec : parameters(config)) {
        names.insert(gradient_of(spec.name));
    }
    for (const TensorSpec& spec : state(config)) {
        names.insert(spec.name);
        names.insert(update_of(spec.name));
    }
    return names;
}

// `expected` by the network; the glossary says which gradients are zero in every network (the shift by the maximum in
// softmax).
Vacuous vacuous(const std::string& name, const std::set<std::string>& expected, const Glossary& glossary) {
    const GlossaryRow* row = find_row(glossary, name);
    const bool in_every_network = row != nullptr && row->zero_gradient && value_of(name).kind == ValueKind::gradient;
    return in_every_network || expected.contains(name) ? Vacuous::never : Vacuous::constant;
}

// In their order: ours, those that only the reference has, and those that neither has but must.
std::vector<std::string> compared_names(const std::vector<View>& ours, const std::vector<View>& theirs,
                                        const std::set<std::string>& required, Coverage coverage, Against against) {
    std::vector<std::string> names;
    std::set<std::string> seen;
    const auto add = [&](const std::string& name, bool is_compared) {
        if (is_compared && seen.insert(name).second) {
            names.push_back(name);
        }
    };
    for (const View& view : ours) {
        add(view.name,
            find(theirs, view.name) != nullptr || against == Against::operations || required.contains(view.name));
    }
    for (const View& view : theirs) {
        add(view.name, coverage != Coverage::required || required.contains(view.name));
    }
    for (const std::string& name : required) {
        add(name, true);
    }
    return names;
}

}  // namespace

std::set<std::string> zero_is_expected(const NetworkConfig& config) {
    std::set<std::string> names;
    for (const TensorSpec& spec : state(config)) {
        names.insert(spec.name);
    }
    for (const Layer& layer : layers(config)) {
        if (layer.has_batchnorm_first) {
            names.insert(gradient_of(layer.b()));
            for (const char* role : {kept::kMomentum, kept::kMean, kept::kSquare, "lookahead", "mhat", "vhat"}) {
                names.insert(update_of(of_parameter(role, layer.b())));
            }
        }
    }
    return names;
}

void compare_views(std::vector<ValueReport>& values, const NetworkConfig& config, const Glossary& glossary,
                   Coverage coverage, const std::vector<View>& ours, Against against, const std::vector<View>& theirs,
                   const std::vector<View>& oracle, const Limits& limits, bool pictures) {
    const std::set<std::string> zero_expected = zero_is_expected(config);
    static const std::vector<double> kNoneToSpare = {0.0};
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < values.size(); ++i) {
        places[values[i].name] = i;
    }
    for (const std::string& name : compared_names(ours, theirs, required_names(config), coverage, against)) {
        const View* manual = find(ours, name);
        const View* torch = find(theirs, name);
        const View* exact = find(oracle, name);
        if (manual != nullptr && manual->dtype == DType::float64 && exact != nullptr) {
            torch = exact;  // external values in double are beside LibTorch's in double
        }
        const auto known = limits.find(name);
        const std::span<const double> limit = known != limits.end() ? known->second : kNoneToSpare;
        Finding finding = compare_tensor(manual, torch, exact, limit, vacuous(name, zero_expected, glossary));
        if (coverage == Coverage::given && manual == nullptr) {
            finding.verdict = Verdict::not_given;
            finding.note = "";
        }
        const auto [place, is_new] = places.try_emplace(name, values.size());
        if (is_new) {
            values.emplace_back().name = name;
        }
        ValueReport& value = values[place->second];
        if (value.in_chain() == nullptr) {
            value.shape = finding.shape;
        }
        (against == Against::operations ? value.operations : value.module) = std::move(finding);
        if (pictures && manual != nullptr && torch != nullptr && manual->shape == torch->shape) {
            value.picture = std::make_shared<const Picture>(picture_of(*manual, *torch, exact, limit));
        }
    }
}

Finding compare_tensor(const View* manual, const View* torch, const View* oracle, std::span<const double> limits,
                       Vacuous vacuous) {
    if (manual == nullptr || torch == nullptr) {
        const View* present = manual != nullptr ? manual : torch;
        Finding result;
        result.shape = present != nullptr ? present->shape : Shape{};
        result.note = present == nullptr  ? "neither side has one"
                      : manual == nullptr ? "the hand-written implementation has none"
                                          : "LibTorch has none";
        return result;
    }
    const View* right = oracle != nullptr && oracle->shape == manual->shape ? oracle : nullptr;
    const JudgeOptions options{.too_wide = TooWide::held_to_widest, .vacuous = vacuous};
    Finding result = judge(*manual, right, torch, limits, options);
    if (result.verdict == Verdict::shape) {
        result.note = manual->shape != torch->shape
                          ? to_string(manual->shape) + " against LibTorch's " + to_string(torch->shape)
                          : "element types differ";
    }
    return result;
}

}  // namespace byhand

#include "checks/external/external.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <type_traits>
#include <utility>

#include "base/nearest.h"
#include "base/utf8.h"
#include "base/value.h"

namespace byhand {
namespace {

bool is_weight(const NetworkConfig& config, std::string name) {
    for (const char* prefix : {"new_", "d"}) {
        if (name.starts_with(prefix)) {
            name.erase(0, std::string(prefix).size());
        }
    }
    return std::ranges::any_of(layers(config), [&](const Layer& layer) { return name == layer.W(); });
}

Shape turned(const Shape& shape) {
    return {shape.rbegin(), shape.rend()};
}

Shape squeezed(Shape shape) {
    std::erase(shape, 1);
    return shape;
}

const char* type_name(DType dtype) {
    return dtype == DType::int64 ? "whole numbers" : dtype == DType::float64 ? "F64" : "F32";
}

// "a, b and 3 more"
std::string listed(const std::vector<std::string>& words) {
    constexpr std::size_t kMost = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(kMost, words.size()); ++i) {
        text += (i == 0 ? "" : ", ") + words[i];
    }
    return words.size() <= kMost ? text : text + " and " + std::to_string(words.size() - kMost) + " more";
}

// A view, and the value that it is taken for.
struct Match {
    const View* view;
    const TensorSpec* spec;
};

// Which way a weight lies; none where its two extents tell nothing.
enum class WeightOrder { none, in_out, out_in };

WeightOrder way_of(const NetworkConfig& config, const Match& match) {
    const Shape& due = match.spec->shape;
    if (!is_weight(config, match.spec->name) || due == turned(due) || squeezed(due).size() < 2) {
        return WeightOrder::none;
    }
    return match.view->shape == due           ? WeightOrder::in_out
           : match.view->shape == turned(due) ? WeightOrder::out_in
                                              : WeightOrder::none;
}

std::vector<double> doubles(const View& view, const Shape& shape, bool out_in) {
    std::vector<double> numbers(count(shape));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = value_at(view, out_in ? i % shape[1] * shape[0] + i / shape[1] : i);
    }
    return numbers;
}

bool fits_float(const View& view) {
    return std::ranges::all_of(numbers_of(view), [](double number) {
        return std::isnan(number) || static_cast<double>(static_cast<float>(number)) == number;
    });
}

ExternalTensor taken(const Match& match, bool out_in) {
    ExternalTensor tensor{match.spec->name, match.spec->shape, {}};
    if (match.view->dtype == DType::int64) {
        const auto* first = static_cast<const std::int64_t*>(match.view->data);
        tensor.numbers = std::vector<std::int64_t>(first, first + count(tensor.shape));
        return tensor;
    }
    std::vector<double> numbers = doubles(*match.view, tensor.shape, out_in);
    if (fits_float(*match.view)) {
        tensor.numbers = std::vector<float>(numbers.begin(), numbers.end());
    } else {
        tensor.numbers = std::move(numbers);
    }
    return tensor;
}

// Takes views one by one, and keeps what there is to say of them.
class Fitting {
public:
    Fitting(const Graph& network, const std::vector<TensorSpec>& specs) : config_(network.config), specs_(specs) {
        for (const Step& step : network.forward) {
            forward_.insert(step.makes);
        }
    }

    void match(const View& view) {
        const TensorSpec* spec = meant_by(view.name, specs_);
        if (spec == nullptr) {
            unknown_.push_back(view.name);
            return;
        }
        const auto twin = std::ranges::find(matches_, spec, &Match::spec);
        if (twin != matches_.end()) {
            values_.faults.push_back(twin->view->name + " and " + view.name + " are both " + spec->name +
                                     "; give one of them");
            return;
        }
        if (view.name != spec->name) {
            renamed_.push_back(view.name + " as " + spec->name);
        }
        matches_.push_back({&view, spec});
    }

    ExternalValues fit() && {
        std::ranges::for_each(matches_, [this](const Match& match) { check(match); });
        const bool out_in = check_ways();
        say_unknown();
        if (!values_.faults.empty()) {
            return std::move(values_);
        }
        for (const TensorSpec& spec : specs_) {
            const auto match = std::ranges::find(matches_, &spec, &Match::spec);
            if (match != matches_.end()) {
                // Where an extent is 1 both ways are the same numbers.
                const bool turn = out_in && is_weight(config_, spec.name) && squeezed(spec.shape).size() == 2;
                values_.tensors.push_back(taken(*match, turn));
            }
        }
        say_notes(out_in);
        return std::move(values_);
    }

private:
    void check(const Match& match) {
        const auto& [view, spec] = match;
        if (is_index(spec->name) != (view->dtype == DType::int64)) {
            values_.faults.push_back(view->name + " holds " + type_name(view->dtype) + ", and should be " +
                                     (is_index(spec->name) ? "whole numbers (I64 or I32)" : "F32 or F64"));
        }
        if (view->shape == spec->shape || way_of(config_, match) == WeightOrder::out_in) {
            return;
        }
        if (squeezed(view->shape) == squeezed(spec->shape)) {
            squeezed_.push_back(view->name + " " + to_string(view->shape) + " as " + to_string(spec->shape));
        } else {
            values_.faults.push_back(view->name + " is " + to_string(view->shape) + ", and should be " +
                                     to_string(spec->shape));
        }
    }

    // Whether weights are (out, in). Where some are and some are not, the few are at fault.
    bool check_ways() {
        std::vector<std::string> in_out, out_in;
        for (const Match& match : matches_) {
            const WeightOrder way = way_of(config_, match);
            if (way != WeightOrder::none) {
                (way == WeightOrder::in_out ? in_out : out_in)
                    .push_back(match.view->name + " " + to_string(match.view->shape));
            }
        }
        if (!in_out.empty() && !out_in.empty()) {
            const bool few_out_in = out_in.size() < in_out.size();
            const auto of = [](const std::vector<std::string>& names, const char* way) {
                return listed(names) + (names.size() == 1 ? " is " : " are ") + way;
            };
            const std::string a = of(out_in, "(out, in)"), b = of(in_out, "(in, out)");
            values_.faults.push_back((few_out_in ? a + ", while " + b : b + ", while " + a) + "; give all one way");
        }
        return !out_in.empty();
    }

    void say_unknown() {
        std::vector<std::string> known;
        std::ranges::transform(specs_, std::back_inserter(known), &TensorSpec::name);
        std::vector<std::string> names;
        for (const std::string& name : unknown_) {
            const std::vector<std::string> near = all_close_to(name, known);
            names.push_back(excerpt(name, 100) + (near.empty() ? "" : " (" + near.front() + "?)"));
        }
        const bool by_position =
            std::ranges::any_of(unknown_, [](const std::string& name) { return name.starts_with("arr_"); });
        const std::string tip = by_position ? "; name the arrays: numpy.savez(\"mine.npz\", dW1=dW1)" : "";
        const bool of_no_use =
            std::ranges::all_of(matches_, [](const Match& match) { return is_index(match.spec->name); });
        if (!of_no_use && !names.empty()) {
            values_.notes.push_back("left out, since this network has no " + listed(names) + tip);
        } else if (of_no_use && !names.empty()) {
            values_.faults.push_back("this network has no " + listed(names) +
                                     (by_position ? tip : "; byhand explain lists the names"));
        } else if (of_no_use && values_.faults.empty()) {
            values_.faults.push_back(std::string("holds no tensors") + (matches_.empty() ? "" : " besides X and Y") +
                                     "; give some by their bare names, as dW1");
        }
    }

    void say_notes(bool out_in) {
        const auto is_double = [](const ExternalTensor& tensor) {
            return std::holds_alternative<std::vector<double>>(tensor.numbers);
        };
        if (!renamed_.empty()) {
            values_.notes.push_back("taken by another name: " + listed(renamed_));
        }
        if (!squeezed_.empty()) {
            values_.notes.push_back("taken without regard to axes of extent 1: " + listed(squeezed_));
        }
        if (out_in) {
            values_.notes.emplace_back(
                "weights and their gradients are (out, in) there, as PyTorch keeps them: transposed");
        }
        if (std::ranges::none_of(values_.tensors, is_double)) {
            return;
        }
        const std::set<std::string> state = names_of(byhand::state(config_));
        const bool any_float = std::ranges::any_of(matches_, [&](const Match& match) {
            return match.view->dtype == DType::float32 && !state.contains(match.spec->name);
        });
        const bool forward_in_double = std::ranges::any_of(matches_, [&](const Match& match) {
            return forward_.contains(match.spec->name) && !fits_float(*match.view);
        });
        values_.in_double = forward_in_double && !any_float;
        values_.notes.emplace_back(
            values_.in_double ? "F64, forward values too: judged by the limits of double, or of float where something "
                                "was computed in it"
            : any_float ? "F64 beside F32: each isolated step is judged by the limits of double where all that it "
                          "reads was computed in double, the chain by those of float"
                        : "F64 without forward values in double: each isolated step is judged by the limits of double "
                          "where all that it reads was computed in double, the chain by those of float; give loss, "
                          "logits … in double for more");
    }

    static std::set<std::string> names_of(const std::vector<TensorSpec>& specs) {
        std::set<std::string> names;
        std::ranges::transform(specs, std::inserter(names, names.end()), &TensorSpec::name);
        return names;
    }

    const NetworkConfig& config_;
    const std::vector<TensorSpec>& specs_;
    std::set<std::string> forward_;
    std::vector<Match> matches_;
    std::vector<std::string> unknown_, renamed_, squeezed_;
    ExternalValues values_;
};

}  // namespace

std::vector<TensorSpec> external_specs(const Graph& network) {
    std::vector<TensorSpec> all = {{"X", {network.rows, network.config.context}}, {"Y", {network.rows}}};
    for (const TensorSpec& spec : state(network.config)) {
        all.push_back(spec);
    }
    for (const Step* step : all_steps(network)) {
        all.push_back({step->makes, step->shape});
    }
    return all;
}

const TensorSpec* meant_by(const std::string& name, const std::vector<TensorSpec>& specs) {
    constexpr std::string_view kGradient = ".grad";
    const std::string bare =
        name.ends_with(kGradient) ? gradient_of(name.substr(0, name.size() - kGradient.size())) : name;
    const auto found = std::ranges::find(specs, bare, &TensorSpec::name);
    return found == specs.end() ? nullptr : &*found;
}

View ExternalTensor::view() const {
    return std::visit(
        [this]<class T>(const std::vector<T>& all) {
            const DType dtype = std::is_same_v<T, float>    ? DType::float32
                                : std::is_same_v<T, double> ? DType::float64
                                                            : DType::int64;
            return View{name, shape, dtype, all.data()};
        },
        numbers);
}

std::vector<double> numbers_of(const View& view) {
    std::vector<double> numbers(count(view.shape));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = value_at(view, i);
    }
    return numbers;
}

ExternalValues fit_to(const Graph& network, const std::vector<View>& given) {
    const std::vector<TensorSpec> specs = external_specs(network);
    Fitting fitting(network, specs);
    for (const View& view : given) {
        fitting.match(view);
    }
    return std::move(fitting).fit();
}

}  // namespace byhand

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "byhand/network.h"
#include "documents/compare.h"
#include "foreign/kernel_function.h"
#include "foreign/subprocess.h"
#include "harness/blame/blame.h"
#include "harness/isolated/draws.h"
#include "harness/isolated/step_inputs.h"
#include "library/checked.h"
#include "library/sampled.h"
#include "report/document.h"
#include "report/writers.h"

namespace byhand {

bool Network::knows(const std::string& name) const {
    return std::ranges::find(inputs_, name, &Input::name) != inputs_.end() ||
           std::ranges::find(steps_, name, &Step::makes) != steps_.end();
}

Network& Network::input(const View& view) {
    if (knows(view.name)) {
        throw std::invalid_argument(named_.name + " has a " + view.name + " already");
    }
    Input input{view.name, view.shape, view.dtype, {}, {}};
    for (std::size_t i = 0; i < count(view.shape); ++i) {
        if (view.dtype == DType::int64) {
            input.integers.push_back(static_cast<const std::int64_t*>(view.data)[i]);
        } else {
            input.numbers.push_back(static_cast<float>(value_at(view, i)));
        }
    }
    inputs_.push_back(std::move(input));
    return *this;
}

Network& Network::step(std::string makes, Kernel kernel, std::vector<std::string> reads, Evaluate right) {
    const auto refuse = [&](const std::string& why) {
        throw std::invalid_argument(name_and_place(kernel.named) + " " + why);
    };
    if (kernel.results != 1 || kernel.sizes != 0 || kernel.find(DType::float32) == nullptr) {
        refuse("is not a step: a step has one result and no sizes, in float; bind sizes in a lambda");
    }
    if (kernel.inputs != reads.size()) {
        refuse(fmt::format("has {} inputs, but reads {}: {}", kernel.inputs, reads.size(), fmt::join(reads, ", ")));
    }
    for (const std::string& name : reads) {
        if (!knows(name)) {
            refuse("reads " + name + ", which is neither an input nor made by an earlier step");
        }
    }
    if (knows(makes)) {
        refuse("makes " + makes + ", which there is already");
    }
    steps_.push_back({std::move(makes), std::move(kernel), std::move(reads), std::move(right)});
    return *this;
}

// Steps under names, run on their own values or on the right ones.
class NetworkCheck {
public:
    explicit NetworkCheck(const Network& network);

    Report run();

private:
    // All right values, one step after the other.
    std::vector<Computed> right_values(Precision precision) const;
    std::vector<View> views_of(const std::vector<std::string>& names, const std::vector<Computed>& made) const;
    Tensors<double> values_of(const std::vector<std::string>& names,
                              const std::map<std::string, std::vector<double>>& made) const;
    CallResult<float> call(const Step& step, const Tensors<double>& values) const;
    IsolatedStep isolated(std::size_t place, const Tensors<double>& right);
    Report report_of(const ModelReport& model) const;

    const Network& network_;
    CallConfig config_;
    Tensors<double> inputs_;
    std::vector<Sampled> right_;
    std::map<std::string, Shape> shapes_;
    Graph graph_;
};

NetworkCheck::NetworkCheck(const Network& network) : network_(network) {
    config_.subprocess = run_calls_in_subprocess;
    config_.in_a_row = true;
    config_.limits.timeout = network.timeout_;
    config_.limits.option = "timeout()";
    config_.limits.advice = [] { return "; -fsanitize=address shows the line"; };
    for (const Network::Input& input : network.inputs_) {
        shapes_[input.name] = input.shape;
        input.dtype == DType::int64 ? inputs_.put({input.name, input.shape}, input.integers)
                                    : inputs_.put({input.name, input.shape}, input.numbers);
    }
}

std::vector<View> NetworkCheck::views_of(const std::vector<std::string>& names,
                                         const std::vector<Computed>& made) const {
    std::vector<View> views;
    const std::vector<View> inputs = inputs_.views();
    for (const std::string& name : names) {
        if (const View* input = find(inputs, name)) {
            views.push_back(*input);
        } else {
            const Computed& value = *std::ranges::find(made, name, &Computed::name);
            views.push_back({name, value.shape, DType::float64, value.numbers.data()});
        }
    }
    return views;
}

std::vector<Computed> NetworkCheck::right_values(Precision precision) const {
    std::vector<Computed> made;
    for (const Network::Step& step : network_.steps_) {
        made.push_back(step.right(views_of(step.reads, made), precision).at(0));
        made.back().name = step.makes;
    }
    return made;
}

// `made` has what steps have made, as floats.
Tensors<double> NetworkCheck::values_of(const std::vector<std::string>& names,
                                        const std::map<std::string, std::vector<double>>& made) const {
    Tensors<double> values;
    const std::vector<View> inputs = inputs_.views();
    for (const std::string& name : names) {
        if (const View* input = find(inputs, name)) {
            values.put(*input);
        } else {
            const std::vector<double>& numbers = made.at(name);
            values.put({name, shapes_.at(name)}, std::vector<float>(numbers.begin(), numbers.end()));
        }
    }
    return values;
}

CallResult<float> NetworkCheck::call(const Step& step, const Tensors<double>& values) const {
    return run_calls<float>({{&step, &values}}, config_).at(0);
}

namespace {

RightResult right_result(const Step& step, const Sampled& sample) {
    return {step.makes, step.shape, sample.exact.numbers, sample.limits, [&] { return extents_of(step.shape); }};
}

}  // namespace

// On the right values, and on random ones of the same shapes.
IsolatedStep NetworkCheck::isolated(std::size_t place, const Tensors<double>& right) {
    const Step& step = graph_.forward[place];
    const auto trial_on = [&](const Tensors<double>& values) {
        std::vector<View> views, all = values.views();
        for (const std::string& name : step.reads) {
            views.push_back(*find(all, name));
        }
        const Sampled sample = sampled(network_.steps_[place].right, views).at(0);
        return trial_of(call(step, values), right_result(step, sample));
    };
    std::vector<TensorSpec> specs;
    std::ranges::copy_if(right.table(), std::back_inserter(specs),
                         [&](const TensorSpec& spec) { return !right.holds_indices(spec.name); });
    std::ranges::sort(specs, {}, &TensorSpec::name);
    Tensors<double> random = right;
    const Tensors<double> drawn = draw(specs, {}, {}, 1, stream_of(step.makes, 1), {});
    for (const View& view : drawn.views()) {
        random.put(view);
    }
    IsolatedStep result{step.makes, step.in_float.name, step.reads, step.shape, {trial_on(right), trial_on(random)}};
    result.trials.back().input = TrialInput::random;
    return result;
}

Report NetworkCheck::run() {
    right_ =
        sampled([this](const std::vector<View>& /*none*/, Precision precision) { return right_values(precision); }, {});
    std::map<std::string, std::vector<double>> right, ours;
    for (const Sampled& one : right_) {
        shapes_[one.exact.name] = one.exact.shape;
        right[one.exact.name] = one.exact.numbers;
    }
    std::vector<ValueReport> values;
    std::vector<IsolatedStep> isolated_steps;
    graph_.forward.reserve(network_.steps_.size());
    for (std::size_t place = 0; place < network_.steps_.size(); ++place) {
        const Network::Step& own = network_.steps_[place];
        const Tensors<double> on_right = values_of(own.reads, right);
        KernelCall call_of_own{.results = {shapes_.at(own.makes)}, .reads = {}};
        for (const std::string& name : own.reads) {
            call_of_own.reads.push_back(shapes_.at(name));
        }
        graph_.forward.push_back(
            kernel_step(own.kernel, *own.kernel.find(DType::float32), call_of_own, own.makes, own.reads));
        const Step& step = graph_.forward.back();
        isolated_steps.push_back(isolated(place, on_right));

        CallResult<float> result = call(step, values_of(own.reads, ours));
        const Sampled& sample = find_sampled(right_, own.makes);
        ValueReport& value = values.emplace_back();
        value.name = own.makes;
        value.shape = step.shape;
        value.function = step.in_float.name;
        value.reads = own.reads;
        value.operations = trial_of(result, right_result(step, sample));
        // What a step has not made is taken from the right values, so that the following steps run.
        ours[own.makes] = result.made.empty() || !result.fault.empty()
                              ? sample.exact.numbers
                              : std::vector<double>(result.made.begin(), result.made.end());
    }
    return report_of(blame(network_.named_.name, std::move(values), std::move(isolated_steps), {}, graph_));
}

Report NetworkCheck::report_of(const ModelReport& model) const {
    Document document{.subject = "check",
                      .title = network_.named_.name,
                      .agrees = model.culprits.empty() && model.downstream.empty()};
    Table table{"",
                {{"name"},
                 {"shape", "shape", Align::left, 2},
                 {"error", "error"},
                 {"limit", "limit"},
                 {"of limit", "used"},
                 {"role", "role", Align::left},
                 {"isolated", "isolated", Align::left, 1},
                 {"verdict", "verdict", Align::left}},
                {}};
    report::Suite suite{network_.named_.name, "byhand.check", {}, {}};
    for (const ValueReport& value : model.values) {
        const Finding& finding = *value.operations;
        table.rows.push_back({value.name,
                              {to_string(value.shape), value.shape},
                              scientific(finding.error, 2),
                              scientific(finding.limit, 2),
                              finding.used ? percent(*finding.used) : none(),
                              to_string(value.role),
                              verdict_cell(value.isolated->verdict()),
                              verdict_cell(finding.verdict)});
        suite.cases.push_back(case_of_row(table, table.rows.back(), network_.named_.name, to_string(value.role)));
        document.agrees = document.agrees && !shows_nothing(value.isolated->verdict());
    }
    Presentation how;
    how.whose = Whose::yours;
    how.source = [this](const std::string& function) {
        const auto own = std::ranges::find_if(
            network_.steps_, [&](const Network::Step& one) { return one.kernel.named.name == function; });
        return SourceLine{own == network_.steps_.end() ? "" : place_of(own->kernel.named), ""};
    };
    for (Text& text : blame_texts({.models = {model}, .X = {}, .Y = {}}, how)) {
        text.role = TextRole::conclusion;
        document.blocks.emplace_back(std::move(text));
    }
    if (model.culprits.empty() && model.downstream.empty()) {
        document.blocks.emplace_back(
            document.agrees ? as_conclusion(fmt::format(" is right: {}", plural(model.values.size(), "step")),
                                            network_.named_.name, Mark::good)
                            : as_conclusion(" is not shown to be right: some steps make only zeros",
                                            network_.named_.name, Mark::open));
    }
    document.data = {{"subject", network_.named_.name},
                     {"place", place_of(network_.named_)},
                     {"agrees", document.agrees},
                     {"values", json_of_rows(table)}};
    document.blocks.emplace_back(std::move(table));
    document.suites = {std::move(suite)};
    return Report(std::move(document));
}

Report check(const Network& network) {
    return NetworkCheck(network).run();
}

}  // namespace byhand

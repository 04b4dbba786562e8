#include "trace/trace.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/error.h"
#include "base/narrow.h"
#include "harness/blame/blame.h"
#include "library/checked.h"
#include "library/sampled.h"
#include "trace/end_to_end.h"
#include "trace/jobs.h"

namespace byhand {
namespace {

// An input of both: A's number is B's, rounded once to the coarser of their types if these differ.
Difference input_difference(const StoredTensor& a, const StoredTensor& b, bool with_picture) {
    const bool same_type = a.dtype == b.dtype || is_integer(a.dtype) || is_integer(b.dtype);
    std::vector<double> limits;
    for (const double right : numbers_of(b)) {
        const bool is_exact = same_type || !std::isfinite(right);
        limits.push_back(is_exact ? 0 : spacing_at(right, coarser_of(a.dtype, b.dtype)) / 2);
    }
    Difference found = difference_of(a, b, limits, with_picture);
    if (found.finding.verdict == Verdict::vacuous) {  // no step has made these zeros
        found.finding.verdict = Verdict::exact;
    }
    return found;
}

bool has_nan(const StoredTensor& tensor) {
    return std::ranges::any_of(numbers_of(tensor), [](double x) { return std::isnan(x); });
}

// A trial as check(ours, matches(…)) has it; and, if that fails, one that is undecided where a program that computes in
// 16 bits inside the operation as well would be as far off.
struct TracedTrial {
    Trial trial;
    std::optional<Trial> inside = std::nullopt;
    std::shared_ptr<const Picture> picture = nullptr;  // if it is wanted, and there is an error
};

// A's tensor against what `right` computes. Within: of 16 bits also the limits of computing inside of the operation in
// 16 bits.
TracedTrial trial_against(const Evaluate& right, const TracedJob& job, const StoredTensor& ours,
                          const std::vector<View>& inputs, bool with_picture) {
    // Without inputs, as of check(ours, matches(…)): then the class of what is not finite counts, whatever they are.
    const Evaluate right_here = [&](const std::vector<View>& /*none*/, Precision precision) {
        return right(inputs, precision);
    };
    std::vector<Sampled> all = sampled(right_here, {});
    if (ours.dtype == DType::float64) {
        sample_in_double(right_here, {}, all);
    }
    Sampled& one = all.at(0);
    const Computed& computed = one.exact;
    const std::vector<double>& in_float = one.limits;
    std::vector<bool>& of_class = one.of_class;
    Trial trial;
    if (computed.shape != ours.shape) {
        trial.verdict = Verdict::shape;
        trial.note = "has the shape " + to_string(ours.shape) + ", but LibTorch's is " + to_string(computed.shape);
        return {trial};
    }
    std::vector<double> limits = limits_in(ours.dtype, one, in_float);
    if (job.magnitudes && is_narrow(ours.dtype)) {
        // Each term, and each sum of those so far, may be rounded to 16 bits.
        const std::vector<double> magnitudes = job.magnitudes(inputs, {}).at(0).numbers;
        const auto roundings = static_cast<double>(2 * job.terms - 1);
        std::ranges::transform(limits, magnitudes, limits.begin(), [&](double limit, double magnitude) {
            return limit + roundings * spacing_at(magnitude, ours.dtype) / 2;
        });
    }
    if (is_integer(ours.dtype)) {
        std::ranges::fill(limits, 0);
    }
    std::vector<double> numbers = numbers_of(ours), exact = computed.numbers;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (std::isfinite(exact[i])) {
            of_class[i] = false;  // a zero's sign follows from how a program adds or masks, which is its own affair
        } else if (of_class[i] && same_class(numbers[i], exact[i])) {
            numbers[i] = exact[i] = limits[i] = 0;  // ∞ and NaN that are right, as in a mask, have no error
        }
    }
    const auto within = [&](const std::vector<double>& some) {
        return trial_of(std::span<const double>(numbers),
                        {job.makes, ours.shape, exact, some, [&] { return extents_of(ours.shape); }, of_class});
    };
    trial = within(limits);
    std::shared_ptr<const Picture> picture;
    if (with_picture && (trial.error > 0.0 || fails(trial.verdict))) {
        picture = picture_of(numbers, exact, ours.shape, limits);
    }
    std::optional<Trial> inside;
    if (is_narrow(ours.dtype) && fails(trial.verdict)) {
        const double units = spacing_at(1, ours.dtype) / spacing_at(1, DType::float32);
        std::ranges::transform(limits, in_float, limits.begin(),
                               [&](double limit, double of_float) { return limit + units * of_float; });
        if (Trial wider = within(limits); agrees(wider.verdict)) {
            wider.verdict = Verdict::undecided;
            wider.note = "off by more than the rounding of the result, but not more than if all inside is in 16 bits";
            inside = std::move(wider);
        }
    }
    if (trial.verdict == Verdict::vacuous && is_integer(ours.dtype)) {  // a mask of nothing is right
        trial.verdict = Verdict::exact;
    }
    return {std::move(trial), std::move(inside), std::move(picture)};
}

// Whether these are, to the bit, what LibTorch makes in that type, as it rounds inside of some operations.
bool is_as_torch_in(DType type, const Evaluate& right, const StoredTensor& ours, const std::vector<View>& inputs) {
    try {
        return right(inputs, {type}).at(0).numbers == numbers_of(ours);
    } catch (const std::invalid_argument&) {  // it does not have the operation in that type
        return false;
    }
}

// In 16 bits the result that a program keeps is another than the one that LibTorch computes anew: either may be used.
TracedTrial isolated(const TracedJob& job, const StoredTensor& ours, const std::vector<StoredTensor>& inputs,
                     bool with_picture) {
    const std::vector<View> given = views(inputs);
    TracedTrial both = trial_against(job.right, job, ours, given, with_picture);
    if (is_narrow(ours.dtype) && job.from_results && fails(both.trial.verdict)) {
        if (TracedTrial other = trial_against(job.from_results, job, ours, given, with_picture);
            agrees(other.trial.verdict)) {
            return other;
        }
    }
    if (both.inside && is_as_torch_in(ours.dtype, job.right, ours, given)) {
        both.trial = *std::exchange(both.inside, std::nullopt);
        both.trial.verdict = Verdict::within;
        both.trial.note = "to the bit as LibTorch computes it in 16 bits";
    }
    return both;
}

class Tracer {
public:
    Tracer(const TracedGraph& graph, const Dumps& dumps, const TracedOperations& operations) : dumps_(dumps) {
        const HasTensor has = [this](const std::string& name) { return presence(name); };
        jobs_ = traced_jobs(graph, has, operations);
        for (const TracedJob& job : jobs_) {
            made_.insert(job.makes);
        }
    }

    Trace run();

private:
    Presence presence(const std::string& name);
    ValueReport& add(const TracedJob& job, const std::optional<StoredTensor>& ours);
    void add_inputs(const TracedJob& job);
    std::vector<StoredTensor> inputs_of(const TracedJob& job, std::string& lacking) const;
    void judge(const TracedJob& job);
    void decide_narrow();
    void compare_with_b();

    const Dumps& dumps_;
    std::map<std::string, Presence> present_;
    std::vector<TracedJob> jobs_;
    std::set<std::string> made_, inputs_;
    std::vector<ValueReport> values_;
    std::vector<IsolatedStep> isolated_;
    // Of steps in isolated_ that are off in 16 bits.
    using InsideTrials = std::vector<std::pair<std::size_t, Trial>>;
    struct Pass {
        InsideTrials inside;
        std::size_t roundings = 0;  // steps with an error
    };
    Pass forward_, backward_;
    InsideTrials undecided_;
    std::map<std::string, std::shared_ptr<const Picture>> from_b_;  // of errors against B
    std::vector<ListFault> faults_;
    std::vector<const TracedJob*> judged_;
    std::set<std::string> missing_, misshapen_;  // misshapen: also what is made of these
    bool has_made_ = false;                      // A has what at least one step makes
    Graph graph_;
    Trace trace_;
};

Presence Tracer::presence(const std::string& name) {
    const auto [known, is_new] = present_.emplace(name, Presence::absent);
    if (is_new) {
        if (const std::optional<StoredTensor> tensor = dumps_.read_a(name)) {
            known->second = is_integer(tensor->dtype)   ? Presence::whole
                            : count(tensor->shape) == 1 ? Presence::single
                                                        : Presence::several;
        }
    }
    return known->second;
}

ValueReport& Tracer::add(const TracedJob& job, const std::optional<StoredTensor>& ours) {
    ValueReport& value = values_.emplace_back();
    value.name = value.function = job.makes;
    value.reads = job.reads;
    TracedTensor& tensor = trace_.tensors.emplace_back();
    tensor.what = job.what;
    tensor.where = job.where;
    tensor.gradient_of = job.gradient_of;
    if (ours) {
        value.shape = ours->shape;
        tensor.type = ours->dtype;
    }
    return value;
}

// Those of the graph that the step is the first to read; against B's, if there is one.
void Tracer::add_inputs(const TracedJob& job) {
    for (const std::string& name : job.reads) {
        if (made_.contains(name) || !inputs_.insert(name).second) {
            continue;
        }
        const std::optional<StoredTensor> a = dumps_.read_a(name);
        if (a && has_nan(*a)) {
            trace_.notes.push_back(name + ", an input of the graph, has NaN in " + dumps_.a);
        }
        const std::optional<StoredTensor> b = dumps_.read_b ? dumps_.read_b(name) : std::nullopt;
        if (a && b) {
            ValueReport& value =
                add({.makes = name, .what = "input", .where = {}, .file = {}, .path = {}, .reads = {}}, a);
            Difference difference = input_difference(*a, *b, dumps_.pictures);
            value.operations = std::move(difference.finding);
            from_b_[name] = std::move(difference.picture);
            if (fails(value.operations->verdict)) {
                faults_.push_back({name, name, "an input of the graph, which is another tensor in B"});
            }
            if (value.operations->verdict == Verdict::shape) {
                misshapen_.insert(name);
            }
        }
    }
}

// What the step reads, from A; `lacking` is the first that A lacks.
std::vector<StoredTensor> Tracer::inputs_of(const TracedJob& job, std::string& lacking) const {
    std::vector<StoredTensor> inputs;
    for (const std::string& name : job.reads) {
        std::optional<StoredTensor> input = dumps_.read_a(name);
        if (!input) {
            lacking = name;
            return {};
        }
        input->name = name;
        inputs.push_back(std::move(*input));
    }
    return inputs;
}

void Tracer::judge(const TracedJob& job) {
    const std::optional<StoredTensor> ours = dumps_.read_a(job.makes);
    has_made_ = has_made_ || ours;
    ValueReport& value = add(job, ours);
    graph_.forward.push_back(
        {.makes = job.makes, .shape = value.shape, .reads = job.reads, .in_float = {}, .in_double = {}, .rounded = {}});
    std::string& unjudged = trace_.tensors.back().unjudged;
    unjudged = job.unjudged;
    std::string lacking = ours ? "" : job.makes;
    std::vector<StoredTensor> inputs;
    if (unjudged.empty() && ours) {
        inputs = inputs_of(job, lacking);
    }
    if (unjudged.empty() && !lacking.empty()) {
        unjudged = "A lacks " + (lacking == job.makes ? "it" : lacking + ", which it reads");
        missing_.insert(lacking);
    }
    if (!unjudged.empty()) {
        return;
    }
    try {
        TracedTrial both = isolated(job, *ours, inputs, dumps_.pictures);
        value.picture = std::move(both.picture);
        Pass& pass = job.gradient_of.empty() ? forward_ : backward_;
        pass.roundings += both.trial.error > 0.0 ? 1 : 0;
        if (both.inside) {
            (job.may_use_statistics ? undecided_ : pass.inside).emplace_back(isolated_.size(), *both.inside);
        }
        if (both.trial.verdict == Verdict::shape) {
            misshapen_.insert(job.makes);
        }
        isolated_.push_back({job.makes, job.makes, job.reads, ours->shape, {std::move(both.trial)}});
        judged_.push_back(&job);
    } catch (const std::invalid_argument& error) {
        const auto reads = std::ranges::find_if(job.reads, [&](const auto& name) { return misshapen_.contains(name); });
        if (reads != job.reads.end()) {
            unjudged = "the shape of " + *reads + ", which it reads, is wrong";
            misshapen_.insert(job.makes);
            return;
        }
        throw InputError(job.file + ": " + job.path + ": " + error.what() +
                         "; correct the step's inputs or attributes, or the tensors in " + dumps_.a);
    }
}

// Steps that are off by more than the rounding of their results are wrong, unless they are so many that the program
// computes in 16 bits inside of operations. A gradient may be computed from statistics that were kept in 16 bits.
void Tracer::decide_narrow() {
    constexpr std::size_t kFew = 2, kShare = 5;
    for (Pass* const pass : {&forward_, &backward_}) {
        if (pass->inside.size() > kFew && pass->inside.size() * kShare > pass->roundings) {
            std::ranges::move(pass->inside, std::back_inserter(undecided_));
        }
    }
    for (auto& [place, trial] : undecided_) {
        isolated_[place].trials = {std::move(trial)};
    }
}

void Tracer::compare_with_b() {
    EndToEnd chain(judged_, made_, dumps_);
    if (std::string note = chain.run(); !note.empty()) {
        trace_.notes.push_back(std::move(note));
    }
    std::size_t compared = 0;
    for (ValueReport& value : values_) {
        if (made_.contains(value.name)) {
            if (std::optional<Difference> difference = chain.difference(value.name)) {
                value.operations = std::move(difference->finding);
                from_b_[value.name] = std::move(difference->picture);
                ++compared;
            }
        }
    }
    if (compared == 0) {
        throw InputError(dumps_.b +
                         " has none of the tensors that the graph's steps make; give the dump of the reference");
    }
    for (const ValueReport& value : values_) {
        if (made_.contains(value.name) && !value.operations && !missing_.contains(value.name) &&
            !dumps_.read_b(value.name)) {
            trace_.not_in_b.push_back(value.name);
        }
    }
}

Trace Tracer::run() {
    trace_.a = dumps_.a;
    trace_.b = dumps_.b;
    std::size_t done = 0;
    for (const TracedJob& job : jobs_) {
        add_inputs(job);
        judge(job);
        dumps_.progress(++done, jobs_.size());
    }
    if (!has_made_) {
        throw InputError(dumps_.a +
                         " has none of the tensors that the graph's steps make; is it the dump of another network?");
    }
    decide_narrow();
    trace_.judged = judged_.size();
    if (dumps_.read_b) {
        compare_with_b();
    }
    trace_.model = blame(dumps_.a, std::move(values_), std::move(isolated_), faults_, graph_);
    for (ValueReport& value : trace_.model.values) {
        value.picture = is_off_with_b(value) ? from_b_[value.name] : value.picture;
    }
    trace_.model.missing.assign(missing_.begin(), missing_.end());
    return std::move(trace_);
}

}  // namespace

Trace trace(const TracedGraph& graph, const Dumps& dumps, const TracedOperations& operations) {
    return Tracer(graph, dumps, operations).run();
}

bool agree(const Trace& trace) {
    const auto is_shown = [](const ValueReport& value) { return value.isolated && agrees(value.isolated->verdict()); };
    return trace.model.culprits.empty() && trace.model.downstream.empty() &&
           std::ranges::any_of(trace.model.values, is_shown);
}

bool is_off_with_b(const ValueReport& value) {
    return value.operations && fails(value.operations->verdict) && !(value.isolated && value.isolated->wrong());
}

std::size_t unjudged(const Trace& trace) {
    return static_cast<std::size_t>(
        std::ranges::count_if(trace.tensors, [](const TracedTensor& one) { return !one.unjudged.empty(); }));
}

}  // namespace byhand

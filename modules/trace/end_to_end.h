// The values of one dump against those of another, with limits from the rounding of the whole graph.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "library/sampled.h"
#include "trace/jobs.h"
#include "trace/trace.h"

namespace byhand {

std::vector<double> numbers_of(const StoredTensor& tensor);

struct Difference {
    Finding finding;
    std::shared_ptr<const Picture> picture = nullptr;  // if it is wanted, and the finding fails
};
// A's numbers held to B's. The verdict is shape where the shapes differ.
Difference difference_of(const StoredTensor& a, const StoredTensor& b, std::vector<double> limits, bool with_picture);

// Of numbers of that shape, each with its limit.
std::shared_ptr<const Picture> picture_of(const std::vector<double>& ours, const std::vector<double>& right,
                                          const Shape& shape, const std::vector<double>& limits);

class EndToEnd {
public:
    // `judged`: the jobs whose inputs A has, in the order in which they run; `made`: what all jobs make. They must
    // outlive it.
    EndToEnd(const std::vector<const TracedJob*>& judged, const std::set<std::string>& made, const Dumps& dumps);

    // Samples the rounding of the graph. Says what is left out, if it is.
    std::string run();

    // Of a value that both have. Undecided, without a limit, if it depends on what is not judged.
    std::optional<Difference> difference(const std::string& name) const;

private:
    void add_input(const std::string& name);
    std::vector<Computed> evaluate(Precision precision) const;

    std::vector<const TracedJob*> jobs_;  // those that depend only on inputs and each other
    const Dumps& dumps_;
    std::map<std::string, StoredTensor> inputs_;
    std::map<std::string, DType> types_;         // of A or B, if narrow
    std::map<std::string, DType> rounded_;       // inputs that A and B have in two types: the coarser one
    std::map<std::string, std::size_t> places_;  // in jobs_
    std::vector<Sampled> sampled_;
};

}  // namespace byhand

#include <fmt/core.h>

#include "base/json.h"
#include "base/utf8.h"
#include "bench/operations.h"
#include "bench/report_parts.h"

namespace byhand::bench {
namespace {

bool with_torch(const OperationTimes& times) {
    return !times.rounds.theirs.seconds.empty();
}

double median_gflops(const OperationTimes& times) {
    return flops_of(times.what.shape) / spread(times.rounds.ours.seconds).median * 1e-9;
}

Json json_of(const OperationTimes& times, const Machine& machine) {
    const auto& [operation, n, in, out, bias] = times.what.shape;
    const double flops = flops_of(times.what.shape);
    const std::vector<double>&ours = times.rounds.ours.seconds, &theirs = times.rounds.theirs.seconds;
    const bool torch = with_torch(times);
    return {{"recipe", times.recipe},
            {"operation", name_of(operation)},
            {"rows", n},
            {"in", in},
            {"out", out},
            {"bias", bias},
            {"times", times.what.times},
            {"us", json_of(spread(ours), kMicro)},
            {"torch_us", torch ? json_of(spread(theirs), kMicro) : Json()},
            {"ratio", torch ? json_of(ratio(theirs, ours), 1) : Json()},
            {"flops", flops > 0 ? Json(flops) : Json()},
            {"gflops", flops > 0 ? Json(median_gflops(times)) : Json()},
            {"fraction_of_peak", flops > 0 ? Json(median_gflops(times) / machine.peak_gflops) : Json()},
            {"apart", torch ? Json(times.apart) : Json()}};
}

// "32·30→200", and how often.
std::string size_of(const OperationOfStep& what) {
    const auto& [operation, n, in, out, bias] = what.shape;
    const std::string size = in == out && flops_of(what.shape) == 0 && operation != TimedOperation::update
                                 ? fmt::format("{}×{}", n, in)
                             : operation == TimedOperation::update ? fmt::format("{}×{}", in, out)
                                                                   : fmt::format("{}×{}→{}", n, in, out);
    return what.times == 1 ? size : fmt::format("{}, {} times", size, what.times);
}

std::string line_of(const OperationTimes& times, const Machine& machine) {
    const bool torch = with_torch(times), product = flops_of(times.what.shape) > 0;
    const std::vector<double>&ours = times.rounds.ours.seconds, &theirs = times.rounds.theirs.seconds;
    return fmt::format("{:<18} {:<20} {:>7} {:>8}  {:<19}{:>4}\n", name_of(times.what.shape.operation),
                       size_of(times.what), micros(spread(ours).median), torch ? micros(spread(theirs).median) : "–",
                       torch ? with_spread(ratio(theirs, ours)) : "–",
                       product ? fmt::format("{:.0f}%", 100 * median_gflops(times) / machine.peak_gflops) : "–");
}

}  // namespace

std::string to_text(const Machine& machine, const std::vector<OperationTimes>& operations) {
    std::string text = heading(machine);
    std::string recipe;
    for (const OperationTimes& times : operations) {
        if (times.recipe != recipe) {
            recipe = times.recipe;
            text += fmt::format("{:<39} {:>7} {:>8}  {:<19}{:>4}\n", printable(recipe) + ", µs", "by hand", "LibTorch",
                                "ratio (p10–p90)", "peak");
        }
        text += line_of(times, machine);
    }
    return text;
}

std::string to_json(const Machine& machine, const std::vector<OperationTimes>& operations) {
    Json list = Json::array();
    for (const OperationTimes& times : operations) {
        list.push_back(json_of(times, machine));
    }
    return text_of({{"machine", json_of(machine)}, {"operations", list}});
}

}  // namespace byhand::bench

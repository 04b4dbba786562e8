#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/utf8.h"
#include "bench/budget.h"
#include "bench/operations.h"
#include "bench/report_parts.h"

namespace byhand::bench {
namespace {

bool with_torch(const OperationTimes& times) {
    return !times.rounds.theirs.seconds.empty();
}

double median_gflops(const OperationTimes& times) {
    return times.what.work.flops / spread(times.rounds.ours.seconds).median * 1e-9;
}

Json json_of(const OperationTimes& times, const Machine& machine) {
    const KernelOfStep& what = times.what;
    const double flops = what.is_product() ? what.work.flops : 0;
    const std::vector<double>&ours = times.rounds.ours.seconds, &theirs = times.rounds.theirs.seconds;
    const bool torch = with_torch(times);
    return {{"recipe", times.recipe},
            {"operation", what.name},
            {"rows", what.rows},
            {"in", what.in},
            {"out", what.out},
            {"bias", what.has_bias},
            {"times", what.times},
            {"us", json_of(spread(ours), kMicro)},
            {"torch_us", torch ? json_of(spread(theirs), kMicro) : Json()},
            {"ratio", torch ? json_of(ratio(theirs, ours), 1) : Json()},
            {"flops", flops > 0 ? Json(flops) : Json()},
            {"gflops", flops > 0 ? Json(median_gflops(times)) : Json()},
            {"fraction_of_peak", flops > 0 ? Json(median_gflops(times) / machine.peak_gflops) : Json()},
            {"limit_us", limit_of(what.work, times.pass, machine) / kMicro},
            {"apart", torch ? Json(times.apart) : Json()},
            {"peers", json_of(times.peers)}};
}

// "32×30→200"
std::string extents_of(const KernelOfStep& what) {
    return fmt::format("{}×{}→{}", what.rows, what.in, what.out);
}

// The same, or with less, and the number of occurrences.
std::string size_of(const KernelOfStep& what) {
    const std::string size = what.name == "update"                       ? fmt::format("{}×{}", what.in, what.out)
                             : what.in == what.out && !what.is_product() ? fmt::format("{}×{}", what.rows, what.in)
                                                                         : extents_of(what);
    return what.times == 1 ? size : fmt::format("{}, {} times", size, what.times);
}

std::vector<Cell> row_of(const OperationTimes& times, const Machine& machine) {
    const bool torch = with_torch(times), product = times.what.is_product();
    const std::vector<double>&ours = times.rounds.ours.seconds, &theirs = times.rounds.theirs.seconds;
    return {times.what.name,
            size_of(times.what),
            micros(spread(ours)),
            micros(torch ? std::optional(spread(theirs)) : std::nullopt),
            with_spread(torch ? std::optional(ratio(theirs, ours)) : std::nullopt),
            product ? percent(median_gflops(times) / machine.peak_gflops, 0) : none(),
            printable(times.recipe)};
}

Table table_of_operations(const std::string& recipe) {
    return {printable(recipe),
            {{"µs", "operation"},
             {"size", "size", Align::left},
             {"by hand", "us"},
             {"LibTorch", "torch_us"},
             {"ratio (p10–p90)", "ratio", Align::left},
             {"of peak", "fraction_of_peak"},
             {"recipe", "recipe", Align::hidden}},
            {}};
}

// "dW 32×30→200"
std::string product_of(const KernelOfStep& what) {
    const std::string result = what.name.substr(what.name.find(' ') + 1);
    return (result == "forward" ? "y" : result) + " " + extents_of(what);
}

}  // namespace

Document document_of(const Machine& machine, const std::vector<OperationTimes>& operations,
                     const std::map<std::string, Spread>& steps) {
    Document document = with_heading(machine);
    document.title = "The operations of a training step by hand and by LibTorch";
    Json list = Json::array(), budgets = Json::array();
    const auto is_other_recipe = [](const OperationTimes& a, const OperationTimes& b) { return a.recipe != b.recipe; };
    for (auto first = operations.begin(); first != operations.end();) {
        const auto last = std::adjacent_find(first, operations.end(), is_other_recipe);
        const auto end = last == operations.end() ? last : last + 1;
        const std::span<const OperationTimes> of_recipe(first, end);
        Table table = table_of_operations(first->recipe);
        Table products;
        for (; first != end; ++first) {
            list.push_back(json_of(*first, machine));
            table.rows.push_back(row_of(*first, machine));
            if (!first->peers.empty()) {
                products = products.rows.empty() ? table_of_peers("product, µs", first->peers) : products;
                products.rows.push_back(row_of_peers(product_of(first->what), spread(first->rounds.ours.seconds),
                                                     first->peers, first->peers));
            }
        }
        document.blocks.emplace_back(std::move(table));
        if (!products.rows.empty()) {
            document.blocks.emplace_back(std::move(products));
        }
        if (const auto step = steps.find(of_recipe.front().recipe); step != steps.end()) {
            const Budget budget = budget_of(of_recipe, step->second, machine);
            budgets.push_back(json_of(budget));
            document.blocks.emplace_back(table_of(budget));
        }
    }
    if (std::ranges::any_of(operations, [](const OperationTimes& times) { return !times.peers.empty(); })) {
        document.blocks.emplace_back(Text{kBest});
    }
    if (!budgets.empty()) {
        document.blocks.emplace_back(Text{
            "limit: the FLOP of a product at the peak; of other operations their multiplications at the peak, or the "
            "time to read and write their arrays, whichever is longer.\n\n"
            "rest: what the step takes longer than its operations in isolation, or shorter if negative."});
    }
    document.data = {{"machine", json_of(machine)}, {"operations", list}, {"budgets", budgets}};
    return document;
}

}  // namespace byhand::bench

#include "bench/sweep.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "bench/report_parts.h"
#include "report/writers.h"

namespace byhand::bench {
namespace {

constexpr std::pair<const char*, Size> kSizes[] = {
    {"hidden", Size::hidden}, {"batch", Size::batch}, {"embedding", Size::embedding}, {"context", Size::context}};
constexpr std::size_t kLargest = std::size_t{1} << 20U;

// The number that the whole text represents; 0 if it is not one.
std::size_t number(std::string_view text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

}  // namespace

Sweep sweep_of(const std::string& text) {
    constexpr std::string_view kDots = "..";
    const std::size_t equals = text.find('='), dots = text.find(kDots);
    const auto* const known = std::ranges::find(kSizes, std::string_view(text).substr(0, equals),
                                                [](const auto& size) { return std::string_view(size.first); });
    if (equals < dots && dots != std::string::npos && known != std::end(kSizes)) {
        const std::size_t from = number(std::string_view(text).substr(equals + 1, dots - equals - 1));
        const std::size_t to = number(std::string_view(text).substr(dots + kDots.size()));
        if (from > 0 && from <= to && to <= kLargest) {
            return {known->second, from, to};
        }
    }
    throw InputError(
        fmt::format("--sweep takes hidden, batch, embedding or context and its bounds, from 1 to {}, as "
                    "hidden=16..4096; not {}",
                    kLargest, text));
}

std::string name_of(Size size) {
    return std::ranges::find(kSizes, size, [](const auto& named) { return named.second; })->first;
}

std::vector<std::size_t> values_of(const Sweep& sweep) {
    std::vector<std::size_t> values;
    for (std::size_t value = sweep.from; value <= sweep.to; value *= 2) {
        values.push_back(value);
    }
    return values;
}

Recipe with_size(Recipe recipe, Size size, std::size_t value) {
    switch (size) {
        case Size::hidden:
            for (OperationConfig* linear : hidden_linears(recipe.network)) {
                linear->outputs = value;
            }
            break;
        case Size::batch:
            recipe.batch = value;
            break;
        case Size::embedding:
            recipe.network.embedding = value;
            break;
        case Size::context:
            recipe.network.context = value;
            break;
    }
    return recipe;
}

std::string csv_header() {
    return "value,step_us,torch_step_us,ratio,gflops\n";
}

std::string csv_line(std::size_t value, const Result& result) {
    const std::string torch =
        result.torch_seconds ? fmt::format("{:.3f},{:.3f}", result.torch_seconds->median / kMicro, result.ratio->median)
                             : ",";
    return fmt::format("{},{:.3f},{},{:.3f}\n", value, result.seconds.median / kMicro, torch, result.gflops());
}

std::string plot_script(const std::string& recipe, const Sweep& sweep, const std::vector<Result>& results) {
    Series by_hand;
    by_hand.name = "by hand";
    by_hand.style = Style::both;
    Series torch = by_hand, ratio = by_hand;
    torch.name = "LibTorch";
    ratio.name = "LibTorch's time over ours, and where eight rounds of ten lie";
    const std::vector<std::size_t> values = values_of(sweep);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto value = static_cast<double>(values[i]);
        by_hand.x.push_back(value);
        by_hand.y.push_back(results[i].seconds.median * 1e6);
        if (results[i].ratio) {
            torch.x.push_back(value);
            torch.y.push_back(results[i].torch_seconds->median * 1e6);
            ratio.x.push_back(value);
            ratio.y.push_back(results[i].ratio->median);
            ratio.low.push_back(results[i].ratio->p10);
            ratio.high.push_back(results[i].ratio->p90);
        }
    }
    const std::string size = name_of(sweep.size);
    std::vector<Plot> plots = {{.title = fmt::format("A training step of {} by {}", recipe, size),
                                .x_label = size,
                                .y_label = "µs",
                                .series = {by_hand},
                                .log_x = true,
                                .log_y = true}};
    if (!torch.x.empty()) {
        plots.front().series.push_back(torch);
        plots.push_back({.title = "How many times as fast as LibTorch",
                         .x_label = size,
                         .y_label = "ratio",
                         .series = {ratio},
                         .log_x = true});
    }
    return svg_script(plots);
}

}  // namespace byhand::bench

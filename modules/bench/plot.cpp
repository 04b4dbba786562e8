#include <fmt/core.h>

#include "bench/sweep.h"
#include "report/writers.h"

namespace byhand::bench {

std::string plot_script(const std::string& recipe, const bench::Sweep& sweep,
                        const std::vector<bench::Result>& results) {
    Series by_hand;
    by_hand.name = "by hand";
    by_hand.style = Style::both;
    Series torch = by_hand, ratio = by_hand;
    torch.name = "LibTorch";
    ratio.name = "LibTorch's time over ours, and where eight rounds of ten lie";
    const std::vector<std::size_t> values = bench::values_of(sweep);
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
    const std::string size = bench::name_of(sweep.size);
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

// Errors over the steps of a comparison: a bar for each step, or for several if there are many.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "documents/page/parts.h"

namespace byhand::report {
namespace {

constexpr std::size_t kMostBars = 100;  // and rows

// One after the other, in as many groups as there are bars.
template <class T>
std::vector<std::span<const T>> groups_of(const std::vector<T>& all) {
    const std::size_t bars = std::min(all.size(), kMostBars);
    std::vector<std::span<const T>> groups;
    for (std::size_t i = 0; i < bars; ++i) {
        const std::size_t begin = i * all.size() / bars;
        groups.push_back(std::span(all).subspan(begin, (i + 1) * all.size() / bars - begin));
    }
    return groups;
}

// As high as the largest share of the steps that a bar stands for; nothing where there is none.
std::string bars(const std::vector<double>& shares, const Scale& scale) {
    const auto groups = groups_of(shares);
    std::array<std::string, 2> paths;  // within the limit, and over it
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const double share = *std::ranges::max_element(groups[i]);
        if (share >= 0) {
            paths[share <= 1 ? 0 : 1] += fmt::format("M{} 100V{}h.8V100z", coordinate(static_cast<double>(i) + 0.1),
                                                     coordinate(100 - scale.at(share)));
        }
    }
    return fmt::format(
        "<svg class=\"bars\" viewBox=\"0 0 {0} 100\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path "
        "class=\"ok\" d=\"{1}\"/>"
        "<path class=\"over\" d=\"{2}\"/><path class=\"limit\" d=\"M0 {3}H{0}\"/></svg>",
        groups.size(), paths[0], paths[1], coordinate(100 - scale.at(1)));
}

// The value that came nearest to its limit in a step, or went furthest beyond it.
struct Furthest {
    std::string name;
    double share = -1;  // none
};

Furthest furthest(const ComparedStep& step) {
    Furthest most;
    for (const ChainFinding& found : findings(step)) {
        if (found.finding.used && (most.name.empty() || *found.finding.used > most.share)) {
            most = {found.value.name, *found.finding.used};
        }
    }
    return most;
}

double share_of(const ComparedStep& step) {
    return furthest(step).share;
}

std::string name_and_share(const ComparedStep& step) {
    const Furthest most = furthest(step);
    return most.name.empty() ? "none" : most.name + " at " + of_limit(most.share);
}

using Steps = std::span<const ComparedStep>;

// The one that is furthest off.
const ComparedStep& worst_of(Steps steps) {
    return *std::ranges::max_element(steps, {}, share_of);
}

std::size_t disagreeing(Steps steps, const std::set<Verdict>& allowed) {
    return static_cast<std::size_t>(
        std::ranges::count_if(steps, [&](const ComparedStep& step) { return disagrees(step, allowed); }));
}

Table table_of(const Shown& shown) {
    const auto groups = groups_of(shown.steps);
    Table table{groups.size() == shown.steps.size()
                    ? "Every compared step"
                    : fmt::format("Of {} compared steps the worst of each {} or so", shown.steps.size(),
                                  shown.steps.size() / groups.size()),
                {"step",
                 {"loss by hand", "", Align::right, 2},
                 {"by LibTorch", "", Align::right, 1},
                 {"nearest to its limit", "", Align::left},
                 {"verdict", "", Align::left}},
                {}};
    for (const Steps group : groups) {
        const ComparedStep& step = worst_of(group);
        const std::size_t off = disagreeing(group, shown.summary.allowed);
        table.rows.push_back({whole(step.step), gives_loss(step) ? fixed(step.loss_manual, 6) : none(),
                              fixed(step.loss_torch, 6), name_and_share(step),
                              off == 0            ? "agrees"
                              : group.size() == 1 ? "disagrees"
                                                  : fmt::format("{} of {} disagree", off, group.size())});
    }
    return table;
}

std::string from_to(const std::vector<ComparedStep>& steps) {
    return fmt::format("from step {} to step {}; the red line is the limit", steps.front().step, steps.back().step);
}

}  // namespace

std::vector<Block> over_steps(const Shown& shown) {
    const std::vector<ComparedStep>& steps = shown.steps;
    if (steps.size() < 2) {
        return {};
    }
    std::vector<double> shares(steps.size());
    std::ranges::transform(steps, shares.begin(), share_of);
    const Scale scale = scale_of(shares);
    const std::size_t off = disagreeing(steps, shown.summary.allowed);
    const ComparedStep& worst = worst_of(steps);
    return {
        Text{.words = "Over the steps", .role = TextRole::heading},
        Text{fmt::format("{} steps compared, {}. The worst is step {}: {}. Step {}, {}, is shown below in full.",
                         steps.size(), off == 0 ? "all agree" : fmt::format("{} of them disagree", off), worst.step,
                         name_and_share(worst), shown.step.step, off == 0 ? "the last" : "the first that disagrees")},
        Figure{"The largest error ÷ limit of each step, " + from_to(steps), bars(shares, scale),
               fmt::format("logarithmic, {} at the bottom, {} at the top", power_of_ten(scale.first),
                           power_of_ten(scale.last))},
        Details{"The same as a table", {table_of(shown)}}};
}

Figure over_steps_of(const Shown& shown, const Entry& entry) {
    const auto worst = std::ranges::max_element(entry.over_steps);
    return {"Error ÷ limit " + from_to(shown.steps), bars(entry.over_steps, shown.scale),
            worst != entry.over_steps.end() && *worst > 0
                ? fmt::format("most at step {}: {}",
                              shown.steps[static_cast<std::size_t>(worst - entry.over_steps.begin())].step,
                              of_limit(*worst))
                : "no error in any"};
}

}  // namespace byhand::report

namespace byhand {

std::size_t shown_step(const std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed) {
    const auto off = std::ranges::find_if(steps, [&](const ComparedStep& step) { return disagrees(step, allowed); });
    return off != steps.end() ? static_cast<std::size_t>(off - steps.begin()) : steps.size() - 1;
}

void drop_pictures(std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed) {
    const std::size_t kept = shown_step(steps, allowed);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        for (ModelReport& model : steps[i].models) {
            for (ValueReport& value : model.values) {
                if (i != kept) {
                    value.picture.reset();
                }
            }
        }
    }
}

}  // namespace byhand

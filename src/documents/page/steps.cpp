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

// "32.1 % of its limit", "250,413× its limit".
std::string of_limit(double used) {
    return share(used) + (share(used).ends_with("%") ? " of its limit" : " its limit");
}

// The value that came nearest to its limit in a step, or went furthest beyond it.
struct Furthest {
    const ComparedStep* step = nullptr;
    bool is_off = false;  // the step disagrees
    std::string name = {};
    double share = -1;  // none

    std::string words() const { return name.empty() ? "none" : name + " at " + of_limit(share); }
};

Furthest furthest(const ComparedStep& step, const std::set<Verdict>& allowed) {
    Furthest most{&step, disagrees(step, allowed)};
    for (const ChainFinding& found : findings(step)) {
        if (found.finding.used && (most.name.empty() || *found.finding.used > most.share)) {
            most.name = found.value.name;
            most.share = *found.finding.used;
        }
    }
    return most;
}

Table table_of(const std::vector<Furthest>& steps) {
    const auto groups = groups_of(steps);
    Table table{groups.size() == steps.size() ? "Every compared step"
                                              : fmt::format("Of {} compared steps the worst of each {} or so",
                                                            steps.size(), steps.size() / groups.size()),
                {"step",
                 {"loss by hand", "", Align::right, 2},
                 {"by LibTorch", "", Align::right, 1},
                 {"nearest to its limit", "", Align::left},
                 {"verdict", "", Align::left}},
                {}};
    for (const std::span<const Furthest> group : groups) {
        const Furthest& worst = *std::ranges::max_element(group, {}, &Furthest::share);
        const ComparedStep& step = *worst.step;
        const auto off = std::ranges::count(group, true, &Furthest::is_off);
        table.rows.push_back({whole(step.step), gives_loss(step) ? fixed(step.loss_manual, 6) : none(),
                              fixed(step.loss_torch, 6), worst.words(),
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

std::vector<Block> over_steps(const PageContents& shown) {
    if (shown.steps.size() < 2) {
        return {};
    }
    std::vector<Furthest> steps;
    std::vector<double> shares;
    shares.reserve(shown.steps.size());
    for (const ComparedStep& step : shown.steps) {
        shares.push_back(steps.emplace_back(furthest(step, shown.summary.allowed)).share);
    }
    const Scale scale = scale_of(shares);
    const auto off = std::ranges::count(steps, true, &Furthest::is_off);
    const Furthest& worst = *std::ranges::max_element(steps, {}, &Furthest::share);
    return {Text{.words = "Over the steps", .role = TextRole::heading},
            Text{fmt::format("{} steps compared, {}. The worst is step {}: {}. Step {}, {}, is shown below in full.",
                             steps.size(), off == 0 ? "all agree" : fmt::format("{} of them disagree", off),
                             worst.step->step, worst.words(), shown.step.step,
                             off == 0 ? "the last" : "the first that disagrees")},
            Figure{"The largest error ÷ limit of each step, " + from_to(shown.steps), bars(shares, scale),
                   fmt::format("logarithmic, {} at the bottom, {} at the top", power_of_ten(scale.first),
                               power_of_ten(scale.last))},
            Details{"The same as a table", {table_of(steps)}}};
}

Figure over_steps_of(const PageContents& shown, const Entry& entry) {
    std::vector<double> shares(shown.steps.size(), -1);
    for (std::size_t i = 0; i < shares.size(); ++i) {
        for (const auto& [model, against, value, finding] : findings(shown.steps[i])) {
            const bool is_same = model.model == entry.model->model && value.name == entry.name();
            shares[i] = is_same ? std::max(shares[i], finding.used.value_or(-1)) : shares[i];
        }
    }
    const auto worst = std::ranges::max_element(shares);
    const std::size_t step = shown.steps[static_cast<std::size_t>(worst - shares.begin())].step;
    return {"Error ÷ limit " + from_to(shown.steps), bars(shares, shown.scale),
            *worst > 0 ? fmt::format("most at step {}: {}", step, of_limit(*worst)) : "no error in any"};
}

}  // namespace byhand::report

namespace byhand {

std::size_t shown_step(const std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed) {
    const auto off = std::ranges::find_if(steps, [&](const ComparedStep& step) { return disagrees(step, allowed); });
    return off != steps.end() ? static_cast<std::size_t>(off - steps.begin()) : steps.size() - 1;
}

void drop_pictures(std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed) {
    const ComparedStep* const kept = &steps[shown_step(steps, allowed)];
    for (ComparedStep& step : steps) {
        for (ModelReport& model : step.models) {
            for (ValueReport& value : model.values) {
                value.picture = &step == kept ? value.picture : nullptr;
            }
        }
    }
}

}  // namespace byhand

// Errors over the steps of a comparison: a bar for each step, or for several if there are many.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "documents/page/parts.h"
#include "report/html.h"

namespace byhand::report {
namespace {

constexpr std::size_t kMostBars = 100;  // and rows

// Steps next to each other that share a bar.
struct Group {
    std::size_t begin = 0, end = 0;  // in the list of compared steps
};

std::vector<Group> groups_of(std::size_t steps) {
    const std::size_t bars = std::min(steps, kMostBars);
    std::vector<Group> groups(bars);
    for (std::size_t i = 0; i < bars; ++i) {
        groups[i] = {i * steps / bars, (i + 1) * steps / bars};
    }
    return groups;
}

// As high as the largest share of the steps that a bar stands for; nothing where there is none.
std::string bars(const std::vector<double>& shares, const Scale& scale) {
    const std::vector<Group> groups = groups_of(shares.size());
    std::array<std::string, 2> paths;  // within the limit, and over it
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto begin = shares.begin();
        const double share = *std::max_element(begin + static_cast<std::ptrdiff_t>(groups[i].begin),
                                               begin + static_cast<std::ptrdiff_t>(groups[i].end));
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

std::string ends(const std::vector<ComparedStep>& steps) {
    return fmt::format("<p class=\"ends\"><span>step {}</span><span>step {}</span></p>", steps.front().step,
                       steps.back().step);
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

// Of the steps in a group the one that is furthest off.
const ComparedStep& worst_in(const std::vector<ComparedStep>& steps, const Group& group) {
    std::size_t worst = group.begin;
    for (std::size_t i = group.begin; i < group.end; ++i) {
        worst = share_of(steps[i]) > share_of(steps[worst]) ? i : worst;
    }
    return steps[worst];
}

std::size_t disagreeing(const Shown& shown, const Group& group) {
    return static_cast<std::size_t>(
        std::count_if(shown.steps.begin() + static_cast<std::ptrdiff_t>(group.begin),
                      shown.steps.begin() + static_cast<std::ptrdiff_t>(group.end),
                      [&](const ComparedStep& step) { return disagrees(step, shown.summary.allowed); }));
}

std::string table_text(const Shown& shown) {
    const std::vector<Group> groups = groups_of(shown.steps.size());
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
    for (const Group& group : groups) {
        const ComparedStep& step = worst_in(shown.steps, group);
        const std::size_t off = disagreeing(shown, group);
        table.rows.push_back({whole(step.step), gives_loss(step) ? fixed(step.loss_manual, 6) : none(),
                              fixed(step.loss_torch, 6), name_and_share(step),
                              off == 0 ? "agrees"
                              : group.end - group.begin == 1
                                  ? "disagrees"
                                  : fmt::format("{} of {} disagree", off, group.end - group.begin)});
    }
    return "<details><summary>The same as a table</summary>" + to_html(table) + "</details>\n";
}

}  // namespace

std::string over_steps(const Shown& shown) {
    const std::vector<ComparedStep>& steps = shown.steps;
    if (steps.size() < 2) {
        return "";
    }
    std::vector<double> shares(steps.size());
    std::ranges::transform(steps, shares.begin(), share_of);
    const Scale scale = scale_of(shares);
    const std::size_t off = disagreeing(shown, {0, steps.size()});
    const ComparedStep& worst = worst_in(steps, {0, steps.size()});
    return fmt::format(
        "<section aria-labelledby=\"page-steps\"><h2 id=\"page-steps\">Over the steps</h2>\n<p>{} steps compared, {}. "
        "The worst is step {}: {}. Step {}, {}, is shown below in full.</p>\n"
        "<figure class=\"wide\"><figcaption>The largest error ÷ limit of each step, logarithmic, from {} at the bottom "
        "to {} at the top; the red line is the limit</figcaption>{}{}</figure>\n{}</section>\n",
        steps.size(), off == 0 ? "all agree" : fmt::format("{} of them disagree", off), worst.step,
        escaped(name_and_share(worst)), shown.step.step, off == 0 ? "the last" : "the first that disagrees",
        power_of_ten(scale.first), power_of_ten(scale.last), bars(shares, scale), ends(steps), table_text(shown));
}

std::string over_steps_of(const Shown& shown, const Entry& entry) {
    if (shown.steps.size() < 2) {
        return "";
    }
    const auto worst = std::ranges::max_element(entry.over_steps);
    const std::string words =
        worst != entry.over_steps.end() && *worst > 0
            ? fmt::format("most at step {}: {}",
                          shown.steps[static_cast<std::size_t>(worst - entry.over_steps.begin())].step,
                          of_limit(*worst))
            : "no error in any";
    return fmt::format(
        "<figure><figcaption>Error ÷ limit over the steps; the red line is the "
        "limit</figcaption>{}{}<p>{}</p></figure>\n",
        bars(entry.over_steps, shown.scale), ends(shown.steps), words);
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

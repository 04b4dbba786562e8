#include "documents/page/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report/writers.h"

namespace byhand::report {
namespace {

// From what contradicts to what is exact.
int badness(Verdict verdict, const std::set<Verdict>& allowed) {
    return contradicts(verdict, allowed) ? 3 : !agrees(verdict) ? 2 : verdict == Verdict::within ? 1 : 0;
}

Mark mark_of(Verdict verdict, Role::Kind role, const std::set<Verdict>& allowed) {
    if (role == Role::Kind::culprit) {
        return Mark::culprit;
    }
    if (contradicts(verdict, allowed)) {
        return role == Role::Kind::inherited ? Mark::inherited : Mark::off;
    }
    switch (verdict) {
        case Verdict::exact:
            return Mark::exact;
        case Verdict::within:
            return Mark::within;
        case Verdict::undecided:
            return Mark::undecided;
        case Verdict::not_given:
            return Mark::not_given;
        default:
            return Mark::shows_nothing;
    }
}

// The share of each value in each step, by model and name.
using Shares = std::map<std::pair<std::string, std::string>, std::vector<double>>;

Shares shares_of(const std::vector<ComparedStep>& steps) {
    Shares all;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        for (const auto& [model, against, value, finding] : findings(steps[i])) {
            std::vector<double>& shares = all[{model.model, value.name}];
            shares.resize(steps.size(), -1);
            shares[i] = std::max(shares[i], finding.used.value_or(-1));
        }
    }
    return all;
}

Section section_of(const ModelReport& report, const Shown& shown, Shares& shares, const std::string& id_before) {
    const std::set<Verdict>& allowed = shown.summary.allowed;
    Section section{report, {}, {}, {}};
    for (const ChainFinding& found : findings(report)) {
        const ValueReport& value = found.value;
        const Verdict verdict = found.finding.verdict;
        const auto [place, is_new] = section.places.try_emplace(value.name, section.entries.size());
        if (is_new) {
            section.entries.push_back({.value = &value,
                                       .id = id_before + value.name,
                                       .verdict = verdict,
                                       .over_steps = std::move(shares[{report.model, value.name}])});
        }
        Entry& entry = section.entries[place->second];
        if (badness(verdict, allowed) > badness(entry.verdict, allowed)) {
            entry.verdict = verdict;
        }
    }
    for (Entry& entry : section.entries) {
        entry.mark = mark_of(entry.verdict, entry.value->role.kind, allowed);
        entry.listed = shown.how.shows(entry.name()) && entry.mark != Mark::not_given;
        for (const std::string& read : entry.value->reads) {
            section.read_by[read].push_back(entry.name());
        }
    }
    return section;
}

bool is_of_name(char c) {
    return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// A link to the value's row where there is one, else its name.
std::string link(const Section& section, const std::string& name) {
    const Entry* entry = section.find(name);
    return entry != nullptr && entry->listed ? fmt::format("<a href=\"#{}\">{}</a>", escaped(entry->id), name) : name;
}

}  // namespace

MarkWords words_of(Mark mark) {
    constexpr std::array<MarkWords, kMarks> kWords = {{{"culprit", "✗", "culprit"},
                                                       {"heir", "↳", "inherited"},
                                                       {"off", "!", "off, no root cause found"},
                                                       {"nothing", "○", "shows nothing"},
                                                       {"open", "?", "undecided end to end"},
                                                       {"ok", "✓", "within its limit"},
                                                       {"same", "=", "equal to LibTorch's, bit by bit"},
                                                       {"none", "–", "not given"}}};
    return kWords[static_cast<std::size_t>(mark)];
}

double Scale::at(double share) const {
    if (!(share > 0)) {
        return share <= 0 ? 1 : 99;
    }
    const double along = (std::log10(share) - first) / (last - first);
    return 1 + 98 * std::clamp(along, 0.0, 1.0);
}

Scale scale_of(const std::vector<double>& shares) {
    Scale scale;
    for (const double share : shares) {
        if (share > 0 && std::isfinite(share)) {
            scale.first = std::clamp(static_cast<int>(std::floor(std::log10(share))), -3, scale.first);
            scale.last = std::clamp(static_cast<int>(std::ceil(std::log10(share))), scale.last, 9);
        }
    }
    return scale;
}

Shown shown(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps, const Page& page) {
    const ComparedStep& step = steps[shown_step(steps, summary.allowed)];
    Shown shown{how, summary, steps, page, step, wording(how, step), {}, {}};
    Shares shares = shares_of(steps);
    std::vector<double> used;
    for (const ModelReport& model : step.models) {
        Section section = section_of(model, shown, shares, shown.sections.empty() ? "" : model.model + ":");
        for (const Entry& entry : section.entries) {
            used.push_back(entry.result().used.value_or(0));
        }
        if (!section.entries.empty()) {
            shown.sections.push_back(std::move(section));
        }
    }
    shown.scale = scale_of(used);
    return shown;
}

std::string in_short(const std::optional<double>& value) {
    return !value ? "–" : *value == 0 ? "0" : fmt::format("{:.1e}", *value);
}

std::string of_limit(double used) {
    const std::string text = share(used);
    return text + (text.ends_with("%") ? " of its limit" : " its limit");
}

std::string power_of_ten(int exponent) {
    constexpr std::array<const char*, 10> kDigits = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    std::string text = exponent < 0 ? "10⁻" : "10";
    for (const char digit : std::to_string(std::abs(exponent))) {
        text += kDigits[static_cast<std::size_t>(digit - '0')];
    }
    return text;
}

std::string coordinate(double value) {
    return fmt::format("{:g}", std::round(value * 10) / 10);
}

std::string linked(const Section& section, const std::string& words) {
    const std::string html = in_html(words);
    std::string text;
    for (std::size_t at = 0; at < html.size();) {
        const std::size_t begin = at;
        const bool is_code = html.compare(at, 6, "<code>") == 0;
        if (is_code || html[at] == '&') {  // copied as it is
            at = is_code ? html.find("</code>", at) + 7 : html.find(';', at) + 1;
            text += html.substr(begin, at - begin);
        } else if (!is_of_name(html[at])) {
            text += html[at++];
        } else {
            while (at < html.size() && is_of_name(html[at])) {
                ++at;
            }
            text += link(section, html.substr(begin, at - begin));
        }
    }
    return text;
}

std::string badge(Mark mark, const std::string& words) {
    const MarkWords of = words_of(mark);
    return fmt::format(R"(<span class="mark {}"><b aria-hidden="true">{}</b> {}</span>)", of.style, of.sign, words);
}

}  // namespace byhand::report

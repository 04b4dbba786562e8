#include "documents/page/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

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

// From the smallest share to the largest, of those that are finite and not nothing: at least from a tenth of the limit
// to ten limits, at most from 10^-3 to 10^9.
Scale scale_of(const std::vector<Section>& sections) {
    Scale scale;
    for (const Section& section : sections) {
        for (const Entry& entry : section.entries) {
            const double share = entry.result().used.value_or(0);
            if (share > 0 && std::isfinite(share)) {
                scale.first = std::clamp(static_cast<int>(std::floor(std::log10(share))), -3, scale.first);
                scale.last = std::clamp(static_cast<int>(std::ceil(std::log10(share))), scale.last, 9);
            }
        }
    }
    return scale;
}

}  // namespace

MarkWords words_of(Mark mark) {
    constexpr std::array<MarkWords, kMarks> kWords = {{{"culprit", "✗", "culprit"},
                                                       {"heir", "↳", "inherited"},
                                                       {"off", "!", "off, nobody found to blame"},
                                                       {"nothing", "○", "shows nothing"},
                                                       {"open", "?", "undecided in the chain"},
                                                       {"ok", "✓", "within its limit"},
                                                       {"same", "=", "equal to LibTorch's to the bit"},
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

Shown shown(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps, const Page& page) {
    const ComparedStep& step = steps[shown_step(steps, summary.allowed)];
    Shown shown{how, summary, steps, page, step, wording(how, step), {}, {}};
    Shares shares = shares_of(steps);
    for (const ModelReport& model : step.models) {
        Section section = section_of(model, shown, shares, shown.sections.empty() ? "" : model.model + ":");
        if (!section.entries.empty()) {
            shown.sections.push_back(std::move(section));
        }
    }
    shown.scale = scale_of(shown.sections);
    return shown;
}

std::string in_short(const std::optional<double>& value) {
    return !value ? "–" : *value == 0 ? "0" : fmt::format("{:.1e}", *value);
}

std::string headroom(const std::optional<double>& share) {
    if (!share) {
        return "–";
    }
    if (*share == 0) {
        return "no error";
    }
    if (!std::isfinite(*share)) {
        return "none to spare";
    }
    const double times = *share <= 1 ? 1 / *share : *share;
    const std::string size = times < 99.5     ? fmt::format("{:.1f}", times)
                             : times < 9999.5 ? grouped(static_cast<std::size_t>(std::lround(times)))
                                              : fmt::format("{:.1e}", times);
    return *share <= 1 ? size + "×" : "over " + size + "×";
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

std::string link(const Section& section, const std::string& name) {
    const Entry* entry = section.find(name);
    return entry != nullptr && entry->listed ? fmt::format("<a href=\"#{}\">{}</a>", escaped(entry->id), escaped(name))
                                             : escaped(name);
}

std::string links(const Section& section, const std::vector<std::string>& names, std::string_view none) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + link(section, name);
    }
    return text.empty() ? std::string(none) : text;
}

std::string badge(Mark mark) {
    const MarkWords words = words_of(mark);
    return fmt::format(R"(<span class="mark {}"><b aria-hidden="true">{}</b> {}</span>)", words.style, words.sign,
                       words.words);
}

}  // namespace byhand::report

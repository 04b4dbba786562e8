// What the parts of the page have in common: an entry for each tensor, its mark, its place on the scale.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "documents/page/page.h"
#include "documents/phrases.h"
#include "report/xml.h"

namespace byhand::report {

// How a tensor stands, from worst to best.
enum class Mark {
    culprit,
    inherited,
    off,  // contradicts, and no root cause is found
    shows_nothing,
    undecided,
    within,
    exact,
    not_given,
};
inline constexpr std::size_t kMarks = 8;

struct MarkWords {
    const char* style;  // the class in the style sheet
    const char* sign;
    const char* words;
};
MarkWords words_of(Mark mark);

// A value that is compared end to end, as the page shows it.
struct Entry {
    const ValueReport* value = nullptr;
    std::string id;                      // of the expanded row: the target of links
    Verdict verdict = Verdict::missing;  // the worst against any reference
    Mark mark = Mark::within;
    bool listed = true;              // has a row
    std::vector<double> over_steps;  // the largest share in each compared step; negative where there is none

    const std::string& name() const { return value->name; }
    const Finding& result() const { return *value->in_chain(); }
    bool disagrees() const { return mark <= Mark::off; }
};

// All values of one model in the step that is shown.
struct Section {
    const ModelReport& report;
    std::vector<Entry> entries;                 // in the order of the comparison
    std::map<std::string, std::size_t> places;  // of each name in `entries`
    std::map<std::string, std::vector<std::string>> read_by;

    const Entry* find(const std::string& name) const {
        const auto found = places.find(name);
        return found != places.end() ? &entries[found->second] : nullptr;
    }
};

// A logarithmic scale of error ÷ limit, in powers of ten.
struct Scale {
    int first = -1, last = 1;
    double at(double share) const;  // percent from the left; 0 and less are at the left edge
};
// From the smallest to the largest of those that are finite and above 0: at least from 10^-1 to 10^1, at most from
// 10^-3 to 10^9.
Scale scale_of(const std::vector<double>& shares);

// All that is shown.
struct Shown {
    const Presentation& how;
    const Summary& summary;
    const std::vector<ComparedStep>& steps;
    const Page& page;
    const ComparedStep& step;  // in full
    Wording wording;
    std::vector<Section> sections;
    Scale scale;
};
Shown shown(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps, const Page& page);

// Images by the id of their tensor; the page leaves out those that are missing.
using Drawings = std::map<std::string, std::string>;

// "1.4e-05", or "–" where it is not known.
std::string in_short(const std::optional<double>& value);
// "32.1 % of its limit", "250,413× its limit".
std::string of_limit(double used);
// "10⁻⁴".
std::string power_of_ten(int exponent);
// One decimal at most, as coordinates are written.
std::string coordinate(double value);

// The words in HTML, in which each name of a tensor is a link to its row.
std::string linked(const Section& section, const std::string& words);
// "✗ culprit".
std::string badge(Mark mark, const std::string& words);

// The parts of the page.
std::string network_picture(const Shown& shown, const Section& section);
std::string tensor_list(const Shown& shown, const Section& section, const Drawings& drawings);
std::string drawing(const Shown& shown, const Entry& entry);  // heatmap, histogram, worst elements; "" without figures
std::string opened(const Shown& shown, const Section& section, const Entry& entry, const Drawings& drawings);
std::string over_steps(const Shown& shown);                         // "" where there is one step
std::string over_steps_of(const Shown& shown, const Entry& entry);  // the same of one tensor
std::string drawn_once();                                           // what the images of all tensors refer to

}  // namespace byhand::report

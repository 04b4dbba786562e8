// What the parts of the page have in common: a row for each tensor, its mark, its place on the one scale.
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
    off,  // contradicts, and nobody is found to blame
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

// A value that is compared in the chain, as the page shows it.
struct Entry {
    const ValueReport* value = nullptr;
    std::string id;                      // of what opens: what links lead to
    Verdict verdict = Verdict::missing;  // the worst against any reference
    Mark mark = Mark::within;
    bool listed = true;              // has a row, and a place that links lead to
    std::vector<double> over_steps;  // the largest share of each compared step; negative where there is none

    const std::string& name() const { return value->name; }
    const Finding& result() const { return *value->in_chain(); }
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

// The page's one logarithmic scale of error ÷ limit.
struct Scale {
    int first = -1, last = 1;       // powers of ten
    double at(double share) const;  // percent from the left; 0 and less stand at the left edge
};

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

// Pictures by the id of their tensor; what is not there is left out of the page.
using Drawings = std::map<std::string, std::string>;

// "1.4e-05", or "–" where it is not known.
std::string in_short(const std::optional<double>& value);
// What an error leaves of its limit: "9.3×", "over 8.4e+06×".
std::string headroom(const std::optional<double>& share);
// "10⁻⁴".
std::string power_of_ten(int exponent);
// Two decimals at most, as coordinates are written.
std::string coordinate(double value);

// A link to the value's row where there is one, else its name.
std::string link(const Section& section, const std::string& name);
// Several of them, with commas; "nobody" and the like where there are none.
std::string links(const Section& section, const std::vector<std::string>& names, std::string_view none);
// Sign and words: "✗ culprit".
std::string badge(Mark mark);

// The parts of the page, each a piece of it.
std::string network_picture(const Shown& shown, const Section& section);
std::string tensor_table(const Shown& shown, const Section& section, const Drawings& drawings);
std::string drawing(const Shown& shown, const Entry& entry);  // heatmap, histogram, worst elements; "" without figures
std::string opened(const Shown& shown, const Section& section, const Entry& entry, const Drawings& drawings);
std::string over_steps(const Shown& shown);                         // "" where there is one step
std::string over_steps_of(const Shown& shown, const Entry& entry);  // the same of one tensor
std::string drawn_once();                                           // what pictures refer to
std::string heat_key();                                             // what the colours of heatmaps mean

}  // namespace byhand::report

// What the parts of the page have in common: an entry for each tensor, its mark, its place on the scale.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "documents/compare.h"
#include "documents/phrases.h"

namespace byhand::report {

// A value that is judged, as the page shows it.
struct Entry {
    const ModelReport* model = nullptr;
    const ValueReport* value = nullptr;
    std::string id;                      // of its details: the target of links
    Verdict verdict = Verdict::missing;  // the worst against any reference
    Mark mark = Mark::none;              // that of the verdict, or of its role in what is wrong
    bool listed = true;                  // has a row
    std::string said = {};               // of a verdict that has no name: "not judged"

    const std::string& name() const { return value->name; }
    const Finding& result() const { return *value->in_chain(); }
    // "culprit", "inherited from dbndiff", "within".
    std::string words() const;
};

// All values of one model in the step that is shown.
struct Section {
    const ModelReport& report;
    std::vector<Entry> entries;                 // in the order of the report
    std::map<std::string, std::size_t> places;  // of each name in `entries`

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
struct PageContents {
    const Presentation& how;
    const Summary& summary;
    const std::vector<ComparedStep>& steps;
    const Graph& network;
    const ComparedStep& step;  // in full
    Wording wording;
    std::vector<Section> sections;
    Scale scale;
};
PageContents page_contents(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                           const Graph& network);

// "1.4e-05", or "–" where it is not known.
std::string in_short(const std::optional<double>& value);
// "10⁻⁴".
std::string power_of_ten(int exponent);
// One decimal at most, as coordinates are written.
std::string coordinate(double value);

// The name as a link to its row, if it has one.
std::string link(const Section& section, const std::string& name);
// The words, in which each name of a tensor that has a row is a link to it.
std::string linked(const Section& section, const std::string& words);

// A row of the diagram: a heading, or a value with its gradient and what is updated or evaluated with them; all may be
// empty. `end` is for network_figure: "to" or "from" a value or a gradient in another column.
struct NetworkRow {
    std::string heading = {}, end = {}, value = {}, gradient = {}, later = {};
    std::string given = {};  // the title of a value that is shown without being compared: "the batch"
};
using Panel = std::vector<NetworkRow>;  // in one column

// The network as a diagram, in columns of whole panels.
Figure network_figure(const Section& section, const std::vector<Panel>& panels);

struct DrawnTensor {
    const std::string& name;
    const Shape& shape;
    const Picture& picture;
    const Wording& wording;
    std::string reference = "LibTorch";
};
// Heatmap, histogram and worst elements of a tensor; none without figures.
std::vector<Block> drawing(const DrawnTensor& tensor);

// The images of a tensor: those of the least rank are the most important ones.
struct Images {
    std::pair<Mark, double> rank;
    std::function<std::vector<Block>()> drawn;
};
// By mark, then by the largest share of a limit.
std::pair<Mark, double> rank_of(Mark mark, const std::optional<double>& used);
// Puts the images into the details with these ids, in the place of the second block, which says that they are left out:
// by their importance, while the page stays under 2 MB, or while they have so many bytes.
void add_drawings(Document& document, const std::map<std::string, Images>& images, std::size_t at_least = 0);

// All else that is shown of a tensor. If it has a picture, the second block says that its drawing is left out.
Details details_of(const PageContents& shown, const Section& section, const Entry& entry);

// The chart of several steps.
std::vector<Block> over_steps(const PageContents& shown);
Figure over_steps_of(const PageContents& shown, const Entry& entry);

}  // namespace byhand::report

// The page of a comparison, and how it is read.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "harness/results.h"
#include "harness/xml.h"
#include "report/document.h"

namespace byhand::test {

// A step of a network V 4, T 3, E 2, H 5, in which dh is wrong; dhpreact, dW1 and new_W1 have it from there.
ComparedStep with_culprit();

// Adds a value with a picture of 2 × 3 elements.
ValueReport& add_drawn(ComparedStep& step, const std::string& name, double share);

// The page of steps of that network.
std::string html(std::vector<ComparedStep> steps, const Presentation& how = presentation(),
                 const std::set<Verdict>& allowed = {}, const Text& next = {""});

// The page is XML too.
Element read(const std::string& page);

using Elements = std::vector<const Element*>;

void visit(const Element& element, const std::function<void(const Element&)>& see);
bool has_class(const Element& element, const std::string& name);
Elements all(const Element& root, const std::string& name, const std::string& style = "");
std::string text_of(const Element& root);
// The classes of the elements with these names.
std::set<std::string> classes(const Element& root, const std::vector<std::string>& names);

// The row of that tensor: figures, then its details.
const Element& row_of(const Element& page, std::string_view name);
// The table with that caption, within a part of the page.
const Element& table_of(const Element& part, std::string_view caption);
const Element& box_of(const Element& page, std::string_view id);

}  // namespace byhand::test

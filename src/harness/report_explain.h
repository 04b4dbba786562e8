// What an explanation looks like: for people, and as JSON for programs. Everything is returned as text.
#pragma once

#include <string>
#include <vector>

#include "base/view.h"
#include "harness/explain.h"
#include "harness/report.h"

namespace byhand {

// A line a value, in order: what is made, from what, by which function.
std::string explain_list(const std::vector<Explanation>& all);

// Everything of one value: what it is, formula, function and line, what it reads and who reads it, what people get
// wrong; and how its numbers look, where there are some.
std::string explain_one(const Explanation& explanation, const View* values, const Presentation& how);

// [{"name","meaning","shape","function","file_line","formula","reads","read_by","values","mistakes"}]
std::string explain_json(const std::vector<Explanation>& all, const std::vector<View>& values, const Presentation& how);

}  // namespace byhand

// What two files of tensors are beside each other, as text: docs/formats.md has the fields.
//
// Of `how` the filter, the colour, and the network with its characters are used; without characters no network is
// known, and a place is a name and an index.
#pragma once

#include <string>

#include "harness/diff.h"
#include "harness/report.h"

namespace byhand {

// A row a tensor, those that differ first and with their worst element in words; then the conclusion.
std::string diff_table(const Diff& diff, const Presentation& how);

// The verdict on the whole in a line.
std::string conclusion(const Diff& diff, bool colour);

std::string diff_json(const Diff& diff, const Presentation& how);
std::string diff_csv(const Diff& diff, const Presentation& how);
std::string diff_junit(const Diff& diff, const Presentation& how);

}  // namespace byhand

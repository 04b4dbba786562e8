// What the experiments are given in their tests, and how their documents are read.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/parsed_json.h"
#include "base/source_line.h"
#include "lab/experiments.h"
#include "report/document.h"

namespace lab_test {

// Whether LibTorch's module is installed beside this program.
bool with_torch();
// With LibTorch if it is.
byhand::lab::Setting setting();

// The shipped names.
byhand::lab::Material names();
// Their file, or another of the project's.
std::string path_of(const std::string& file);

byhand::SourceLine source_of(const std::string& function);

// The document of an experiment with some of its options set.
using OptionValue = std::variant<std::size_t, double, std::vector<std::size_t>, std::vector<double>>;
byhand::Document run(const byhand::lab::Experiment& experiment, const byhand::lab::Setup& setup,
                     const std::vector<std::pair<std::string, OptionValue>>& options = {});

// The document as programs read it. Checks on the way that it agrees with LibTorch where that is there, that every
// formula has its function, and that a terminal of 80 columns is wide enough.
byhand::Json read(byhand::Document document);

}  // namespace lab_test

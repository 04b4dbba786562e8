// The experiments of the lab, by the names the command knows them by.
#pragma once

#include <functional>
#include <span>

#include "cli/options.h"
#include "lab/setting.h"
#include "report/document.h"

namespace byhand::cli {

using RunExperiment = std::function<Document(const lab::Setting& setting)>;

struct Experiment {
    const char* name;
    const char* note;   // where it comes from: "note 3"
    const char* about;  // one line
    // Adds its own options to its command; what it returns runs the experiment by what they were set to.
    RunExperiment (*add)(const Command& command);
};

// In the order in which the lab lists them.
std::span<const Experiment> experiments();

}  // namespace byhand::cli

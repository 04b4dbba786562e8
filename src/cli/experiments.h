// The experiments of the lab, by name.
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
    const char* note;   // its source: "note 3"
    const char* about;  // one line
    // Adds the options of the experiment to its command; returns a function that runs it with their values.
    RunExperiment (*add)(const Command& command);
};

// In the order in which the lab lists them.
std::span<const Experiment> experiments();

}  // namespace byhand::cli

// What reports of a comparison say besides its figures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/source_line.h"
#include "harness/mistake.h"
#include "harness/words.h"

namespace byhand {

// Which values a report shows.
using Filter = std::function<bool(const std::string& name)>;

struct Presentation {
    std::string subject = {};          // what is compared: "stepwise, fused", "mine.safetensors"
    const Mistake* planted = nullptr;  // in it
    std::string command = {};          // that writes this report
    std::string recipe = {};
    std::uint64_t seed = 0;
    std::size_t rows = 0;  // of the batch
    std::string torch_version = {};
    NetworkConfig network = {};
    Glossary glossary = {};                    // of its operations
    std::vector<std::string> characters = {};  // of the vocabulary, '.' first: UTF-8, printable
    SourceOf source = [](const std::string&) { return SourceLine(); };
    Filter shows = {};
    Whose whose = Whose::by_hand;
};

}  // namespace byhand

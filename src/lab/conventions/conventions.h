// One input through batch norm as the field defines it: what differs, and by how much.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

struct ConventionsOptions {
    std::size_t rows = 7, batches = 1000;  // rows of a batch: at least 2; batches: at least 1
    std::uint64_t seed = 1;
};

Document conventions(const ConventionsOptions& options, const Setting& setting);

}  // namespace byhand::lab

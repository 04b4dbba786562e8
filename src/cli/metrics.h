// One JSON object a line, step and loss, as training goes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/file.h"

namespace byhand::cli {

class Metrics {
public:
    // A line for each `every`-th step, and the last. Of a training that goes on after `done` steps, an old file keeps
    // the lines that it would have without a break; of one that begins it keeps none. Throws InputError where the file
    // can't be made, what stands there is no metrics file, or, of a training that goes on, it lacks lines.
    Metrics(std::string path, std::size_t every, std::size_t done);

    // Floats as the shortest text that reads back the same; what is not finite as "nan", "inf", "-inf". What can't be
    // written is told by sync and close.
    void write(std::size_t step, float loss);

    // All lines so far are on the disk then. The first time that one can't be written it says why, with the path;
    // nothing more is written then.
    std::optional<std::string> sync();

    // Throws InputError where something could not be written.
    void close();

private:
    void flush();
    std::string failure() const;

    std::string path_, waiting_;
    Descriptor file_;
    int error_ = 0;  // the first one
    bool told_ = false;
};

}  // namespace byhand::cli

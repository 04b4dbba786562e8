// The metrics of a training: one JSON object per line, with step and loss.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/file.h"

namespace byhand {

class Metrics {
public:
    // A line for each `every`-th step and the last. If a training resumes after `done` steps, an existing file keeps
    // the lines of an uninterrupted training; otherwise it is emptied. Throws InputError if the file can't be created,
    // is not a metrics file, or lacks lines of the steps already done.
    Metrics(std::string path, std::size_t every, std::size_t done);

    // Floats as the shortest text that reads back the same; non-finite ones as "nan", "inf", "-inf". Errors are
    // reported by sync and close.
    void write(std::size_t step, float loss);

    // Flushes all lines to disk. Returns the first error, once, with the path; after an error nothing more is written.
    std::optional<std::string> sync();

    // Throws InputError if a line could not be written.
    void close();

private:
    void flush();
    std::string failure() const;

    std::string path_, waiting_;
    Descriptor file_;
    int error_ = 0;  // the first one
    bool is_reported_ = false;
};

}  // namespace byhand

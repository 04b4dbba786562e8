// One JSON object a line, step and loss, as training goes.
#pragma once

#include <cstddef>
#include <string>

namespace byhand::cli {

class Metrics {
public:
    // A line for each `every`-th step, and the last. Of a training that goes on after `done` steps, an old file keeps
    // the lines that it would have without a break; of one that begins it keeps none. Throws InputError where the file
    // can't be made, or, of one that goes on, is not such a file or lacks lines.
    Metrics(std::string path, std::size_t every, std::size_t done);
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;
    ~Metrics();

    // Floats as the shortest text that reads back the same; what is not finite as "nan", "inf", "-inf". What can't be
    // written is told by close.
    void write(std::size_t step, float loss);

    // All lines so far are on the disk then.
    void sync();

    // Throws InputError where something could not be written.
    void close();

private:
    void flush();

    std::string path_, waiting_;
    int file_ = -1;
    int error_ = 0;  // the first one
};

}  // namespace byhand::cli

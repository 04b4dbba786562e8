// One JSON object a line, step and loss, as training goes.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>

namespace byhand::cli {

class Metrics {
public:
    // Throws InputError where the file can't be made. An old one is replaced.
    explicit Metrics(const std::string& path);

    // Doubles and floats as the shortest text that reads back the same; what is not finite as "nan", "inf", "-inf".
    void write(std::size_t step, float loss);

    // Throws InputError where something could not be written.
    void close();

private:
    std::string path_;
    std::ofstream out_;
};

}  // namespace byhand::cli

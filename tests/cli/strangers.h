// Files from strangers, each handed to every command that reads such a file: exit code 2 and one line, soon, with
// little memory, and nothing written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"

namespace cli_test {

inline constexpr std::uint64_t kMegabyte = 1'000'000;
inline constexpr const char* kStranger = "stranger";  // the file's name

// Commands with the stranger's file among their arguments. Those that need LibTorch are left out where there is none.
std::vector<Arguments> names_readers();
std::vector<Arguments> recipe_readers();
std::vector<Arguments> tensor_readers();
std::vector<Arguments> model_readers();
std::vector<Arguments> metrics_readers();
std::vector<Arguments> sequence_readers();

std::vector<Arguments> operator+(std::vector<Arguments> a, const std::vector<Arguments>& b);

// A folder with names in "n", a model in "good", its metrics in "m", and the model without its metadata in "theirs".
class Strangers : public NamesFolder {
public:
    Strangers();

    const std::string& good() const { return good_; }
    Json header() const;       // of "good"
    std::string data() const;  // the bytes after the header

    // Every command refuses what lies there.
    void refused(const std::vector<Arguments>& commands, const std::string& kind) const;
    // The same of a file with these bytes.
    void refused(const std::vector<Arguments>& commands, const std::string& kind, const std::string& bytes) const;
    // The same of one command, as `run` runs it; how it ended.
    Outcome refused_by(const Arguments& command, const std::string& kind,
                       const std::function<Outcome(const Arguments&)>& run) const;

private:
    std::string good_;
};

// The bytes of a safetensors file, right or wrong.
std::string tensor_file(const std::string& header, const std::string& data = "");

std::string repeated(const std::string& text, std::size_t times);

}  // namespace cli_test

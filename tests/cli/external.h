// compare --mine: a dump of the network, values made from it as the file "mine", and the report on that file.
#pragma once

#include <map>
#include <set>
#include <string>

#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {

using Names = std::set<std::string>;

// Networks, by their arguments.
extern const Arguments kNotes, kOdd;

constexpr const char* kPython = "/usr/bin/python3";

// A program, to its end.
Outcome run(const Folder& folder, const std::string& program, const Arguments& arguments);

// Skips the test where NumPy is missing.
void need_numpy(const Folder& folder);

// Writes the file "dump.safetensors".
void dump(const Folder& folder, const Arguments& network);

// Runs a Python script, which makes the file "mine" of the dump.
void run_python(const Folder& folder, const std::string& script);

// The tensors of the dump with one prefix, without it: "manual", "torch".
std::map<std::string, StoredTensor> tensors_of(const StoredFile& file, const std::string& implementation);

struct Judged {
    int code = 0;
    Json report;

    Names culprits() const;
};

// The report on the file "mine".
Judged judged(const Folder& folder, const Arguments& network);

void check_agreement(const Folder& folder, const Arguments& network);

}  // namespace cli_test

// How a command writes what it has found: --format and --output.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/files.h"
#include "cli/options.h"
#include "report/document.h"
#include "report/text.h"

namespace byhand::cli {

struct ReportOptions {
    std::string format = "table";
    bool json = false;  // --json, short for --format json
    OutputPath output;
};

// Adds --format (table, json, csv or html, and junit of what passes or fails), --json and --output, and returns them.
enum class Judged { no, yes };
std::vector<Option> add_report_options(const Command& command, ReportOptions& options, Judged judged = Judged::no);

// $COLUMNS, else the width of the terminal that the descriptor is, else 80.
std::size_t terminal_width(int descriptor);

// Where the report goes. It is opened before the work, so that a path that can't be written is refused then.
class ReportFile {
public:
    // Throws InputError as TextFile does.
    explicit ReportFile(const ReportOptions& options);

    bool is_file() const { return file_.has_value(); }
    const std::string& format() const { return format_; }

    // What is written: a table fits the terminal, and has colours if it goes to one that wants them.
    std::string text_of(const Document& document) const;

    // Throw InputError where they fail.
    void write(const std::string& text) const;
    void write(const Document& document) const { write(text_of(document)); }

private:
    std::string format_;
    std::optional<TextFile> file_;
    Terminal terminal_;
};

}  // namespace byhand::cli

#include "cli/report_options.h"

#include <fmt/core.h>

#include "report/csv.h"
#include "report/html.h"
#include "report/text.h"

namespace byhand::cli {

std::vector<Option> add_report_options(const Command& command, ReportOptions& options) {
    const Option format = command.option("--format", options.format, "table, json, csv or html")
                              .one_of({"table", "json", "csv", "html"})
                              .shows_default();
    const Option json = command.flag("--json", options.json, "Short for --format json").excludes(format);
    const Option output =
        command.option("--output", options.output, "Write the report there [standard output]").not_empty();
    return {format, json, output};
}

ReportFile::ReportFile(const ReportOptions& options) : format_(options.json ? "json" : options.format) {
    if (!options.output.empty()) {
        file_.emplace(options.output);
    }
}

void ReportFile::write(const Document& document) const {
    const std::string text = format_ == "json"   ? printed_json(document.data, 2) + "\n"
                             : format_ == "csv"  ? to_csv(document)
                             : format_ == "html" ? to_html(document)
                                                 : to_text(document);
    if (file_) {
        file_->write(text);
    } else {
        fmt::print("{}", text);
    }
}

}  // namespace byhand::cli

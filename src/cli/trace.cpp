#include "trace/trace.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "checks/files/tensor_source.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/report_options.h"
#include "cli/say.h"

namespace byhand::cli {
namespace {

struct TraceOptions {
    InputPath graph, a, b;
    ReportOptions report;
};

constexpr std::size_t kLargestGraph = 200'000'000;  // bytes

// Reads a tensor when it is asked for. One that can't be read is named once, and is not there.
ReadTensor reader_of(const std::string& path) {
    std::map<std::string, TensorSource> sources;
    for (TensorSource& source : open_tensors(path).tensors) {
        const std::string why = !source.fault.empty() ? source.fault
                                : !source.dtype       ? source.name + " holds " + source.type + ", which can't be read"
                                                      : "";
        if (why.empty()) {
            std::string name = source.name;
            sources.emplace(std::move(name), std::move(source));
        } else {
            say("{}: not read: {}\n", path, why);
        }
    }
    return [sources = std::move(sources)](const std::string& name) {
        const auto found = sources.find(name);
        return found == sources.end() ? std::nullopt : std::optional(read(found->second));
    };
}

int trace(const TraceOptions& options) {
    const ReportFile report(options.report);
    const TracedGraph graph = read_graph(read_text(options.graph, kLargestGraph), options.graph);
    Dumps dumps{.a = options.a, .read_a = reader_of(options.a)};
    dumps.pictures = report.format() == "html";
    if (!options.b.path.empty()) {
        dumps.b = options.b;
        dumps.read_b = reader_of(options.b);
    }
    std::optional<Progress> progress;
    dumps.progress = [&](std::size_t done, std::size_t all) {
        if (!progress) {
            progress.emplace(all, std::nullopt, "judging");
        }
        progress->reach(done);
        if (done == all) {
            progress->finish();
        }
    };
    const Trace found = byhand::trace(graph, dumps, load_traced_operations());
    report.write(trace_document(found), conclusion(found));
    return agree(found) ? kFine : kDisagrees;
}

}  // namespace

void add_trace(const Command& program) {
    const Command command = program.add_command("trace", kTraceAbout);
    const auto options = std::make_shared<TraceOptions>();
    command
        .option("GRAPH", options->graph,
                "A JSON file of the steps: which tensor each makes, by which operation, of which")
        .required()
        .not_empty();
    command.option("A", options->a, "A safetensors, .npz or .npy file of the tensors that these steps read and made")
        .required()
        .not_empty();
    command.option("B", options->b, "The reference's tensors of the same names");
    add_report_options(command, options->report, Judged::yes);
    command.on_run([options] { return trace(*options); });
}

}  // namespace byhand::cli

#include "foreign/exercise/build.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace byhand::exercise {
namespace {

using Words = std::vector<std::string>;

Words words_in(const std::string& text) {
    std::istringstream stream(text);
    Words words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}

Words words_of(const char* variable) {
    const char* text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): no thread writes to it
    return words_in(text != nullptr ? text : "");
}

// "ccache g++" may be two words.
Words compiler() {
    const Words named = words_of("CXX");
    return named.empty() ? Words{BYHAND_COMPILER} : named;
}

[[noreturn]] void refuse_compiler(const std::string& name) {
    throw InputError("no compiler: there is no " + name + "; name yours by CXX");
}

}  // namespace

void build(const std::string& file, const std::string& library, const BuildConfig& config) {
    // The compiler's message for an unreadable file would differ, and it takes some for empty.
    const RegularFile source = open_regular(file);
    char first = 0;
    read_some(source.descriptor.number(), &first, 1, file);
    Words words = compiler();
    words.insert(words.end(),
                 {"-std=c++20", "-fPIC", "-shared", "-ffp-contract=off", "-Wall", "-Wno-sign-compare", "-O1"});
    if (config.sanitizer == Sanitizer::address) {
        words.insert(words.end(), {"-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"});
    } else if (config.sanitizer == Sanitizer::thread) {
        words.insert(words.end(), {"-g", "-fsanitize=thread"});
    }
    // By a path that can't be mistaken for an option or a list of options, whatever its name.
    const bool is_word = file.starts_with('-') || file.starts_with('@');
    words.insert(words.end(), {"-I" + config.headers, "-o", library, "-x", "c++", (is_word ? "./" : "") + file});
    Words theirs = words_of("CXXFLAGS");
    const Words last = words_in(config.flags);
    theirs.insert(theirs.end(), last.begin(), last.end());
    if (!theirs.empty()) {
        words.insert(words.end(), {"-x", "none"});  // they may name an object file
        words.insert(words.end(), theirs.begin(), theirs.end());
    }
    const std::optional<Ended> compiled = run_program(words, {.out = STDERR_FILENO}, config.goes_on);
    if (!compiled) {
        refuse_compiler(words.front());
    }
    if (compiled->exit_code != 0) {
        throw InputError(file + " does not compile");
    }
    std::error_code error;
    if (!std::filesystem::exists(library, error)) {
        throw InputError(words.front() + " ends without an error, but writes no library: " +
                         (theirs.empty() ? "CXX" : "CXX, CXXFLAGS and --flags") +
                         " must leave it one to write (-fsyntax-only and -o don't)");
    }
}

std::string run_time_of(Sanitizer sanitizer) {
    const bool is_address = sanitizer == Sanitizer::address;
    const std::string library = is_address ? "libasan.so" : "libtsan.so";
    Words words = compiler();
    words.push_back("-print-file-name=" + library);
    const std::optional<ProgramRun> asked = run_and_read(words);
    if (!asked) {
        refuse_compiler(words.front());
    }
    std::string path = asked->out;
    path.erase(path.find_last_not_of('\n') + 1);
    if (asked->exit_code != 0 || path.find('/') == std::string::npos) {
        throw InputError(words.front() + " has no " + (is_address ? "Address" : "Thread") + "Sanitizer (" + library +
                         "); leave --sanitize out, or name g++ by CXX");
    }
    return path;
}

}  // namespace byhand::exercise

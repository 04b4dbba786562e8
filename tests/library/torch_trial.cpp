// How byhand's library judges other people's kernels (trial.h): each verdict that is not the expected one, and a table.
//   library_trial [--seeds N] [--match SUBSTRING] [--right | --wrong]
#include "library/torch_trial.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

using namespace byhand::trial;

namespace {

struct Arguments {
    std::uint64_t seeds = 1;
    std::string match = {};
    bool right = true, wrong = true;
};

struct Tally {
    std::string kind;
    std::size_t runs = 0, agreed = 0, errors = 0;
    double seconds = 0, longest = 0;
};

Arguments read(int count, char** words) {
    Arguments read;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (word == "--seeds" && i + 1 < count) {
            read.seeds = std::stoull(words[++i]);
        } else if (word == "--match" && i + 1 < count) {
            read.match = words[++i];
        } else if (word == "--right" || word == "--wrong") {
            (word == "--right" ? read.wrong : read.right) = false;
        } else {
            throw std::invalid_argument("what is " + word + "?");
        }
    }
    return read;
}

std::string first_lines(const std::string& text, int lines) {
    std::istringstream in(text);
    std::string read, line;
    while (lines-- > 0 && std::getline(in, line)) {
        read += "    " + line + "\n";
    }
    return read;
}

void say(const char* what, const Trial& trial, std::uint64_t seed, const std::string& text) {
    std::cout << what << ": " << trial.kind << ": " << trial.name << ", seed " << seed << "\n"
              << first_lines(text, 6) << std::flush;
}

Tally& of_kind(std::vector<Tally>& tallies, const std::string& kind) {
    const auto found = std::ranges::find(tallies, kind, &Tally::kind);
    return found != tallies.end() ? *found : tallies.emplace_back(Tally{.kind = kind});
}

void run(const Trial& trial, std::uint64_t seed, bool right, Tally& tally) {
    const auto start = std::chrono::steady_clock::now();
    try {
        const byhand::Report report = trial.check(seed);
        tally.agreed += report.agrees() ? 1 : 0;
        if (report.agrees() != right) {
            say(right ? "REFUSED" : "PASSED", trial, seed, report.text());
        }
    } catch (const std::exception& error) {
        ++tally.errors;
        say("ERROR", trial, seed, error.what());
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++tally.runs;
    tally.seconds += seconds;
    tally.longest = std::max(tally.longest, seconds);
}

void print(const Tally& tally, bool right) {
    const std::size_t refused = tally.runs - tally.agreed - tally.errors;
    std::cout << std::left << std::setw(58) << tally.kind << std::right << std::setw(5) << refused << " of "
              << std::setw(4) << tally.runs << (right ? " refused, " : " found,   ") << std::setw(3) << tally.errors
              << " errors, " << std::fixed << std::setprecision(2) << tally.seconds / static_cast<double>(tally.runs)
              << " s, at most " << tally.longest << " s\n";
}

void run_all(const std::vector<Trial>& trials, bool right, const Arguments& arguments) {
    std::vector<Tally> tallies;
    for (const Trial& trial : trials) {
        if ((trial.kind + ": " + trial.name).find(arguments.match) == std::string::npos) {
            continue;
        }
        for (std::uint64_t seed = 1; seed <= arguments.seeds; ++seed) {
            run(trial, seed, right, of_kind(tallies, trial.kind));
        }
    }
    Tally all{.kind = right ? "all right kernels" : "all mistakes"};
    std::cout << (right ? "\nRight kernels:\n" : "\nMistakes:\n");
    for (const Tally& tally : tallies) {
        print(tally, right);
        all = {all.kind,
               all.runs + tally.runs,
               all.agreed + tally.agreed,
               all.errors + tally.errors,
               all.seconds + tally.seconds,
               std::max(all.longest, tally.longest)};
    }
    if (all.runs > 0) {
        print(all, right);
    }
    std::cout << std::endl;
}

}  // namespace

int main(int count, char** words) {
    const Arguments arguments = read(count, words);
    if (arguments.right) {
        run_all(right_kernels(), true, arguments);
    }
    if (arguments.wrong) {
        run_all(wrong_kernels(), false, arguments);
    }
}

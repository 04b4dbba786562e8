// How byhand's library judges other people's kernels (trial.h): each verdict that is not the expected one, and a table.
//   library_trial [--seed N] [--seeds N] [--match SUBSTRING] [--right | --wrong] [--all]
// from the seed N (1) on; with --all in all 13 orders of summation, and on a million elements.
#include "library/torch_trial.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace byhand::trial;

namespace {

struct Arguments {
    std::uint64_t seed = 1, seeds = 1;
    std::string match = {};
    bool right = true, wrong = true, all = false;
};

struct Tally {
    std::string kind;
    std::size_t runs = 0, agreed = 0, errors = 0;
    double seconds = 0, longest = 0;
};

// Of each right kernel and shape, the largest share of a limit that an error takes, in the order with the smallest.
using Shares = std::map<std::string, double>;

Arguments read(int count, char** words) {
    Arguments read;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (word == "--seeds" && i + 1 < count) {
            read.seeds = std::stoull(words[++i]);
        } else if (word == "--seed" && i + 1 < count) {
            read.seed = std::stoull(words[++i]);
        } else if (word == "--all") {
            read.all = true;
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

// "softmax: max, exp, sum (7, 27)" of "max, exp, sum, order 3 (7, 27)"
std::string without_order(const Trial& trial) {
    const std::size_t order = trial.name.find(", order "), rest = trial.name.find(" (");
    return trial.kind + ": " +
           (order == std::string::npos ? trial.name : trial.name.substr(0, order) + trial.name.substr(rest));
}

void add_share(const Trial& trial, const std::string& text, Shares& shares) {
    const std::string before = "at most ";
    const std::size_t place = text.find(before);
    if (place != std::string::npos) {
        const auto [known, is_new] = shares.try_emplace(without_order(trial), 1);
        known->second = std::min(known->second, std::stod(text.substr(place + before.size())) / 100);
    }
}

void print(const Shares& shares) {
    std::vector<double> ratios;
    for (const auto& [name, share] : shares) {
        if (share > 0) {
            ratios.push_back(1 / share);
        }
    }
    std::ranges::sort(ratios);
    if (!ratios.empty()) {
        std::cout << "limit / error of the best order, where that is closest: median " << ratios[ratios.size() / 2]
                  << ", largest " << ratios.back() << " (" << ratios.size() << " kernels and shapes)\n";
    }
}

void run(const Trial& trial, std::uint64_t seed, bool right, Tally& tally, Shares& shares) {
    const auto start = std::chrono::steady_clock::now();
    try {
        const byhand::Report report = trial.check(seed);
        tally.agreed += report.agrees() ? 1 : 0;
        if (report.agrees() != right) {
            say(right ? "REFUSED" : "PASSED", trial, seed, report.text());
        } else if (right) {
            add_share(trial, report.text(), shares);
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
    Shares shares;
    for (const Trial& trial : trials) {
        const bool is_left_out = trial.is_extra && !arguments.all;
        if (is_left_out || (trial.kind + ": " + trial.name).find(arguments.match) == std::string::npos) {
            continue;
        }
        for (std::uint64_t seed = arguments.seed; seed < arguments.seed + arguments.seeds; ++seed) {
            run(trial, seed, right, of_kind(tallies, trial.kind), shares);
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
    print(shares);
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

// How byhand's library judges other people's kernels (trial.h): each verdict that is not the expected one, and a table.
//   library_trial [--seed N] [--seeds N] [--match SUBSTRING] [--right | --wrong | --amplifying] [--all]
// from the seed N (1) on; with --all in all 13 orders of summation, and on a million elements.
#include "library/tests/torch_trial.h"

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

#include "base/text.h"

using namespace byhand::trial;

namespace {

struct Arguments {
    std::uint64_t seed = 1, seeds = 1;
    std::string match = {};
    std::string only = {};
    bool all = false;
};

// Kernels, and the verdict that is expected of each.
struct Group {
    const char *option, *title, *missed;  // "--right", "Right kernels", "refused"
    std::vector<Trial> (*trials)();
    bool (*meets)(const byhand::Report&);
};

bool is_less_accurate(const byhand::Report& report) {
    return text::contains(report.text(), "is less accurate than the reference");
}

constexpr Group kGroups[] = {
    {"--right", "Right kernels", "refused", right_kernels,
     [](const byhand::Report& report) { return report.agrees(); }},
    {"--wrong", "Mistakes", "not called wrong", wrong_kernels,
     [](const byhand::Report& report) { return !report.agrees() && !is_less_accurate(report); }},
    {"--amplifying", "Right kernels that amplify rounding", "called wrong", amplifying_kernels,
     [](const byhand::Report& report) { return report.agrees() || is_less_accurate(report); }}};

struct Tally {
    std::string kind;
    std::size_t runs = 0, missed = 0, errors = 0;
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
        } else if (std::ranges::any_of(kGroups, [&](const Group& group) { return word == group.option; })) {
            read.only = word;
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

void run(const Trial& trial, std::uint64_t seed, const Group& group, Tally& tally, Shares& shares) {
    const auto start = std::chrono::steady_clock::now();
    try {
        const byhand::Report report = trial.check(seed);
        if (!group.meets(report)) {
            ++tally.missed;
            say(group.missed, trial, seed, report.text());
        }
        if (report.agrees()) {
            add_share(trial, report.text(), shares);
        }
    } catch (const std::exception& error) {
        ++tally.errors;
        say("error", trial, seed, error.what());
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    ++tally.runs;
    tally.seconds += seconds;
    tally.longest = std::max(tally.longest, seconds);
}

void print(const Tally& tally, const Group& group) {
    std::cout << std::left << std::setw(58) << tally.kind << std::right << std::setw(5) << tally.missed << " of "
              << std::setw(4) << tally.runs << " " << group.missed << ", " << std::setw(3) << tally.errors
              << " errors, " << std::fixed << std::setprecision(2) << tally.seconds / static_cast<double>(tally.runs)
              << " s, at most " << tally.longest << " s\n";
}

void run_all(const Group& group, const Arguments& arguments) {
    std::vector<Tally> tallies;
    Shares shares;
    for (const Trial& trial : group.trials()) {
        const bool is_left_out = trial.is_extra && !arguments.all;
        if (is_left_out || (trial.kind + ": " + trial.name).find(arguments.match) == std::string::npos) {
            continue;
        }
        for (std::uint64_t seed = arguments.seed; seed < arguments.seed + arguments.seeds; ++seed) {
            run(trial, seed, group, of_kind(tallies, trial.kind), shares);
        }
    }
    Tally all{.kind = "all"};
    std::cout << "\n" << group.title << ":\n";
    for (const Tally& tally : tallies) {
        print(tally, group);
        all = {all.kind,
               all.runs + tally.runs,
               all.missed + tally.missed,
               all.errors + tally.errors,
               all.seconds + tally.seconds,
               std::max(all.longest, tally.longest)};
    }
    if (all.runs > 0) {
        print(all, group);
    }
    print(shares);
    std::cout << std::endl;
}

}  // namespace

int main(int count, char** words) {
    const Arguments arguments = read(count, words);
    for (const Group& group : kGroups) {
        if (arguments.only.empty() || arguments.only == group.option) {
            run_all(group, arguments);
        }
    }
}

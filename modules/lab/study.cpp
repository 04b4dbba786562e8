#include "lab/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace byhand::lab {
namespace {

// Studies with more values are plotted only.
constexpr std::size_t kMostRows = 20, kMostArms = 4;

// "12.7", "1124", and with an exponent where that is shorter: "3.7e5", "6.9e-4".
std::string short_number(double value) {
    constexpr double kLong = 1e5, kShort = 1e-2, kWhole = 1e3;
    if (std::isfinite(value) && (std::abs(value) >= kLong || (value != 0 && std::abs(value) < kShort))) {
        const int power = static_cast<int>(std::floor(std::log10(std::abs(value))));
        return fmt::format("{:.1f}e{}", value / std::pow(10, power), power);
    }
    return std::abs(value) >= kWhole ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

// "2.41 ± 0.02": the mean and the deviation; of figures that differ by factors the median, and their range.
Cell cell_of(const std::vector<double>& figures, bool by_factors, int decimals, bool with_range = true) {
    if (!by_factors) {
        const MeanAndDeviation of = mean_and_deviation(figures);
        return figures.size() == 1 ? fixed(of.mean, decimals)
                                   : Cell{fmt::format("{:.{}f} ± {:.{}f}", of.mean, decimals, of.deviation, decimals),
                                          {{"mean", number(of.mean)}, {"deviation", number(of.deviation)}}};
    }
    const Median median = median_of(figures);
    const std::string least = short_number(median.least), most = short_number(median.most);
    return {short_number(median.median) + (least == most || !with_range ? "" : fmt::format(" ({} to {})", least, most)),
            {{"median", number(median.median)}, {"least", number(median.least)}, {"most", number(median.most)}}};
}

Table table_of(const Study& study) {
    Table table{study.title, {study.varied}, {}};
    table.columns.insert(table.columns.end(), study.arms.begin(), study.arms.end());
    for (std::size_t value = 0; value < study.values.size(); ++value) {
        std::vector<Cell>& row = table.rows.emplace_back(1, significant(study.values[value], 4));
        for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
            row.push_back(cell_of(study.at(arm, value), study.by_factors, study.decimals, study.arms.size() < 3));
        }
    }
    return table;
}

Plot plot_of(const Study& study) {
    Plot plot{study.title, study.varied, study.measure, {}, study.log_x, study.by_factors};
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
        Series& series = plot.series.emplace_back(Series{study.arms[arm], {}, {}, {}, {}, Style::both});
        series.style = study.values.size() > kMostRows ? Style::line : Style::both;
        for (std::size_t value = 0; value < study.values.size(); ++value) {
            const std::vector<double> figures = study.at(arm, value);
            const MeanAndDeviation mean = mean_and_deviation(figures);
            const Median median = median_of(figures);
            const double middle = study.by_factors ? median.median : mean.mean;
            if (std::isfinite(middle) && middle < study.largest_plotted) {
                series.x.push_back(study.values[value]);
                series.y.push_back(middle);
                series.low.push_back(study.by_factors ? median.least : mean.mean - mean.deviation);
                series.high.push_back(study.by_factors ? median.most : mean.mean + mean.deviation);
            }
        }
        if (study.seeds == 1) {
            series.low.clear();
            series.high.clear();
        }
    }
    return plot;
}

Json json_of(const Study& study) {
    Json arms = Json::array();
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
        Json figures = Json::array();
        for (std::size_t value = 0; value < study.values.size(); ++value) {
            figures.push_back(numbers(study.at(arm, value)));
        }
        arms.push_back({{"name", study.arms[arm]}, {"figures", std::move(figures)}});
    }
    return {{"title", study.title},
            {"measure", study.measure},
            {"varied", study.varied},
            {"values", study.values},
            {"arms", std::move(arms)}};
}

// As many decimals as show three digits of the larger mean, four at most.
int decimals_for(const Claim& claim) {
    constexpr int kMost = 4;
    const double larger =
        std::max(std::abs(mean_and_deviation(claim.first).mean), std::abs(mean_and_deviation(claim.second).mean));
    if (!std::isfinite(larger) || larger == 0) {
        return 0;
    }
    return std::clamp(2 - static_cast<int>(std::floor(std::log10(larger))), 0, kMost);
}

Json json_of(const Claim& claim, const Test& test) {
    const auto figures = [](const std::vector<double>& values) {
        const MeanAndDeviation of = mean_and_deviation(values);
        return Json{{"mean", number(of.mean)}, {"deviation", number(of.deviation)}, {"values", numbers(values)}};
    };
    return {{"name", claim.name},
            {"network", claim.subject},
            {"claim", claim.sentence},
            {"measure", claim.measure},
            {"with", figures(claim.first)},
            {"without", figures(claim.second)},
            {"difference", number(test.difference)},
            {"standard_error", number(test.error)},
            {"verdict", words_of(test.outcome)}};
}

// "−1200 ± 98", or of figures that differ by factors "0.5 times, 0.4 to 0.6".
std::string difference_in_words(const Claim& claim, const Test& test) {
    const auto is_finite = [](double x) { return std::isfinite(x); };
    const std::vector<double> differences = difference(claim.first, claim.second);
    const auto finite = static_cast<std::size_t>(std::ranges::count_if(differences, is_finite));
    if (finite < differences.size()) {
        return fmt::format("not finite on {} of {} seeds", differences.size() - finite, differences.size());
    }
    if (!claim.by_factors) {
        const int decimals = decimals_for(claim) + 1;
        return fmt::format("{:+.{}f} ± {:.{}f}", test.difference, decimals, test.error, decimals);
    }
    const double factor = claim.better == Better::smaller ? 1 / claim.times : claim.times;
    const auto times = [&](double errors) {
        return short_number(factor * std::pow(10, test.difference + errors * test.error));
    };
    return fmt::format("{} times, {} to {}", times(0), times(-1), times(1));
}

}  // namespace

std::vector<double> Study::at(std::size_t arm, std::size_t value) const {
    const auto begin = figures.begin() + static_cast<std::ptrdiff_t>(index(arm, value, 0));
    return {begin, begin + static_cast<std::ptrdiff_t>(seeds)};
}

std::vector<double> Study::of_seed(std::size_t arm, std::size_t seed) const {
    std::vector<double> over_values(values.size());
    for (std::size_t value = 0; value < values.size(); ++value) {
        over_values[value] = figures[index(arm, value, seed)];
    }
    return over_values;
}

std::vector<Trained> train(const Study& study,
                           const std::function<Training(std::size_t arm, std::size_t value, std::size_t seed)>& make,
                           const Setup& setup) {
    std::vector<Training> trainings;
    filled(study, [&](std::size_t arm, std::size_t value, std::size_t seed) {
        trainings.push_back(make(arm, value, seed));
        trainings.back().recipe.seed = setup.seeds[seed];
        return 0;
    });
    return train_all(trainings, setup.material, setup.setting);
}

Study over_steps(Study study, std::vector<double> steps, const std::vector<std::vector<double>>& curves) {
    study.varied = "step";
    study.log_x = false;
    study.values = std::move(steps);
    const std::size_t seeds = study.seeds;
    return filled(std::move(study), [&, seeds](std::size_t arm, std::size_t step, std::size_t seed) {
        const std::vector<double>& curve = curves[arm * seeds + seed];
        return step < curve.size() ? curve[step] : std::numeric_limits<double>::quiet_NaN();
    });
}

Study loss_curves(Study study, const std::vector<Trained>& trained) {
    constexpr std::size_t kPoints = 50;
    std::size_t windows = 0;
    for (const Trained& one : trained) {
        windows = std::max(windows, one.curve.size());
    }
    const std::size_t together = std::max<std::size_t>(1, windows / kPoints);
    std::vector<double> steps;
    for (std::size_t from = 0; from + together <= windows; from += together) {
        steps.push_back((static_cast<double>(from) + static_cast<double>(together) / 2) * kWindow);
    }
    std::vector<std::vector<double>> curves(trained.size());
    for (std::size_t i = 0; i < trained.size(); ++i) {
        const std::vector<double>& curve = trained[i].curve;
        for (std::size_t from = 0; from + together <= curve.size(); from += together) {
            const auto begin = curve.begin() + static_cast<std::ptrdiff_t>(from);
            curves[i].push_back(mean_and_deviation({begin, begin + static_cast<std::ptrdiff_t>(together)}).mean);
        }
    }
    study.measure = "nats";
    return over_steps(std::move(study), std::move(steps), curves);
}

Test test_of(const std::vector<double>& first, const std::vector<double>& second, Better better) {
    const MeanAndDeviation figures = mean_and_deviation(difference(first, second));
    Test test{Outcome::undecided, figures.mean, figures.deviation / std::sqrt(static_cast<double>(first.size()))};
    if (first.size() < 2 || !std::isfinite(figures.mean)) {
        return test;
    }
    const double gained = better == Better::larger ? test.difference : -test.difference;
    const double counts = kErrorsThatCount * test.error;
    test.outcome = gained > counts    ? Outcome::holds
                   : gained < -counts ? Outcome::does_not_hold
                                      : Outcome::no_difference;
    return test;
}

std::string words_of(Outcome outcome) {
    constexpr std::array kWords = {"holds", "does not hold", "no difference beyond the spread", "undecided"};
    return kWords[static_cast<std::size_t>(outcome)];
}

Claim claim_on(const Study& study, Claim claim,
               const std::function<double(const std::vector<double>& figures)>& measure) {
    for (std::size_t seed = 0; seed < study.seeds; ++seed) {
        claim.first.push_back(measure(study.of_seed(0, seed)));
        claim.second.push_back(measure(study.of_seed(1, seed)));
    }
    claim.arms = {study.arms[0], study.arms[1]};
    return claim;
}

Test test_of(const Claim& claim) {
    if (!claim.by_factors) {
        return test_of(claim.first, claim.second, claim.better);
    }
    const auto logarithms = [](const std::vector<double>& values, double factor) {
        return figures_of(values, [factor](double value) { return std::log10(factor * value); });
    };
    const double factor = claim.better == Better::smaller ? 1 / claim.times : claim.times;
    return test_of(logarithms(claim.first, 1), logarithms(claim.second, factor), claim.better);
}

void add(Document& document, const std::vector<Study>& studies) {
    const Study& first = studies.front();
    if (first.varied.empty()) {
        Table table{first.title, {""}, {}};
        for (const Study& study : studies) {
            table.columns.emplace_back(study.measure);
        }
        for (std::size_t arm = 0; arm < first.arms.size(); ++arm) {
            std::vector<Cell>& row = table.rows.emplace_back(1, first.arms[arm]);
            for (const Study& study : studies) {
                row.push_back(cell_of(study.at(arm), study.by_factors, study.decimals));
            }
        }
        document.blocks.emplace_back(std::move(table));
    }
    for (const Study& study : studies) {
        document.data["studies"][study.key] = json_of(study);
        if (study.varied.empty()) {
            continue;
        }
        if (study.values.size() <= kMostRows && study.arms.size() <= kMostArms) {
            document.blocks.emplace_back(table_of(study));
        }
        document.plots.push_back(plot_of(study));
    }
}

void add(Document& document, const std::vector<Claim>& claims) {
    const std::vector<std::string>& arms = claims.front().arms;
    const bool same = std::ranges::all_of(claims, [&](const Claim& claim) { return claim.arms == arms; });
    Table table{"", {{"measured"}, same ? arms[0] : "it", same ? arms[1] : "compared with", "verdict"}, {}};
    std::string conclusion, subject;
    for (const Claim& claim : claims) {
        const Test test = test_of(claim);
        if (claim.subject != subject) {
            subject = claim.subject;
            table.rows.push_back({subject, "", "", ""});
        }
        const int decimals = decimals_for(claim);
        table.rows.push_back({claim.brief, cell_of(claim.first, claim.by_factors, decimals, /*with_range=*/false),
                              cell_of(claim.second, claim.by_factors, decimals, /*with_range=*/false),
                              test.outcome == Outcome::no_difference ? "no difference" : words_of(test.outcome)});
        conclusion += fmt::format("{}“{}”{}: {}. {}: {}.", conclusion.empty() ? "" : "\n", claim.sentence,
                                  subject.empty() ? "" : ", " + subject, words_of(test.outcome), claim.measure,
                                  difference_in_words(claim, test));
        document.data["claims"].push_back(json_of(claim, test));
    }
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(as_conclusion(conclusion));
}

}  // namespace byhand::lab

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "report/writers.h"

namespace byhand {
namespace {

// In double quotes; a backslash or a quote of its own would end them.
std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "\"";
}

std::string number(double value, bool logarithmic) {
    return std::isfinite(value) && (!logarithmic || value > 0) ? fmt::format("{:.9g}", value) : "NaN";
}

// $d0, $d1 … hold the series: x, y, low, high in columns.
std::string data(const Plot& plot) {
    std::string text;
    for (std::size_t s = 0; s < plot.series.size(); ++s) {
        const Series& one = plot.series[s];
        text += fmt::format("$d{} << END\n", s);
        for (std::size_t i = 0; i < one.x.size(); ++i) {
            text += number(one.x[i], plot.log_x) + " " + number(one.y[i], plot.log_y);
            if (!one.low.empty()) {
                text += " " + number(one.low[i], plot.log_y) + " " + number(one.high[i], plot.log_y);
            }
            text += "\n";
        }
        text += "END\n";
    }
    return text;
}

// In gnuplot's words, by Style.
constexpr std::array kStyles = {"lines", "points", "linespoints"};

// The bands first, so that every curve lies on top of them.
std::string commands(const Plot& plot, bool bands) {
    std::string text = data(plot);
    text += fmt::format("set title {}\nset xlabel {}\nset ylabel {}\n", quoted(plot.title), quoted(plot.x_label),
                        quoted(plot.y_label));
    text +=
        fmt::format("unset logscale\n{}{}", plot.log_x ? "set logscale x\n" : "", plot.log_y ? "set logscale y\n" : "");
    std::string curves;
    for (std::size_t s = 0; bands && s < plot.series.size(); ++s) {
        if (!plot.series[s].low.empty()) {
            curves += fmt::format("{}$d{} using 1:3:4 with filledcurves linetype {} notitle",
                                  curves.empty() ? "" : ", ", s, s + 1);
        }
    }
    for (std::size_t s = 0; s < plot.series.size(); ++s) {
        const Series& one = plot.series[s];
        const std::string title = one.name.empty() ? "notitle" : "title " + quoted(one.name);
        curves += fmt::format("{}$d{} using 1:2 with {} linetype {} {}", curves.empty() ? "" : ", ", s,
                              kStyles.at(static_cast<std::size_t>(one.style)), s + 1, title);
    }
    return text + "plot " + curves + "\n";
}

// Colours that the colour-blind can tell apart too (Okabe and Ito 2008), dark enough for thin lines on white.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                 "#56b4e9", "#e69f00", "#333333", "#8c6bb1"};

}  // namespace

std::string terminal_script(const std::vector<Plot>& plots, std::size_t columns, std::size_t rows) {
    std::string text = fmt::format(
        "set encoding utf8\nset terminal dumb noenhanced mono size {}, {}\nset key outside bottom center horizontal\n",
        columns, rows);
    for (const Plot& plot : plots) {
        text += commands(plot, false);
    }
    return text;
}

std::string svg_script(const std::vector<Plot>& plots) {
    constexpr std::size_t kWidth = 800, kHeight = 440;
    std::string text = fmt::format(
        "set encoding utf8\nset terminal svg noenhanced size {}, {} font \"sans-serif,13\" background rgb "
        "\"white\"\n",
        kWidth, kHeight * plots.size());
    for (std::size_t i = 0; i < kColours.size(); ++i) {
        text += fmt::format("set linetype {} linewidth 1.8 linecolor rgb \"{}\" pointtype 7 pointsize 0.45\n", i + 1,
                            kColours[i]);
    }
    text += fmt::format("set linetype cycle {}\n", kColours.size());
    text +=
        "set style fill transparent solid 0.15 noborder\nset border 3 linecolor rgb \"#666666\"\nset tics nomirror\n"
        "set grid linecolor rgb \"#dddddd\" linetype 1 linewidth 0.8\nset autoscale xfix\nset offsets graph 0.01, "
        "graph 0.01, 0, 0\n"
        "set key below center horizontal Left reverse maxcols 3 height 0.6\n";
    text += fmt::format("set multiplot layout {}, 1\n", plots.size());
    for (const Plot& plot : plots) {
        text += commands(plot, true);
    }
    return text + "unset multiplot\n";
}

}  // namespace byhand

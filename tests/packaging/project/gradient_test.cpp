#include <byhand/gradcheck.h>
#include <byhand/version.h>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

// log Σ exp(x) and its gradient, softmax(x).
double log_sum_exp(const std::vector<double>& x, std::vector<double>& gradient) {
    double sum = 0;
    for (const double element : x) {
        sum += std::exp(element);
    }
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        gradient[i] = std::exp(x[i]) / sum;
    }
    return std::log(sum);
}

}  // namespace

int main() {
    const byhand::Report report = byhand::gradcheck("log_sum_exp", log_sum_exp, {0.3, -1.2, 2.5, 0.7});
    std::printf("byhand %s: %s", byhand::kVersion, report.text().c_str());
    return report.agrees() ? 0 : 1;
}

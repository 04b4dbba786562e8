// Two ways of training, compared seed by seed.
#pragma once

#include <string>
#include <vector>

namespace byhand::lab {

// Differences of a figure, one a seed, as the end of a sentence: "0.0168 ± 0.007 higher, 2.4 standard deviations".
// "higher" where the mean is above 0. Where some are not finite, or there is but one, it says so. Precondition: there
// is one.
std::string higher_or_lower(const std::vector<double>& differences);

// first − second, seed by seed. Precondition: as many in both.
std::vector<double> differences(const std::vector<double>& first, const std::vector<double>& second);

// The mean is further from 0 than two standard deviations of the differences; false where one is not finite or there is
// but one.
bool is_clear(const std::vector<double>& differences);

}  // namespace byhand::lab

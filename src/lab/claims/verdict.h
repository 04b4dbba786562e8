// What a claim's figures, with and without, come to.
#pragma once

#include <string>
#include <vector>

namespace byhand::lab {

enum class Better { smaller, larger };
enum class Outcome { holds, does_not_hold, no_difference, undecided };

struct Verdict {
    Outcome outcome = Outcome::undecided;
    double difference = 0;  // the mean of with − without over the seeds
    double error = 0;       // its standard error; 0 where there is one seed
};

// A difference counts from so many standard errors on. Over five seeds a difference of chance alone gets there in one
// case of 25 (Student's t with 4 degrees of freedom).
inline constexpr double kErrorsThatCount = 3;

// The claim is that the first figure is the better one. They are paired: figure i of both is of the same seed. One
// pair, or a figure that is not finite, is undecided. Precondition: as many in both, one at least.
Verdict verdict_of(const std::vector<double>& with, const std::vector<double>& without, Better better);

// "holds", "does not hold", "no difference beyond the spread", "undecided".
std::string words_of(Outcome outcome);
// The same for a table: "no difference" alone.
std::string brief(Outcome outcome);

}  // namespace byhand::lab

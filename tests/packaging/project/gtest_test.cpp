#include <byhand/gradcheck.h>
#include <byhand/gtest.h>

#include <vector>

namespace {

byhand::Report square(double factor) {
    return byhand::gradcheck("square",
                             [factor](const std::vector<double>& x, std::vector<double>& gradient) {
                                 for (std::size_t i = 0; i < gradient.size(); ++i) {
                                     gradient[i] = factor * x[i];
                                 }
                                 double sum = 0;
                                 for (const double element : x) {
                                     sum += element * element;
                                 }
                                 return sum;
                             },
                             {0.5, -1.5, 2.25});
}

}  // namespace

TEST(Gradient, Agrees) {
    EXPECT_TRUE(byhand::result(square(2)));
}

TEST(Gradient, WrongIsAFailure) {
    const testing::AssertionResult wrong = byhand::result(square(2.001));
    EXPECT_FALSE(wrong);
    EXPECT_NE(std::string(wrong.message()).find("square (gtest_test.cpp:"), std::string::npos);
}

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "byhand/byhand.h"

namespace {

using Report = std::unique_ptr<byhand_report, decltype(&byhand_free)>;

Report owned(byhand_report* report) {
    return {report, byhand_free};
}

bool refused(byhand_report* report, const std::string& why) {
    CAPTURE(byhand_error());
    CHECK(text::contains(byhand_error(), why));
    return owned(report) == nullptr;
}

// A value of the reference: in float if it rounds, and then moved by a unit in the last place.
struct Rounding {
    const std::uint64_t* seed = nullptr;
    std::uint64_t state = seed == nullptr ? 0 : *seed * 977 + 1;

    double operator()(double value) {
        if (seed == nullptr) {
            return value;
        }
        state = state * 6364136223846793005U + 1442695040888963407U;
        return static_cast<float>(value) * (1 + ((state >> 33) % 2 == 0 ? 0x1p-23 : -0x1p-23));
    }
};

double at(const byhand_view& view, std::size_t i) {
    return view.dtype == byhand_float32 ? static_cast<const float*>(view.data)[i]
                                        : static_cast<const double*>(view.data)[i];
}

// ---- a tensor: the cubes of 0.1, 0.2, … in the shape (3, 5) ----

constexpr std::size_t kExtents[] = {3, 5};

int cubes(void* context, const byhand_view* /*inputs*/, std::size_t count, const std::uint64_t* seed,
          byhand_sink* sink) {
    Rounding rounded{seed};
    std::vector<double> y(15);
    for (std::size_t i = 0; i < y.size(); ++i) {
        const double x = rounded(0.1 * static_cast<double>(i + 1));
        y[i] = rounded(rounded(x * x) * x);
    }
    byhand_add_result(sink, "y", 2, kExtents, y.data());
    return context == nullptr && count == 0 ? 0 : 3;
}

std::vector<float> float_cubes() {
    std::vector<float> y(15);
    for (std::size_t i = 0; i < y.size(); ++i) {
        const float x = 0.1F * static_cast<float>(i + 1);
        y[i] = x * x * x;
    }
    return y;
}

byhand_view view_of(const std::vector<float>& numbers) {
    return {"cubes", 2, kExtents, byhand_float32, numbers.data()};
}

int adds_nothing(void* /*context*/, const byhand_view* /*inputs*/, std::size_t /*count*/, const std::uint64_t* /*seed*/,
                 byhand_sink* /*sink*/) {
    return 0;
}

int throws(void* context, const byhand_view* /*inputs*/, std::size_t /*count*/, const std::uint64_t* /*seed*/,
           byhand_sink* /*sink*/) {
    if (context == nullptr) {
        throw std::runtime_error("thrown by the reference");
    }
    throw 7;
}

int adds_no_extents(void* /*context*/, const byhand_view* /*inputs*/, std::size_t /*count*/,
                    const std::uint64_t* /*seed*/, byhand_sink* sink) {
    byhand_add_result(sink, "y", 2, nullptr, nullptr);
    return 0;
}

// ---- a kernel of two inputs, and its products: y = a·b², da = dy·b², db = dy·2ab ----

int product(void* /*context*/, const byhand_view* inputs, std::size_t count, const std::uint64_t* seed,
            byhand_sink* sink) {
    Rounding rounded{seed};
    const std::size_t n = inputs[0].rank == 2 ? inputs[0].extents[0] * inputs[0].extents[1] : 1;
    std::vector<double> y(n), da(n), db(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double a = rounded(at(inputs[0], i)), b = rounded(at(inputs[1], i));
        const double dy = count > 2 ? rounded(at(inputs[2], i)) : 0;
        y[i] = rounded(a * rounded(b * b));
        da[i] = rounded(dy * rounded(b * b));
        db[i] = rounded(dy * rounded(2 * rounded(a * b)));
    }
    byhand_add_result(sink, "y", inputs[0].rank, inputs[0].extents, y.data());
    if (count > 2) {
        byhand_add_result(sink, "dx0", inputs[0].rank, inputs[0].extents, da.data());
        byhand_add_result(sink, "dx1", inputs[1].rank, inputs[1].extents, db.data());
    }
    return 0;
}

// What the kernels are given as their context. b² is multiplied by `factor`, which is 1.
struct Mistake {
    double factor;
};

template <class T>
void square_product(void* context, T* const* results, const void* const* inputs, const std::size_t* sizes) {
    const auto *a = static_cast<const T*>(inputs[0]), *b = static_cast<const T*>(inputs[1]);
    const T factor = static_cast<T>(static_cast<const Mistake*>(context)->factor);
    for (std::size_t i = 0; i < sizes[0] * sizes[1]; ++i) {
        results[0][i] = a[i] * (b[i] * b[i]) * factor;
    }
}

// db, and then da.
template <class T>
void square_product_backward(void* context, T* const* results, const void* const* inputs, const std::size_t* sizes) {
    const auto *dy = static_cast<const T*>(inputs[0]), *a = static_cast<const T*>(inputs[1]),
               *b = static_cast<const T*>(inputs[2]);
    const T factor = static_cast<T>(static_cast<const Mistake*>(context)->factor);
    for (std::size_t i = 0; i < sizes[0]; ++i) {
        results[0][i] = dy[i] * (2 * (a[i] * b[i])) * factor;
        results[1][i] = dy[i] * (b[i] * b[i]);
    }
}

constexpr std::size_t kOne[] = {1, 1}, kOdd[] = {3, 7};
constexpr byhand_shape kShapes[] = {{2, kOne}, {2, kOne}, {2, kOdd}, {2, kOdd}};

byhand_kernel kernel_of(Mistake& mistake) {
    return {"square_product", 1, 2, 2, square_product<float>, square_product<double>, &mistake};
}

byhand_expected expected_of(byhand_reference reference) {
    byhand_expected expected{};
    expected.reference = reference;
    expected.inputs = 2;
    expected.shapes = kShapes;
    expected.cases = 2;
    return expected;
}

// ---- a function of n numbers: Σ x³, the gradient scaled by `factor` ----

double sum_of_cubes(unsigned n, const double* x, double* gradient, void* context) {
    double sum = 0;
    for (unsigned i = 0; i < n; ++i) {
        sum += x[i] * x[i] * x[i];
        if (gradient != nullptr) {
            gradient[i] = 3 * x[i] * x[i] * static_cast<const Mistake*>(context)->factor;
        }
    }
    return sum;
}

}  // namespace

TEST_CASE("C interface: a right tensor agrees, a wrong one is located") {
    std::vector<float> y = float_cubes();
    const byhand_view view = view_of(y);
    const Report right = owned(byhand_check_tensor(&view, cubes, nullptr));
    REQUIRE(right);
    CHECK(byhand_agrees(right.get()) == 1);
    CHECK(text::contains(byhand_text(right.get()), "cubes is right"));
    y[7] += 1e-5F;
    const Report wrong = owned(byhand_check_tensor(&view, cubes, nullptr));
    REQUIRE(wrong);
    CHECK(byhand_agrees(wrong.get()) == 0);
    CHECK(text::contains(byhand_text(wrong.get()), "cubes is wrong\n  cubes[1, 2]: yours 0.512"));
    CHECK(text::contains(byhand_json(wrong.get()), R"("place": null)"));
    CHECK(text::contains(byhand_junit(wrong.get()), "<failure"));
    CHECK(text::contains(byhand_html(wrong.get()), "<html"));
}

TEST_CASE("C interface: a right kernel agrees, a wrong one is located") {
    const byhand_expected expected = expected_of(product);
    Mistake none{1}, small{1 + 1e-13};
    const byhand_kernel right = kernel_of(none), wrong = kernel_of(small);
    const Report agrees = owned(byhand_check_kernel(&right, &expected));
    REQUIRE(agrees);
    CHECK(text::contains(byhand_text(agrees.get()), "square_product is right"));
    const Report located = owned(byhand_check_kernel(&wrong, &expected));
    REQUIRE(located);
    CHECK(byhand_agrees(located.get()) == 0);
    CHECK(text::contains(byhand_text(located.get()), "square_product is wrong\n  y["));
    CHECK(text::contains(byhand_text(located.get()), "in double, on inputs of ("));
}

TEST_CASE("C interface: gradients of chosen inputs, with sizes of each case") {
    byhand_expected expected = expected_of(product);
    const std::size_t wrt[] = {1, 0}, sizes[] = {1, 21};
    expected.gradients = 1;
    expected.wrt = wrt;
    expected.wrt_count = 2;
    expected.sizes = sizes;
    Mistake mistake{1};
    const byhand_kernel kernel = {"backward", 2, 3, 1, square_product_backward<float>, nullptr, &mistake};
    const Report right = owned(byhand_check_kernel(&kernel, &expected));
    REQUIRE(right);
    CHECK(byhand_agrees(right.get()) == 1);
    CHECK(text::contains(byhand_json(right.get()), R"("name": "dx1")"));
    mistake.factor = 0.5;
    const Report wrong = owned(byhand_check_kernel(&kernel, &expected));
    REQUIRE(wrong);
    CHECK(text::contains(byhand_text(wrong.get()), "backward is wrong\n  dx1["));
}

TEST_CASE("C interface: the time limit, and a kernel without a subprocess") {
    byhand_expected expected = expected_of(product);
    expected.timeout_ms = 300;
    byhand_kernel kernel = {"endless", 1, 2, 2, nullptr, nullptr, nullptr};
    kernel.in_float = [](void*, float* const*, const void* const*, const std::size_t*) {
        for (const volatile bool goes_on = true; goes_on;) {
        }
    };
    const Report endless = owned(byhand_check_kernel(&kernel, &expected));
    REQUIRE(endless);
    CHECK(text::contains(byhand_text(endless.get()), "does not return within 300 ms"));

    std::size_t calls = 0;
    expected.in_this_process = 1;
    kernel.context = &calls;
    kernel.in_float = [](void* context, float* const*, const void* const*, const std::size_t*) {
        ++*static_cast<std::size_t*>(context);
    };
    const Report silent = owned(byhand_check_kernel(&kernel, &expected));
    REQUIRE(silent);
    CHECK(byhand_agrees(silent.get()) == 0);
    CHECK(calls > 0);
}

TEST_CASE("C interface: a right gradient agrees, a wrong one is located") {
    const std::vector<double> x = {-1.2, 0.7, 3.1, -0.4, 1e-3};
    Mistake mistake{1};
    const Report right = owned(byhand_gradcheck("cubes", sum_of_cubes, &mistake, x.data(), 5));
    REQUIRE(right);
    CHECK(std::string(byhand_text(right.get())).starts_with("cubes is right: 5 trials"));
    mistake.factor = 1 + 1e-6;
    const Report wrong = owned(byhand_gradcheck("cubes", sum_of_cubes, &mistake, x.data(), 5));
    REQUIRE(wrong);
    CHECK(text::contains(byhand_text(wrong.get()), "cubes is wrong\n  gradient["));
}

TEST_CASE("C interface: a reference that fails, throws or adds nothing is an error") {
    const std::vector<float> y = float_cubes();
    const byhand_view view = view_of(y);
    int context = 0;
    CHECK(refused(byhand_check_tensor(&view, cubes, &context), "the reference fails: it returns 3"));
    CHECK(refused(byhand_check_tensor(&view, nullptr, nullptr), "the reference is NULL"));
    CHECK(refused(byhand_check_tensor(&view, adds_nothing, nullptr), "the reference adds no result"));
    CHECK(refused(byhand_check_tensor(&view, throws, nullptr), "thrown by the reference"));
    CHECK(refused(byhand_check_tensor(&view, throws, &context), "other than std::exception"));
    CHECK(refused(byhand_check_tensor(&view, adds_no_extents, nullptr), "y has no extents, but the rank 2"));
    Mistake none{1};
    const byhand_kernel kernel = kernel_of(none);
    const byhand_expected expected = expected_of(cubes);
    CHECK(refused(byhand_check_kernel(&kernel, &expected), "the reference fails: it returns 3"));
}

TEST_CASE("C interface: a tensor that is not valid is an error") {
    const std::vector<float> y = float_cubes();
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max(), kHuge[] = {kMost / 8, 9};
    const std::pair<byhand_view, const char*> all[] = {
        {{nullptr, 2, kExtents, byhand_float32, y.data()}, "a name is NULL"},
        {{"y", 2, kExtents, 7, y.data()}, "y has an unknown dtype: 7"},
        {{"y", 2, kExtents, -1, y.data()}, "y has an unknown dtype: -1"},
        {{"y", 2, kExtents, byhand_int64, y.data()}, "y has integers"},
        {{"y", 2, nullptr, byhand_float32, y.data()}, "y has no extents"},
        {{"y", 2, kHuge, byhand_float32, y.data()}, "does not fit into memory"},
        {{"y", 2, kExtents, byhand_float32, nullptr}, "y has no data"}};
    for (const auto& [view, why] : all) {
        CHECK(refused(byhand_check_tensor(&view, cubes, nullptr), why));
    }
    CHECK(refused(byhand_check_tensor(nullptr, cubes, nullptr), "the tensor is NULL"));
    // A name is any bytes, and the report is printable UTF-8.
    const byhand_view strange = {"\x1b[31m\xf6", 2, kExtents, byhand_float32, y.data()};
    const Report named = owned(byhand_check_tensor(&strange, cubes, nullptr));
    REQUIRE(named != nullptr);
    for (const char* text : {byhand_text(named.get()), byhand_json(named.get())}) {
        CHECK(text::contains(text, "x1b[31m"));
        CHECK_FALSE(text::contains(text, "\x1b"));
    }
    const byhand_view shorter = {"y", 1, kExtents, byhand_float32, y.data()};
    const Report other_shape = owned(byhand_check_tensor(&shorter, cubes, nullptr));
    REQUIRE(other_shape);
    CHECK(text::contains(byhand_text(other_shape.get()), "has the shape (3), but the reference's is (3, 5)"));
}

TEST_CASE("C interface: a kernel or a function that is not valid is an error") {
    Mistake none{1};
    byhand_kernel kernel = kernel_of(none);
    byhand_expected expected = expected_of(product);
    CHECK(refused(byhand_check_kernel(nullptr, &expected), "is NULL"));
    expected.shapes = nullptr;
    CHECK(refused(byhand_check_kernel(&kernel, &expected), "the shapes are NULL"));
    expected = expected_of(product);
    expected.inputs = 0;
    CHECK(refused(byhand_check_kernel(&kernel, &expected), "the reference has no inputs"));
    expected = expected_of(product);
    kernel.inputs = 3;
    CHECK(refused(byhand_check_kernel(&kernel, &expected), "square_product has 3 inputs, but 2 expected"));
    kernel = kernel_of(none);
    kernel.in_float = nullptr;
    kernel.in_double = nullptr;
    CHECK(refused(byhand_check_kernel(&kernel, &expected), "square_product has no function"));

    CHECK(refused(byhand_gradcheck("cubes", sum_of_cubes, &none, nullptr, 0), "x has no elements"));
    CHECK(byhand_agrees(nullptr) == 0);
    for (const auto text : {byhand_text, byhand_json, byhand_junit, byhand_html}) {
        CHECK(std::string(text(nullptr)).empty());
    }
    CHECK(refused(byhand_gradcheck("cubes", sum_of_cubes, &none, nullptr, 3), "f or x is NULL"));
    byhand_free(nullptr);
}

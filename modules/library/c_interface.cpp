#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "byhand/byhand.h"
#include "byhand/gradcheck.h"
#include "byhand/kernel.h"
#include "byhand/reference.h"
#include "byhand/view.h"

// The types of the header that it leaves undefined.
struct byhand_report {
    bool agrees;
    std::string text, json, junit, html;
};

struct byhand_sink {
    std::vector<byhand::Computed> results;
    std::exception_ptr error;
};

namespace byhand {
namespace {

static_assert(static_cast<byhand_dtype>(DType::float32) == byhand_float32 &&
              static_cast<byhand_dtype>(DType::float64) == byhand_float64 &&
              static_cast<byhand_dtype>(DType::int64) == byhand_int64);

thread_local std::string last_error;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// The report of the check, or NULL if it throws.
template <class Check>
byhand_report* reported(const Check& check) {
    try {
        const Report report = check();
        return new byhand_report{report.agrees(), report.text(), report.json(), report.junit(), report.html()};
    } catch (const std::exception& error) {
        last_error = printable(error.what());
    } catch (...) {
        last_error = "a callback throws an object other than std::exception";
    }
    return nullptr;
}

void require(bool holds, const std::string& otherwise) {
    if (!holds) {
        throw std::invalid_argument(otherwise);
    }
}

std::string name_of(const char* name) {
    require(name != nullptr, "a name is NULL");
    return printable(name);
}

Named without_place(const char* name) {
    return {name_of(name), std::source_location()};
}

Shape shape_of(const std::string& name, std::size_t rank, const std::size_t* extents) {
    require(rank == 0 || extents != nullptr, name + " has no extents, but the rank " + std::to_string(rank));
    Shape shape(extents, extents + rank);
    std::size_t most = PTRDIFF_MAX / sizeof(double);
    for (const std::size_t extent : shape) {
        require(extent <= most, name + " has a shape that does not fit into memory: " + to_string(shape));
        most /= std::max<std::size_t>(extent, 1);
    }
    return shape;
}

View view_of(const byhand_view& view) {
    const std::string name = name_of(view.name);
    const Shape shape = shape_of(name, view.rank, view.extents);
    require(view.dtype >= byhand_float32 && view.dtype <= byhand_int64,
            name + " has an unknown dtype: " + std::to_string(view.dtype));
    require(view.data != nullptr || count(shape) == 0, name + " has no data");
    return {name, shape, static_cast<DType>(view.dtype), view.data};
}

Evaluate evaluation_of(byhand_reference reference, void* context) {
    require(reference != nullptr, "the reference is NULL");
    return [=](const std::vector<View>& inputs, Precision precision) {
        const auto [type, seed] = precision;
        if (type == DType::float64 && seed != 0) {
            return std::vector<Computed>();
        }
        std::vector<byhand_view> views;
        views.reserve(inputs.size());
        for (const View& input : inputs) {
            views.push_back({input.name.c_str(), input.shape.size(), input.shape.data(),
                             static_cast<byhand_dtype>(input.dtype), input.data});
        }
        byhand_sink sink;
        const int code =
            reference(context, views.data(), views.size(), type == DType::float64 ? nullptr : &seed, &sink);
        if (sink.error) {
            std::rethrow_exception(sink.error);
        }
        require(code == 0, "the reference fails: it returns " + std::to_string(code));
        require(!sink.results.empty(), "the reference adds no result");
        return sink.results;
    };
}

// Adds the function on numbers of this type, unless it is NULL.
template <class T>
void add(Kernel& kernel, DType type, void (*function)(void*, T* const*, const void* const*, const std::size_t*),
         void* context) {
    if (function == nullptr) {
        return;
    }
    const auto run = [=, count = kernel.results](void* const* results, const void* const* inputs,
                                                 const std::size_t* sizes) {
        std::vector<T*> typed(count);
        std::transform(results, results + count, typed.begin(), [](void* result) { return static_cast<T*>(result); });
        function(context, typed.data(), inputs, sizes);
    };
    kernel.functions.push_back({type, std::vector<DType>(kernel.inputs, type), run});
}

Kernel kernel_of(const byhand_kernel& kernel) {
    Kernel result{
        .named = without_place(kernel.name), .results = kernel.results, .inputs = kernel.inputs, .sizes = kernel.sizes};
    add(result, DType::float32, kernel.in_float, kernel.context);
    add(result, DType::float64, kernel.in_double, kernel.context);
    return result;
}

std::vector<std::size_t> all_extents(const std::vector<Shape>& inputs) {
    std::vector<std::size_t> all;
    for (const Shape& shape : inputs) {
        all.insert(all.end(), shape.begin(), shape.end());
    }
    return all;
}

Expected expected_of(const byhand_expected& expected, std::size_t sizes) {
    require(expected.inputs > 0, "the reference has no inputs");
    require(expected.shapes != nullptr, "the shapes are NULL");
    std::vector<std::vector<Shape>> cases(expected.cases);
    const byhand_shape* next = expected.shapes;
    for (std::vector<Shape>& shapes : cases) {
        for (std::size_t i = 0; i < expected.inputs; ++i, ++next) {
            shapes.push_back(shape_of("input " + std::to_string(i), next->rank, next->extents));
        }
    }
    Expected result(evaluation_of(expected.reference, expected.context), expected.inputs,
                    expected.gradients == 0 ? Expected::What::value : Expected::What::gradients);
    result.shapes_of_all(cases);
    if (expected.wrt != nullptr) {
        result.wrt(std::vector(expected.wrt, expected.wrt + expected.wrt_count));
    }
    if (expected.sizes != nullptr) {
        std::vector<std::vector<std::size_t>> rows;
        rows.reserve(expected.cases);
        for (std::size_t i = 0; i < expected.cases; ++i) {
            rows.emplace_back(expected.sizes + i * sizes, expected.sizes + (i + 1) * sizes);
        }
        if (std::ranges::equal(rows, cases, {}, {}, all_extents)) {
            result.sizes(all_extents);
        } else {
            result.and_neighbours(false).sizes([=](const std::vector<Shape>& inputs) {
                return rows[static_cast<std::size_t>(std::ranges::find(cases, inputs) - cases.begin())];
            });
        }
    }
    if (expected.timeout_ms > 0) {
        result.timeout(std::chrono::milliseconds(expected.timeout_ms));
    }
    if (expected.in_this_process != 0) {
        result.in_this_process();
    }
    return result;
}

}  // namespace
}  // namespace byhand

using namespace byhand;

void byhand_add_result(byhand_sink* sink, const char* name, size_t rank, const size_t* extents, const double* numbers) {
    try {
        const View view = view_of({name, rank, extents, byhand_float64, numbers});
        sink->results.push_back({view.name, view.shape, {numbers, numbers + count(view.shape)}});
    } catch (...) {
        sink->error = std::current_exception();
    }
}

byhand_report* byhand_check_tensor(const byhand_view* yours, byhand_reference reference, void* context) {
    return reported([&] {
        require(yours != nullptr, "the tensor is NULL");
        return check(view_of(*yours), Matches(evaluation_of(reference, context)));
    });
}

byhand_report* byhand_check_kernel(const byhand_kernel* kernel, const byhand_expected* expected) {
    return reported([&] {
        require(kernel != nullptr && expected != nullptr, "the kernel, or what is expected, is NULL");
        return check(kernel_of(*kernel), expected_of(*expected, kernel->sizes));
    });
}

byhand_report* byhand_gradcheck(const char* name, byhand_function f, void* context, const double* x, unsigned n) {
    return byhand_gradcheck_to(name, f, context, x, n, 0);
}

byhand_report* byhand_gradcheck_to(const char* name, byhand_function f, void* context, const double* x, unsigned n,
                                   double accuracy) {
    return reported([&] {
        require(f != nullptr && (x != nullptr || n == 0), "f or x is NULL");
        const auto function = [&](const std::vector<double>& at, std::vector<double>& gradient) {
            return f(n, at.data(), gradient.empty() ? nullptr : gradient.data(), context);
        };
        return gradcheck(without_place(name), function, {x, x + n}, {.accuracy = accuracy});
    });
}

int byhand_agrees(const byhand_report* report) {
    return report != nullptr && report->agrees ? 1 : 0;
}

const char* byhand_text(const byhand_report* report) {
    return report != nullptr ? report->text.c_str() : "";
}
const char* byhand_json(const byhand_report* report) {
    return report != nullptr ? report->json.c_str() : "";
}
const char* byhand_junit(const byhand_report* report) {
    return report != nullptr ? report->junit.c_str() : "";
}
const char* byhand_html(const byhand_report* report) {
    return report != nullptr ? report->html.c_str() : "";
}

void byhand_free(byhand_report* report) {
    delete report;
}

const char* byhand_error() {
    return last_error.c_str();
}

// byhand for C, and through it for other languages: check a tensor, a kernel or a gradient against a reference.
//
//   byhand_report* report = byhand_check_tensor(&y, softmax, NULL);
//   puts(report ? byhand_text(report) : byhand_error());
//   byhand_free(report);
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { byhand_float32, byhand_float64, byhand_int64 };
typedef int byhand_dtype;

// Extents, outermost first; rows are contiguous. A scalar has rank 0 and one element. `extents` may be NULL at rank 0.
typedef struct {
    size_t rank;
    const size_t* extents;
} byhand_shape;

// A named array. It owns nothing. `data` may be NULL if there are no elements.
typedef struct {
    const char* name;
    size_t rank;
    const size_t* extents;
    byhand_dtype dtype;
    const void* data;
} byhand_view;

// What a check has shown, to be freed by byhand_free.
typedef struct byhand_report byhand_report;

// Takes the results of a reference.
typedef struct byhand_sink byhand_sink;

// Called by a reference, once for each result: copies the name, the extents and the numbers.
void byhand_add_result(byhand_sink* sink, const char* name, size_t rank, const size_t* extents, const double* numbers);

// A trusted computation. If `seed` is NULL, it computes in double; else in float, and moves the result of every
// operation at random by about its rounding, differently for each seed. It hands over its results with
// byhand_add_result, "y" first, and returns 0, or another number if it fails. The views are valid during the call.
typedef int (*byhand_reference)(void* context, const byhand_view* inputs, size_t count, const uint64_t* seed,
                                byhand_sink* sink);

// Compares the tensor, of floats or doubles, with the first result of the reference, which is called without inputs.
// NULL if `yours` is not valid, or the reference fails.
byhand_report* byhand_check_tensor(const byhand_view* yours, byhand_reference reference, void* context);

// A kernel writes all elements of its results. It is given as many pointers and sizes as byhand_kernel says.
typedef void (*byhand_kernel_float)(void* context, float* const* results, const void* const* inputs,
                                    const size_t* sizes);
typedef void (*byhand_kernel_double)(void* context, double* const* results, const void* const* inputs,
                                     const size_t* sizes);

typedef struct {
    const char* name;
    size_t results, inputs, sizes;   // how many there are of each
    byhand_kernel_float in_float;    // or NULL
    byhand_kernel_double in_double;  // or NULL
    void* context;
} byhand_kernel;

// Zero-initialize it: members that are 0 or NULL have the default that is noted.
typedef struct {
    byhand_reference reference;  // given the inputs x, or x0, x1, …
    void* context;
    size_t inputs;
    // If 0, the kernel's result is y. Else its results are the vector–Jacobian products of the inputs `wrt` (by default
    // of the first), and it reads dy, then the inputs. The reference is called without dy, and with dy as its last
    // input, of y's shape; then it adds "dx", or "dx0", "dx1", …, of its inputs' shapes, too.
    int gradients;
    const size_t* wrt;
    size_t wrt_count;
    // cases × inputs: the shapes of all inputs in each case.
    const byhand_shape* shapes;
    size_t cases;
    // cases × the kernel's sizes. By default the extents of the first input. With these, or those of all inputs, shapes
    // beside the given ones are tried as well.
    const size_t* sizes;
    uint32_t timeout_ms;  // of all calls in one type, and again of those in a row; by default 10 s
    // If 0, the kernel runs in a subprocess, where crashes and accesses outside of its operands are found. Otherwise
    // there is no time limit, and no call is repeated.
    int in_this_process;
} byhand_expected;

// Runs the kernel on inputs of many kinds in every case, and compares each element with the right one. NULL if the
// kernel and what is expected do not fit, or the reference fails.
byhand_report* byhand_check_kernel(const byhand_kernel* kernel, const byhand_expected* expected);

// A function of x (n) and its gradient: returns f(x), and writes `gradient` (n) unless it is NULL. It is NLopt's
// nlopt_func.
typedef double (*byhand_function)(unsigned n, const double* x, double* gradient, void* context);

// Compares the gradient at x (n) with finite differences. NULL if n is 0, and if f differs from call to call.
byhand_report* byhand_gradcheck(const char* name, byhand_function f, void* context, const double* x, unsigned n);
// The same for an f and a gradient with this relative error, as 1e-9 of an iteration.
byhand_report* byhand_gradcheck_to(const char* name, byhand_function f, void* context, const double* x, unsigned n,
                                   double accuracy);

// 1 if everything that was checked is right and something was, else 0; 0 for NULL.
int byhand_agrees(const byhand_report* report);

// The verdict in words, all figures as JSON, a JUnit file, a page. UTF-8, valid until byhand_free. Empty for NULL.
const char* byhand_text(const byhand_report* report);
const char* byhand_json(const byhand_report* report);
const char* byhand_junit(const byhand_report* report);
const char* byhand_html(const byhand_report* report);

// The report may be NULL.
void byhand_free(byhand_report* report);

// Why the last check in this thread returned NULL. Valid until the next check in this thread.
const char* byhand_error(void);

#ifdef __cplusplus
}
#endif

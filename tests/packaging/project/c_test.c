#include <byhand/byhand.h>
#include <stdio.h>

/* The sum of squares of x (n), and its gradient, scaled by *factor. */
static double squares(unsigned n, const double* x, double* gradient, void* factor) {
    double sum = 0;
    for (unsigned i = 0; i < n; ++i) {
        sum += x[i] * x[i];
        if (gradient != NULL) {
            gradient[i] = 2 * x[i] * *(const double*)factor;
        }
    }
    return sum;
}

static int checked(double factor) {
    const double x[] = {0.5, -1.5, 2.25};
    byhand_report* report = byhand_gradcheck("squares", squares, &factor, x, 3);
    if (report == NULL) {
        fprintf(stderr, "%s\n", byhand_error());
        return -1;
    }
    const int agrees = byhand_agrees(report);
    fputs(byhand_text(report), stdout);
    byhand_free(report);
    return agrees;
}

int main(void) {
    return checked(1) == 1 && checked(1.001) == 0 ? 0 : 1;
}

// Sums of n terms in any order and precision that a right implementation may choose: by default that of ORDER.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#ifndef ORDER
#define ORDER 0
#endif
inline constexpr int kOrders = 13;

template <class T, class Term>
std::vector<T> all_terms(std::size_t n, Term term) {
    std::vector<T> terms;
    for (std::size_t i = 0; i < n; ++i) {
        terms.push_back(term(i));
    }
    return terms;
}

template <class T, class Accumulator, class Term>
T sum_in(std::size_t n, Term term) {
    Accumulator sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        sum += term(i);
    }
    return T(sum);
}

template <class T, class Term, class Before>
T sum_sorted(std::size_t n, Term term, Before before) {
    std::vector<T> terms = all_terms<T>(n, term);
    std::ranges::sort(terms, before);
    return sum_in<T, T>(n, [&](std::size_t i) { return terms[i]; });
}

template <class T, class Term>
T pairwise_sum(std::size_t n, Term term) {
    std::vector<T> terms = all_terms<T>(n, term);
    for (std::size_t width = 1; width < n; width *= 2) {
        for (std::size_t i = 0; i + width < n; i += 2 * width) {
            terms[i] += terms[i + width];
        }
    }
    return n > 0 ? terms[0] : T(0);
}

template <class T, class Term>
T kahan_sum(std::size_t n, Term term) {
    T sum = 0, lost = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const volatile T next = term(i) - lost;  // volatile: no compiler may simplify it
        const volatile T larger = sum + next;
        const volatile T added = larger - sum;
        lost = added - next;
        sum = larger;
    }
    return sum;
}

template <class T, class Term>
T sum_in_lanes(std::size_t n, Term term) {
    T lanes[8] = {};
    for (std::size_t i = 0; i < n; ++i) {
        lanes[i % 8] += term(i);
    }
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

template <class T, class Term>
T sum_in_blocks(std::size_t n, Term term) {
    constexpr std::size_t kBlock = 64;
    T sum = 0;
    for (std::size_t begin = 0; begin < n; begin += kBlock) {
        sum += sum_in<T, T>(std::min(kBlock, n - begin), [&](std::size_t i) { return term(begin + i); });
    }
    return sum;
}

template <class T, class Term>
T total(std::size_t n, Term term, int order = ORDER) {
    const auto smaller = [](T a, T b) { return std::abs(a) < std::abs(b); };
    const auto larger = [](T a, T b) { return std::abs(a) > std::abs(b); };
    const std::size_t evens = (n + 1) / 2;
    switch (order) {
        case 1:  // reversed
            return sum_in<T, T>(n, [&](std::size_t i) { return term(n - 1 - i); });
        case 2:
            return pairwise_sum<T>(n, term);
        case 3:
            return kahan_sum<T>(n, term);
        case 4:
            return sum_in<T, double>(n, term);
        case 5:
            return sum_in<T, long double>(n, term);
        case 6:
            return sum_in_lanes<T>(n, term);
        case 7:
            return sum_in_blocks<T>(n, term);
        case 8:  // even indices, then odd ones
            return sum_in<T, T>(n, [&](std::size_t i) { return term(i < evens ? 2 * i : 2 * (i - evens) + 1); });
        case 9:  // from both ends
            return sum_in<T, T>(n, [&](std::size_t i) { return term(i % 2 == 0 ? i / 2 : n - 1 - i / 2); });
        case 10:
            return sum_sorted<T>(n, term, smaller);
        case 11:
            return sum_sorted<T>(n, term, larger);
        case 12:  // positive and negative terms apart
            return sum_in<T, T>(n, [&](std::size_t i) { return std::max(term(i), T(0)); }) +
                   sum_in<T, T>(n, [&](std::size_t i) { return std::min(term(i), T(0)); });
        default:
            return sum_in<T, T>(n, term);
    }
}

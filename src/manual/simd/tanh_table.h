// tanh(x) = T + s·r + r²·P(r) with r = |x| − c, on each of the 14 intervals in which |x| + 1 has the same first three
// binary digits. c is a float near the middle for which T = tanh(c) is almost exactly a float too, s is 1 − T², and P,
// of the fourth degree, is the weighted least squares fit of the remainder. Before rounding the error is at most 0.17
// units of 2⁻²⁴. scripts/fit_tanh computed the tables.
//
// Tables of 16, indexed by the last two bits of the exponent and the two digits after the first.
#pragma once

namespace byhand::simd::tanh_table {

// clang-format off
alignas(64) inline constexpr float kC[] = {
    1.25030279F, 1.74969542F, 2.24816656F, 2.7434485F,
    3.48164177F, 4.52812386F, 5.54614735F, 6.98069143F,
    8.31776619F, 10.0F, 0.0F, 0.0F,
    0.0F, 0.344954789F, 0.625127554F, 0.875001848F};
alignas(64) inline constexpr float kT[] = {
    0.848368526F, 0.941340864F, 0.977946281F, 0.991752803F,
    0.998109818F, 0.999766707F, 0.999969542F, 0.999998271F,
    0.999999881F, 1.0F, 0.0F, 0.0F,
    0.0F, 0.331893623F, 0.554688036F, 0.703906536F};
alignas(64) inline constexpr float kS[] = {
    0.280270845F, 0.113877378F, 0.0436210707F, 0.016426377F,
    0.0037767922F, 0.000466530735F, 6.09150193e-05F, 3.45706621e-06F,
    2.38418536e-07F, 8.24461477e-09F, 0.0F, 0.0F,
    1.0F, 0.889846623F, 0.692321181F, 0.504515588F};
// Starting with the constant term.
alignas(64) inline constexpr float kP[][16] = {{
    -0.237772852F, -0.107197374F, -0.0426590592F, -0.0162908994F,
    -0.00376955699F, -0.000466453232F, -6.09192102e-05F, -3.46343018e-06F,
    -2.39914328e-07F, -8.2499918e-09F, 0.0F, 0.0F,
    -1.14828288e-06F, -0.295334309F, -0.384022325F, -0.355131835F}, {
    0.108304746F, 0.0629542172F, 0.0271781366F, 0.0106808795F,
    0.00250225049F, 0.000310622039F, 4.05856699e-05F, 2.24201062e-06F,
    1.60697482e-07F, 5.4364282e-09F, 0.0F, 0.0F,
    -0.333268404F, -0.198595881F, -0.0177649502F, 0.0818063244F}, {
    -0.0126205385F, -0.023529673F, -0.0123594571F, -0.00516313175F,
    -0.00124365813F, -0.000154716865F, -2.01969797e-05F, -1.37355482e-06F,
    -7.16639903e-08F, -2.71625944e-09F, 0.0F, 0.0F,
    -0.00120387692F, 0.164324626F, 0.137872025F, 0.0607973747F}, {
    -0.0195934866F, 0.00350905047F, 0.00398642058F, 0.00193460321F,
    0.000505002332F, 6.41106017e-05F, 8.37692915e-06F, 1.0834458e-07F,
    2.93128384e-08F, 1.2670206e-09F, 0.0F, 0.0F,
    0.143176302F, 0.0314702503F, -0.0544696078F, -0.0585904978F}, {
    0.015161559F, 0.00209594402F, -0.000718672469F, -0.000544225681F,
    -0.00015564049F, -2.28045992e-05F, -3.11920985e-06F, -3.99157472e-07F,
    -2.15012985e-08F, -4.20104534e-10F, 0.0F, 0.0F,
    -0.0371236801F, -0.06924209F, -0.0245548226F, 0.012858713F}};
// clang-format on

}  // namespace byhand::simd::tanh_table

// How the page looks: light and dark, on a screen of any width and on paper. (No ">" in it: the page is XML too.)
#pragma once

namespace byhand::report {

inline constexpr const char* kStyle = R"css(
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f6f7f9; --text: #1b1f24; --quiet: #58606b; --line: #d5dae1; --link: #0b57a4;
  --culprit: #b3201a; --on-culprit: #ffffff; --bad: #a81d17; --bad-ground: #fdeceb;
  --heir: #8a4b00; --heir-ground: #fff0d6; --heir-line: #d08a1f;
  --ok: #1d6b3c; --ok-ground: #e7f5eb; --ok-line: #8cc7a0;
  --same: #1f5c8f; --same-ground: #e6f1fa; --same-line: #9cc3e3;
  --open: #54565c; --open-ground: #f0f0f2; --limit: #b3201a;
  --l0: #eef1f5; --l1: #d6e6f4; --l2: #a9cde8; --l3: #6aaad6; --l4: #2f79b5; --l5: #f5a742; --l6: #e0602b; --l7: #b3201a; --l8: #5f0a1a; --l9: #7d5bb5;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --raised: #1d2126; --text: #e6e9ed; --quiet: #a0a8b3; --line: #363c45; --link: #7db8f0;
    --culprit: #e5534b; --on-culprit: #190605; --bad: #ff8a80; --bad-ground: #3a1a1a;
    --heir: #f2b760; --heir-ground: #35270f; --heir-line: #94691f;
    --ok: #7fd69b; --ok-ground: #14301f; --ok-line: #2f6b45;
    --same: #86bdf0; --same-ground: #14283c; --same-line: #2d5880;
    --open: #b6bac2; --open-ground: #272b31; --limit: #ff8a80;
    --l0: #23282f; --l1: #1f3a52; --l2: #27577e; --l3: #3a80b3; --l4: #82bde6; --l5: #a8660f; --l6: #d8572a; --l7: #ff6f66; --l8: #ffc2bd; --l9: #a98be0;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 88rem; padding: 1.5rem 1rem 3rem; background: var(--ground); color: var(--text);
  font: 0.9375rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
code, th[scope="row"], .box, .worst td, .figures td { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.8125rem; }
code { overflow-wrap: anywhere; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
p { margin: 0.25rem 0; }
h1, h2, h3 { line-height: 1.2; margin: 0; }
h2 { font-size: 1.375rem; margin-top: 2.5rem; }
h2 small { font-size: 0.9375rem; font-weight: 400; color: var(--quiet); }
h3 { font-size: 1.0625rem; margin-top: 1.75rem; }
small { font-size: 0.8125rem; }
ul { margin: 0; }
.vh { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.once { position: absolute; }
.hint, .above { color: var(--quiet); max-width: 60rem; }
.scroll { overflow-x: auto; }

header { border-radius: 10px; padding: 1.25rem 1.5rem; border: 1px solid var(--line); border-left-width: 8px; background: var(--raised); }
header.agree { border-left-color: var(--ok); }
header.disagree { border-left-color: var(--culprit); }
header .above { font-size: 0.8125rem; margin: 0 0 0.5rem; }
h1 { font-size: 2rem; letter-spacing: -0.01em; }
.agree h1 { color: var(--ok); }
.disagree h1 { color: var(--bad); }
.verdict { margin-top: 0.5rem; max-width: 66rem; }
.about { display: flex; flex-wrap: wrap; gap: 0.5rem 2.5rem; margin: 1rem 0 0; }
dt { color: var(--quiet); font-size: 0.8125rem; }
dd { margin: 0; }

.mark { display: inline-block; border: 1px solid; border-radius: 999px; padding: 0 0.5rem; font-size: 0.8125rem; line-height: 1.4rem; white-space: nowrap; }
.culprit.mark, .culprit.box { background: var(--culprit); color: var(--on-culprit); border-color: var(--culprit); font-weight: 600; }
.off.mark, .off.box { background: var(--bad-ground); color: var(--bad); border-color: var(--bad); }
.heir.mark, .heir.box { background: var(--heir-ground); color: var(--heir); border-color: var(--heir-line); }
.ok.mark, .ok.box { background: var(--ok-ground); color: var(--ok); border-color: var(--ok-line); }
.same.mark, .same.box { background: var(--same-ground); color: var(--same); border-color: var(--same-line); }
.open.mark, .open.box, .nothing.mark, .nothing.box { background: var(--open-ground); color: var(--open); border-color: var(--open); border-style: dashed; }
.none.mark, .none.box, .batch.box { background: var(--ground); color: var(--quiet); border-color: var(--line); border-style: dotted; }

.counts { list-style: none; display: flex; flex-wrap: wrap; gap: 0.375rem 1.25rem; padding: 0; margin: 0.75rem 0; color: var(--quiet); font-size: 0.875rem; }
.cards { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.75rem; margin: 1rem 0; }
article.culprit { border: 1px solid var(--culprit); border-left-width: 5px; border-radius: 8px; padding: 0.75rem 1rem; }
article.culprit pre { overflow-x: auto; }
article h3 { margin: 0 0 0.5rem; font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
article .mark { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }

.panels { columns: 22.75rem; column-gap: 1rem; margin: 0.75rem 0 0; }
.panel { position: relative; margin: 0 0 1rem; width: 22.75rem; max-width: 100%; overflow-x: auto; overflow-y: hidden; background: var(--raised); border-radius: 8px; padding: 0 0 0.375rem; break-inside: avoid; }
.panel table { width: 22.75rem; table-layout: fixed; border-collapse: collapse; position: relative; }
.panel caption { height: 2rem; line-height: 2.125rem; text-align: left; padding-left: 1.125rem; font-weight: 600; font-size: 0.875rem; }
.panel th { height: 1.625rem; padding: 0; font-weight: 400; font-size: 0.75rem; color: var(--quiet); text-align: center; }
.panel th:nth-child(1) { width: 9.375rem; padding-left: 1.125rem; }
.panel th:nth-child(2) { width: 9.25rem; padding-left: 0.5rem; padding-right: 0.5rem; }
.panel td { height: 1.8125rem; padding: 0; }
.panel td:nth-child(1) { padding-left: 1.125rem; }
.panel td:nth-child(2) { padding-left: 0.5rem; padding-right: 0.5rem; }
.panel td:nth-child(3) { padding-left: 0.625rem; padding-right: 0.125rem; }
.panel td:nth-child(3) .box { padding: 0 0.125rem; }
.box { display: block; height: 1.375rem; line-height: 1.25rem; border: 1px solid; border-radius: 5px; padding: 0 0.25rem; font-size: 0.6875rem; text-decoration: none; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; position: relative; }
.box b { display: inline-block; width: 0.8rem; text-align: center; margin-right: 0.1rem; }
.batch.box { text-align: center; }
a.box:hover { text-decoration: underline; }
.wires { position: absolute; left: 0; top: 2rem; max-width: none; }
.wires path { fill: none; stroke: var(--quiet); stroke-width: 1; opacity: 0.75; }
.wires .bad { stroke: var(--bad); stroke-width: 2; opacity: 1; }

.tensors { width: 100%; table-layout: fixed; border-collapse: collapse; margin-top: 0.5rem; font-variant-numeric: tabular-nums; }
.tensors .about-rows { text-align: left; color: var(--quiet); font-size: 0.8125rem; padding-bottom: 0.5rem; }
.tensors .head th { position: sticky; top: 0; z-index: 3; background: var(--ground); font-size: 0.8125rem; font-weight: 600; text-align: right; vertical-align: bottom; padding: 0.375rem 0.5rem; border-bottom: 2px solid var(--line); }
.tensors .head th:nth-child(1) { width: 11.5rem; text-align: left; padding-left: 1.5rem; }
.tensors .head .shape { width: 7rem; text-align: left; }
.tensors .head .number { width: 5.75rem; }
.tensors .head .number:nth-child(7) { width: 8.25rem; }
.tensors .head .alone { width: 4.5rem; text-align: left; }
.tensors .head th:nth-child(9) { width: 12.5rem; text-align: left; }
.group th { text-align: left; padding: 1rem 0 0.25rem; font-size: 0.8125rem; color: var(--quiet); font-weight: 600; border-bottom: 1px solid var(--line); }
.tensor { position: relative; }
.tensor .row th, .tensor .row td { height: 2.125rem; padding: 0 0.5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
.tensor .row th { padding-left: 1.5rem; text-align: left; font-weight: 400; }
.tensor .row td.shape, .tensor .row td.alone, .tensor .row td.verdict { text-align: left; }
.tensor .row td.verdict { overflow: hidden; text-overflow: ellipsis; }
.tensor .row td.verdict a { position: relative; z-index: 2; }
.tensor:hover tr:first-child { background: var(--raised); }
.tensors .bar { padding: 0 0.75rem !important; }
.tensor .more { padding: 0; }
.tensor summary { position: absolute; z-index: 1; left: 0; top: 0; width: 100%; height: 2.125rem; cursor: pointer; list-style: none; }
.tensor summary::-webkit-details-marker { display: none; }
.tensor summary::before { content: ""; position: absolute; left: 0.375rem; top: 0.8125rem; border: 0.28rem solid transparent; border-left: 0.4rem solid var(--quiet); }
.tensor details[open] summary::before { transform: rotate(90deg); transform-origin: 0.2rem 50%; }
.tensor summary:focus-visible { outline-offset: -2px; }
.scale { display: block; width: 100%; height: 2.125rem; overflow: visible; }
.axis { height: 1.375rem; }
.scale line { stroke: var(--quiet); }
.scale .limit { stroke: var(--limit); stroke-width: 1.5; }
.scale text { font-size: 0.6875rem; fill: var(--quiet); text-anchor: middle; font-weight: 400; }
.scale text.limit { fill: var(--limit); stroke: none; font-weight: 600; }
.scale rect { fill: var(--open); opacity: 0.45; transform: translateY(-1px); }
.scale circle { fill: var(--open); }
.scale.ok circle, .scale.ok rect { fill: var(--ok); }
.scale.same circle, .scale.same rect { fill: var(--same); }
.scale.heir circle, .scale.heir rect { fill: var(--heir-line); }
.scale.culprit circle, .scale.culprit rect, .scale.off circle, .scale.off rect { fill: var(--culprit); }
.scale circle.torch { fill: var(--ground); stroke: var(--quiet); stroke-width: 1.5; }

.opened { scroll-margin-top: 6rem; padding: 0.75rem 1rem 1.25rem 1.5rem; background: var(--raised); border-bottom: 1px solid var(--line); white-space: normal; }
.opened dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.125rem 1rem; margin: 0.5rem 0 0.75rem; }
.opened dt { line-height: 1.5rem; }
.meaning { font-size: 1rem; }
.drawings { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1rem 0; align-items: flex-start; }
figure { margin: 0; max-width: 100%; }
figure.wide { margin: 0.75rem 0; }
figcaption { font-size: 0.8125rem; font-weight: 600; margin-bottom: 0.375rem; }
figure p { font-size: 0.8125rem; color: var(--quiet); max-width: 26rem; }
figure svg { max-width: 100%; height: auto; display: block; }
.heat path { fill: none; stroke-width: 1.02; }
.heat text { font-size: 10px; fill: var(--quiet); text-anchor: middle; }
#histogram-axis text, #heat-key text { font-size: 10px; fill: var(--quiet); }
#histogram-axis text { text-anchor: middle; }
.small-key { margin-top: 0.5rem; }
.line { stroke: var(--quiet); }
path.limit { stroke: var(--limit); stroke-width: 1.5; fill: none; }
#histogram-axis text.limit { fill: var(--limit); font-weight: 600; }
path.ok { fill: var(--l4); }
path.over { fill: var(--l6); }
svg.bars { width: 100%; min-width: 16rem; height: 7rem; background: var(--raised); }
.bars .limit { vector-effect: non-scaling-stroke; }
.ends { display: flex; justify-content: space-between; max-width: none !important; }
.worst, .figures { border-collapse: collapse; margin: 0.5rem 0; }
.worst caption, .figures caption { text-align: left; font-size: 0.8125rem; font-weight: 600; padding-bottom: 0.25rem; }
.worst th, .worst td, .figures th, .figures td { text-align: right; padding: 0.125rem 0.75rem 0.125rem 0; white-space: nowrap; font-size: 0.8125rem; }
.worst thead th, .figures thead th { color: var(--quiet); font-weight: 400; border-bottom: 1px solid var(--line); }
.worst th:first-child, .figures th:first-child, .figures th:last-child, .figures td:last-child { text-align: left; }
.worst th[scope="row"], .figures th[scope="row"] { font-weight: 400; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; padding: 0; margin: 0.5rem 0; font-size: 0.8125rem; }
.key svg { vertical-align: -2px; }
.l0 { fill: var(--l0); } .l1 { fill: var(--l1); } .l2 { fill: var(--l2); } .l3 { fill: var(--l3); } .l4 { fill: var(--l4); }
.l5 { fill: var(--l5); } .l6 { fill: var(--l6); } .l7 { fill: var(--l7); } .l8 { fill: var(--l8); } .l9 { fill: var(--l9); }
.heat path.l0 { stroke: var(--l0); } .heat path.l1 { stroke: var(--l1); } .heat path.l2 { stroke: var(--l2); } .heat path.l3 { stroke: var(--l3); }
.heat path.l4 { stroke: var(--l4); } .heat path.l5 { stroke: var(--l5); } .heat path.l6 { stroke: var(--l6); } .heat path.l7 { stroke: var(--l7); }
.heat path.l8 { stroke: var(--l8); } .heat path.l9 { stroke: var(--l9); }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: 0.875rem; }
footer h2 { font-size: 1rem; margin-top: 1rem; }

/* Columns that have no room keep their text, for those who listen, and lose their width. */
@media screen and (max-width: 74rem) {
  .tensors .head .shape, .tensors .head .alone { width: 0; }
  .tensors .shape, .tensors .alone { padding: 0 !important; overflow: hidden; font-size: 0 !important; }
}
@media screen and (max-width: 56rem) {
  .tensors .head .number, .tensors .head .number:nth-child(7) { width: 0; }
  .tensors .number { padding: 0 !important; overflow: hidden; font-size: 0 !important; }
  .tensors .head th:nth-child(1) { width: 10.25rem; }
  .tensors .head th:nth-child(9) { width: 7.25rem; padding-left: 0; }
  .tensor .row td.verdict { padding-left: 0; padding-right: 0; }
  .tensor td.verdict small, .axis text:not(.limit) { display: none; }
  .opened { padding-left: 0.75rem; padding-right: 0.5rem; }
  .opened dl { grid-template-columns: minmax(0, 1fr); }
  header { padding: 1rem; }
}
@media print {
  :root { color-scheme: light; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  html { font-size: 75%; }
  body { max-width: none; padding: 0; }
  .tensors .head .shape, .tensors .head .alone { width: 0; }
  .tensors .shape, .tensors .alone { padding: 0 !important; overflow: hidden; font-size: 0 !important; }
  .tensors .head th { position: static; }
  .tensor, article, .panel { break-inside: avoid; }
}
)css";

}  // namespace byhand::report

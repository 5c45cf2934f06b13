"""How the page of a report looks."""

STYLE = """
:root { color-scheme: light; --ink: #1c2430; --soft: #5a6675;
  --line: #d9dfe6; --fill: #cfe3f4; --back: #f5f7f9; --accent: #00598a; }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Ubuntu,
  "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 1180px; margin: 0 auto;
  padding: 0 1.25rem; }
header { padding-top: 1.75rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem;
  overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 0 0 .4rem; }
h3 { font-size: 1.02rem; margin: 1.4rem 0 .5rem; }
p { margin: .4rem 0 .9rem; max-width: 48rem; }
a { color: var(--accent); }
section { background: #fff; border: 1px solid var(--line);
  border-radius: 10px; padding: 1.25rem; margin: 1.25rem 0; }
.headline { display: flex; flex-wrap: wrap; gap: .9rem; margin: 0 0 1rem; }
.headline div { background: #fff; border: 1px solid var(--line);
  border-radius: 10px; padding: .7rem 1.1rem; min-width: 8.5rem; }
.headline b { display: block; font-size: 1.9rem; line-height: 1.15;
  font-variant-numeric: tabular-nums; }
.headline span { color: var(--soft); font-size: .9rem; }
.headline .first { background: var(--accent); color: #fff;
  border-color: var(--accent); }
.headline .first span { color: #e3f1fa; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; font-size: .95rem; }
dl { display: grid; grid-template-columns: max-content 1fr;
  gap: .25rem 1.25rem; margin: 0; font-size: .93rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .93rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .35rem; }
th, td { padding: .32rem .65rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
thead th { vertical-align: bottom; border-bottom: 2px solid var(--line);
  font-weight: 600; }
thead th:first-child, tbody th { text-align: left; }
tbody th { font-weight: 500; position: sticky; left: 0; background: #fff; }
.bar { min-width: 5.4rem; background: linear-gradient(var(--fill),
  var(--fill)) left center / var(--share) 70% no-repeat; }
.charts { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
figure { margin: 0; }
figcaption { font-size: .86rem; color: var(--soft); line-height: 1.4; }
figcaption b { color: var(--ink); font-weight: 600;
  overflow-wrap: anywhere; }
svg { width: 100%; max-width: 40rem; height: auto; display: block; }
svg * { stroke-linejoin: round; stroke-linecap: butt; }
img { display: block; max-width: 100%; height: auto; border-radius: 4px; }
.people { display: grid; gap: 1.1rem 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); }
.people img { width: 100%; margin-bottom: .3rem; }
.heatmaps { display: grid; gap: 0 1.25rem; align-items: start;
  grid-template-columns: minmax(8rem, 14rem) minmax(0, 1fr); }
.heatmaps figure { padding-top: 2.3rem; }
.heatmaps caption { position: absolute; clip-path: inset(50%); }
.heatmaps .scroll { margin: 0; }
.heatmaps th, .heatmaps td { border: 0; padding: .15rem; }
.heatmaps thead th { text-align: center; font-weight: 500;
  vertical-align: bottom; height: 2.3rem; }
.heatmaps tbody th { padding-right: .6rem; line-height: 1.3; }
.heatmaps small { color: var(--soft); }
.heatmaps td img { width: 6.2rem; max-width: none; }
.heatmaps td:nth-child(2) img { width: 9rem; }
details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--accent); }
.orange { color: #b34b00; font-weight: 600; }
.blue { color: #0072b2; font-weight: 600; }
.green { color: #00724f; font-weight: 600; }
footer { color: var(--soft); font-size: .88rem; padding-bottom: 2rem; }
@media (max-width: 560px) {
  header, main, footer { padding-left: .7rem; padding-right: .7rem; }
  section { padding: .9rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .4rem; }
  .heatmaps { grid-template-columns: 1fr; }
  .heatmaps figure { padding-top: 0; max-width: 12rem; }
}
@media print { body { background: #fff; } section { break-inside: auto; } }
"""

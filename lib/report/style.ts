/** The report's style sheet: light and dark, phone width, print. */
import { PALETTE } from '../charts/theme.js';

const colours = (list: readonly string[]): string => list.map((colour, i) => `--c${i + 1}:${colour}`).join(';');
const LIGHT = `--paper:#fff;--card:#f6f8fa;--ink:#1f2933;--soft:#52606d;--line:#d5dbe3;--link:#1d5fa8;${colours(PALETTE.light)}`;
const DARK = `--paper:#14181d;--card:#1d232b;--ink:#e6eaef;--soft:#a3adb8;--line:#3a444f;--link:#8cbcf2;${colours(PALETTE.dark)}`;

export const STYLE = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main,header,footer{max-width:76rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .6rem}
h2{font-size:1.4rem;margin:3rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}
p,ul,dl{max-width:46rem}
a{color:var(--link)}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;padding:0;margin:1rem 0 0}
ul.statements{padding-left:1.1rem;color:var(--soft)}
.scroll{overflow-x:auto;margin:1.4rem 0;border:1px solid var(--line);border-radius:6px}
.scroll:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.875rem;line-height:1.4}
caption{text-align:left;padding:.6rem .6rem;font-weight:600;background:var(--card);border-bottom:1px solid var(--line)}
th,td{padding:.4rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--soft);font-weight:600;vertical-align:bottom}
tbody th{font-weight:500;min-width:6rem}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
thead .number{white-space:normal}
table.figures tbody th{min-width:9rem}
table.figures .number{white-space:normal}
table.figures td:nth-child(2){white-space:nowrap}
table.figures td:last-child{min-width:18rem;color:var(--soft)}
figure{margin:1.8rem 0;padding:1rem;border:1px solid var(--line);border-radius:6px;min-width:0}
figcaption{margin-top:.6rem;color:var(--soft);font-size:.9rem;max-width:46rem}
figure img{max-width:100%;height:auto;display:block}
.plot{width:100%;max-width:58rem;min-height:8rem}
.plot.vega-embed{display:block}
.plot svg{max-width:100%;height:auto}
.picture{overflow-x:auto}
.picture img{min-width:34rem}
#vg-tooltip-element{background:var(--card)!important;color:var(--ink)!important;border:1px solid var(--line)!important;font-family:inherit!important}
#vg-tooltip-element td.key{color:var(--soft)!important}
dl.open dt{font-weight:600;margin-top:.8rem}
dl.open dd{margin:0;color:var(--soft)}
footer{margin:3rem auto 2rem;color:var(--soft);font-size:.875rem}
@media (max-width:40rem){
body{font-size:15px}
main,header,footer{padding-left:.9rem;padding-right:.9rem}
header{padding-top:1.4rem}
h1{font-size:1.5rem}
h2{font-size:1.2rem;margin-top:2.2rem}
figure{padding:.6rem}
th,td{padding:.35rem .55rem}
table.figures,table.figures caption,table.figures tbody,table.figures tr,table.figures tbody th,table.figures td{display:block;width:auto}
table.figures thead{display:none}
table.figures tr{padding:.5rem 0;border-bottom:1px solid var(--line)}
table.figures tbody tr:last-child{border-bottom:0}
table.figures tbody th{font-weight:600}
table.figures tbody th,table.figures td{border:0;padding:.12rem .55rem;text-align:left;white-space:normal;min-width:0!important}
table.figures td::before{content:attr(data-label) ": ";color:var(--soft)}
}
@media print{
:root{color-scheme:light;${LIGHT}}
@page{margin:14mm}
body{font-size:10pt}
main,header,footer{max-width:none;padding:0}
nav{display:none}
h2{break-after:avoid}
.scroll,.picture{overflow:visible;border:0}
.picture img{min-width:0}
table{font-size:7.2pt}
.number,table.figures td:nth-child(2){white-space:normal}
th,td{padding:2pt 4pt}
table.figures td:last-child,table.figures tbody th{min-width:0}
figure,tr{break-inside:avoid}
thead{display:table-header-group}
caption{break-after:avoid;padding:3pt 4pt}
}`.trim();

"""How the page looks: one style sheet, light and dark by the reader's choice."""

STYLE = """
:root { color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d2433; --soft: #6b7280; --line: #d8dce4; --faint: #eef0f4;
  --out: #0f766e; --in: #6d28d9; --sip: #1d4ed8; --answer: #334155; --bad: #c2271b; --bad-paper: #fdecea;
  --shade: 0 1px 2px rgb(15 23 42 / .06), 0 8px 24px rgb(15 23 42 / .06); }
@media (prefers-color-scheme: dark) { :root {
  --paper: #10131a; --card: #181c26; --ink: #e6e9f0; --soft: #949cae; --line: #343b4b; --faint: #222838;
  --out: #2dd4bf; --in: #b79cf7; --sip: #7fa8ff; --answer: #b6c2d6; --bad: #ff8578; --bad-paper: #3a1d1c;
  --shade: 0 1px 2px rgb(0 0 0 / .5), 0 8px 24px rgb(0 0 0 / .35); } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.5 system-ui, "Segoe UI", sans-serif }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 28px }
header { padding-top: 36px }
h1 { font-size: 22px; letter-spacing: -.01em; margin: 0 0 4px }
h2 { font-size: 17px; margin: 0 }
header ol { margin: 8px 0; padding-left: 22px; columns: 2 }
a { color: var(--sip); text-decoration: none } a:hover { text-decoration: underline }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shade);
  margin: 22px 0; padding: 22px 26px 10px }
.id { margin: 0; color: var(--soft); font: 12px/1.6 ui-monospace, "DejaVu Sans Mono", monospace }
dl { display: flex; flex-wrap: wrap; gap: 6px 30px; margin: 14px 0 6px }
dt { color: var(--soft); font-size: 11px; text-transform: uppercase; letter-spacing: .06em }
dd { margin: 0; font-weight: 600 }
.badge { background: var(--bad-paper); color: var(--bad); border-radius: 99px; padding: 2px 10px; font-size: 11px;
  vertical-align: 2px; margin-left: 6px }
.problems { list-style: none; margin: 14px 0 0; padding: 10px 16px; border-left: 3px solid var(--bad);
  background: var(--bad-paper); border-radius: 0 8px 8px 0 }
.problems time { color: var(--bad); font-variant-numeric: tabular-nums; font-weight: 600; margin-right: 6px }
.wide { overflow-x: auto; margin: 8px -26px 0; padding: 0 26px 320px }
.ladder { position: relative; margin: 10px 0; min-height: 120px }
.ladder > * { position: absolute }
.party { top: 0; transform: translateX(-50%); background: var(--faint); border: 1px solid var(--line);
  padding: 5px 14px;
  border-radius: 8px; font-weight: 600; white-space: nowrap; z-index: 3 }
.line { top: 34px; bottom: 4px; width: 0; border-left: 2px solid var(--line) }
.ladder > time { left: 0; width: 74px; text-align: right; transform: translateY(-50%); color: var(--soft);
  font: 12px/1 ui-monospace, monospace }
.tick { left: 82px; right: 0; border-top: 1px dotted var(--faint) }
.pause { left: 0; width: 74px; text-align: right; transform: translateY(-50%); color: var(--soft); opacity: .75;
  font-size: 11px } .pause::before { content: "⋮ " }
.right, .left { height: 0; border-top: 2px solid var(--sip); z-index: 2 }
.right::after, .left::after { content: ""; position: absolute; top: -6px; border: 5px solid transparent }
.right::after { right: 1px; border-left: 8px solid var(--sip); border-right: 0 }
.left::after { left: 2px; border-right: 8px solid var(--sip); border-left: 0 }
.right > span, .left > span { position: absolute; left: 50%; top: -12px; transform: translateX(-50%); max-width: 78%;
  background: var(--card); border-radius: 6px; padding: 0 8px; line-height: 22px; font-weight: 600; font-size: 13px;
  color: var(--ink); white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.media { border-top-style: dashed; border-color: var(--out) }
.right.media::after { border-left-color: var(--out) } .left.media::after { border-right-color: var(--out) }
.media > span { color: var(--out) }
.note { transform: translateY(-50%); z-index: 3 }
.note > span { display: inline-block; max-width: 100%; background: var(--faint); border-radius: 6px; padding: 1px 9px;
  font-size: 12px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.note.problem > span { background: var(--bad-paper); color: var(--bad); border: 1px solid var(--bad); font-weight: 600 }
.span { border-radius: 8px; padding: 6px 10px; font-size: 12px; line-height: 1.4; z-index: 1 }
.span > span { display: block; overflow: hidden; text-overflow: ellipsis }
.span.out { background: color-mix(in srgb, var(--out) 13%, transparent); border-left: 3px solid var(--out);
  color: var(--out) }
.span.in { background: color-mix(in srgb, var(--in) 13%, transparent); border-left: 3px solid var(--in);
  color: var(--in) }
.span > span { font-weight: 600 }
[tabindex] { cursor: help; outline: 0 }
[tabindex]:hover, [tabindex]:focus { z-index: 9 }
[tabindex]:focus > span, [tabindex]:hover > span { text-decoration: underline; text-underline-offset: 3px }
.right[tabindex]::before, .left[tabindex]::before { content: ""; position: absolute; inset: -12px 0 }
pre { display: none; position: absolute; left: 12px; top: 16px; margin: 0; padding: 14px 18px; min-width: 320px;
  max-width: 760px; max-height: 460px; overflow: auto; background: var(--card); color: var(--ink);
  border: 1px solid var(--line); border-radius: 10px; box-shadow: 0 12px 40px rgb(0 0 0 / .28); text-align: left;
  font: 12px/1.55 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere;
  width: max-content }
[tabindex]:hover > pre, [tabindex]:focus > pre, [tabindex]:focus-within > pre { display: block }
footer { color: var(--soft); padding-bottom: 36px; font-size: 12px }
@media print { section { break-inside: avoid; box-shadow: none } footer { display: none } }
"""

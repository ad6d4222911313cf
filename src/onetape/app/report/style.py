"""The page's looks, light and dark."""

STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --panel: #ffffff; --ink: #16202c; --muted: #64748b;
  --line: #e2e8f0; --accent: #2563eb; --accent-soft: rgba(37,99,235,.10); --up: #059669; --down: #dc2626;
  --down-soft: rgba(220,38,38,.12); }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --panel: #161b22; --ink: #e6edf3; --muted: #8b98a9;
  --line: #2a3340; --accent: #58a6ff; --accent-soft: rgba(88,166,255,.14); --up: #3fb98b; --down: #f47067;
  --down-soft: rgba(244,112,103,.16); } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 16px; margin: 34px 0 10px; }
.sub { color: var(--muted); margin: 2px 0 18px; }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px;
  margin-bottom: 14px; overflow-x: auto; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 12px; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.card .name { color: var(--muted); font-size: 12px; }
.card .value { font-size: 21px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.card .more { color: var(--muted); font-size: 12px; font-variant-numeric: tabular-nums; }
.up { color: var(--up); } .down { color: var(--down); }
.failure { border-color: var(--down); background: var(--down-soft); }
.failure pre { margin: 6px 0 0; white-space: pre-wrap; }
code, pre { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13px; }
th { text-align: left; color: var(--muted); font-weight: 500; font-size: 12px; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
.chart { width: 100%; }
.chart-title { font-weight: 600; margin: 2px 0 0; }
.pager { display: flex; gap: 10px; align-items: center; margin-bottom: 8px; color: var(--muted); flex-wrap: wrap; }
.pager input { flex: 1; min-width: 160px; max-width: 320px; padding: 5px 9px; border: 1px solid var(--line);
  border-radius: 6px; background: var(--page); color: var(--ink); font: inherit; }
.pager button { padding: 4px 11px; border: 1px solid var(--line); border-radius: 6px; background: var(--page);
  color: var(--ink); font: inherit; cursor: pointer; }
.pager button:disabled { opacity: .4; cursor: default; }
"""

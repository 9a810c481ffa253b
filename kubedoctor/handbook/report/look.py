"""The colours of a page, by what they mean: bad, warn, good and act speak, change says who changed something, three greys weigh.
None is used without a mark or a word."""

from __future__ import annotations

from typing import Final

from kubedoctor.findings import Severity
from kubedoctor.handbook.colours import COLOURS

_ROLES: Final = (
    *("page", "raised", "ink", "muted", "faint", "rule", "bad", "warn", "good", "act", "change"),
    *("bad-tint", "warn-tint", "act-tint", "change-tint"),
)
"""Those that a page has; each text colour has a contrast of 4.5 or more on its page."""
ROLE_OF: Final = {Severity.CRITICAL: "bad", Severity.WARNING: "warn", Severity.NOTICE: "act"}


def _variables(column: int) -> str:
    return "".join(f"--{role}:{COLOURS[role][column]};" for role in _ROLES)


STYLE: Final = (
    f":root{{color-scheme:light dark;{_variables(1)}}}"
    f"@media (prefers-color-scheme:dark){{:root{{{_variables(0)}}}}}"
    + """
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1100px;margin:0 auto;padding:28px 24px 60px}
h1{font-size:24px;line-height:1.25;margin:0 0 4px}
h2{font-size:18px;line-height:1.35;margin:0;overflow-wrap:anywhere}
h3{font-size:12px;font-weight:600;color:var(--muted);margin:22px 0 6px;letter-spacing:.02em}
p{margin:6px 0;overflow-wrap:anywhere}
a{color:var(--act)}
code,pre,.path,.code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px}
.muted,.meta{color:var(--muted)}
.path,.code,.faint{color:var(--faint)}
.bad{color:var(--bad)}.warn{color:var(--warn)}.good{color:var(--good)}.act{color:var(--act)}.change{color:var(--change)}
.mark{display:inline-block;min-width:1.7em;text-align:center;font-weight:700;border-radius:3px;margin-right:.5em}
.mark.bad{background:var(--bad-tint)}.mark.warn{background:var(--warn-tint)}.mark.act{background:var(--act-tint)}
ol.contents{list-style:none;padding:0;margin:20px 0 0;border-top:1px solid var(--rule)}
ol.contents li{padding:7px 0;border-bottom:1px solid var(--rule);overflow-wrap:anywhere}
ol.contents a{color:inherit;text-decoration:none}
ol.contents a:hover{text-decoration:underline}
section{margin-top:40px;padding-top:18px;border-top:2px solid var(--rule)}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:4px 14px 4px 0;border-bottom:1px solid var(--rule);overflow-wrap:anywhere}
th{font-size:12px;font-weight:600;color:var(--muted)}
table.facts td:first-child{width:46%}table.facts td.path{padding-left:14px}
table.timeline{table-layout:fixed}
table.timeline th:nth-child(1){width:86px}table.dated th:nth-child(1){width:180px}
table.timeline th:nth-child(2){width:80px}table.timeline th:nth-child(3){width:34%}
td.when{white-space:nowrap;font-variant-numeric:tabular-nums}
tr.bad td.what{color:var(--bad)}
tr.change td{background:var(--change-tint)}
tr.onset td{border-bottom:2px solid var(--bad);color:var(--bad);font-weight:600}
pre{background:var(--raised);padding:9px 12px;margin:6px 0;border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere}
.effect{float:right;color:var(--muted);font-size:13px;margin-left:12px}
.effect.restarts{color:var(--warn)}.effect.data{color:var(--bad);font-weight:700}
.fix{margin:10px 0}.fix b{font-weight:600}
ul{margin:6px 0;padding-left:20px}
.picture{overflow-x:auto;margin:8px 0}
svg{display:block;max-width:none}
svg text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--ink)}
svg .title{font-weight:600}svg .small{font-size:12px;fill:var(--muted)}svg .code{font-size:11px;fill:var(--faint)}
svg .box{fill:var(--raised);stroke:var(--rule)}
svg .edge{fill:none;stroke:var(--muted);stroke-width:1.4}
svg .tip{fill:var(--muted)}
svg .bad{fill:var(--bad)}svg .warn{fill:var(--warn)}svg .act{fill:var(--act)}svg .change{fill:var(--change)}svg .quiet{fill:var(--faint)}
svg .onset{stroke:var(--bad);stroke-width:2}svg .axis{stroke:var(--rule)}
footer{margin-top:48px;color:var(--muted);font-size:13px}
@media (max-width:700px){main{padding:16px 12px}table.facts td,table.facts tr{display:block}table.facts td{width:auto;border:0}
table.facts td:first-child{width:auto}table.facts tr{border-bottom:1px solid var(--rule)}
table.timeline{table-layout:auto}table.timeline th:nth-child(1),table.timeline th:nth-child(3){width:auto}
table.timeline th:nth-child(2),table.timeline td:nth-child(2):not([colspan]){display:none}}
@media print{main{max-width:none;padding:0}section{break-inside:auto}h2,h3,.fix{break-after:avoid}}
"""
)

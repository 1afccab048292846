"""Data Docs of one verdict: a page that opens offline, of what Great Expectations' renderers say of each suite.

Its own site needs the network for its styles and scripts; this page needs nothing, and runs no script. Not here: what
the gate looks at, and whether it opens.
"""

from copy import deepcopy
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaSectionView

from validations.gate.suites import Suite
from validations.gate.verdict import Finding, Verdict

_STYLE = """
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff }
body { max-width: 70rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; border-top: 1px solid #c8ced6; padding-top: 1rem; margin-top: 2.5rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem } th, td { text-align: left; vertical-align: top;
  padding: .3rem .6rem; border-bottom: 1px solid #e1e5ea } li { overflow-wrap: anywhere }
.wide, .table-responsive { overflow-x: auto } .badge { background: #eef1f5; border-radius: .3rem; padding: 0 .3rem }
.failed { color: #a40e26; font-weight: 600 } .raised { color: #7a4200; font-weight: 600 } .waived { color: #4a3aa7;
  font-weight: 600 } .met { color: #116329 }
pre { overflow-x: auto; background: #f6f8fa; padding: .8rem; font-size: .8rem }
.fas::before { font-style: normal } .fa-check-circle::before { content: "met" } .fa-times::before { content: "failed" }
.fa-exclamation-triangle::before { content: "could not be checked" } .fas { font-style: normal }
.text-danger { color: #a40e26 } .text-success { color: #116329 } .text-warning { color: #7a4200 }
a:focus-visible, summary:focus-visible { outline: 3px solid #0550ae; outline-offset: 2px }
"""


@dataclass(frozen=True)
class Page:
    """One suite: the query that drew its batch, what Great Expectations says of it (None where the query raised)."""

    suite: Suite
    query: str
    result: ExpectationSuiteValidationResult | None
    verdict: Verdict


def write_docs(folder: Path, pages: list[Page]) -> None:
    """Write ``index.html`` into ``folder``, which is made where it is not there."""
    view = DefaultJinjaSectionView()
    body = "\n".join([_overview(pages), *(_section(page, view) for page in pages)])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>The gate of this release</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n",
        encoding="utf-8",
    )


def _overview(pages: list[Page]) -> str:
    rows = "".join(
        f'<tr><td><a href="#{page.suite.name}">{escape(page.suite.name)}</a></td><td>{_state(page.verdict)}</td>'
        f"<td>{escape(page.suite.title)}</td></tr>\n"
        for page in pages
    )
    is_open = all(page.verdict.is_open for page in pages)
    said = "The gate is open: all that follows holds, or was waived." if is_open else "The gate is shut."
    return (
        f"<h1>The gate of this release</h1>\n<p>{said}</p>\n<div class='wide'><table>\n<thead><tr>"
        "<th scope='col'>Suite</th><th scope='col'>Found</th><th scope='col'>What must hold</th></tr></thead>\n"
        f"<tbody>\n{rows}</tbody></table></div>"
    )


def _state(verdict: Verdict) -> str:
    counts = {"failed": len(verdict.failed), "raised": len(verdict.raised), "waived": len(verdict.waived)}
    words = {"failed": "failed", "raised": "could not be checked", "waived": "waived"}
    told = [f'<span class="{kind}">{count} {words[kind]}</span>' for kind, count in counts.items() if count]
    return ", ".join(told) or f'<span class="met">all {verdict.evaluated} met</span>'


def _section(page: Page, view: DefaultJinjaSectionView) -> str:
    verdict = page.verdict
    found = [
        *_listed("failed", verdict.failed),
        *_listed("raised", verdict.raised),
        *_listed("waived", verdict.waived),
        *(f"<li>{escape(line)}</li>" for line in verdict.unneeded),
    ]
    query = (
        f"<details><summary>The query</summary><pre>{escape(page.query.strip())}</pre></details>" if page.query else ""
    )
    return (
        f'<section id="{page.suite.name}">\n<h2>{escape(page.suite.title)}</h2>\n'
        f"<p>{page.suite.name}: {_state(verdict)}. A row is named by {', '.join(page.suite.key)}.</p>\n"
        f"{'<ul>' + ''.join(found) + '</ul>' if found else ''}\n{_rendered(page, view)}\n{query}\n</section>"
    )


def _listed(kind: str, findings: list[Finding]) -> list[str]:
    return [f'<li><span class="{kind}">{escape(each.text)}</span>{_decision(each)}</li>' for each in findings]


def _decision(finding: Finding) -> str:
    waiver = finding.waiver
    if waiver is None:
        return ""
    said = f"Decided by {waiver.decided_by} on {waiver.decided_on}, until {waiver.expires_on}: {waiver.reason}"
    return f"<br>{escape(said)}"


def _rendered(page: Page, view: DefaultJinjaSectionView) -> str:
    """What Great Expectations says of each expectation; not its overview, which holds times."""
    if page.result is None:
        return ""
    shown = deepcopy(page.result)
    for each in shown.results:
        # Its queries are of a frame that nobody else has.
        each.result = _harmless({name: said for name, said in each.result.items() if name != "unexpected_index_query"})
        if each.exception_info:
            each.exception_info = _without_traceback(each.exception_info)
    sections = ValidationResultsPageRenderer().render(shown).sections[1:]
    made = [
        view.render({"section": section.to_json_dict(), "section_loop": {"index": f"{page.suite.name}-{number}"}})
        for number, section in enumerate(sections, start=1)
    ]
    return "\n".join(made)


def _harmless(value: Any) -> Any:
    """What publishers and countries wrote, as text: the templates put it into the page as it is."""
    if isinstance(value, str):
        return value.replace("<", "&lt;").replace(">", "&gt;")
    if isinstance(value, dict):
        return {_harmless(name): _harmless(each) for name, each in value.items()}
    return [_harmless(each) for each in value] if isinstance(value, list) else value


def _without_traceback(info: dict[str, Any]) -> dict[str, Any]:
    """Why an expectation raised, without the places in the code, which are of one machine."""
    entries = [info] if "raised_exception" in info else [each for each in info.values() if isinstance(each, dict)]
    raised = [str(each["exception_message"]) for each in entries if each.get("raised_exception")]
    return {
        "raised_exception": bool(raised),
        "exception_message": _harmless("; ".join(dict.fromkeys(raised))),
        "exception_traceback": "",
    }

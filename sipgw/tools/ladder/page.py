"""Ladders as one HTML page that needs nothing else: no script, no network, light and dark, readable on paper.

Everything from a capture is escaped, and the page's own policy forbids scripts, so that a hostile message stays text.
Pages are passed on, so keys of SRTP are left out.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape

from sipgw.tools.ladder.draw import Step
from sipgw.tools.ladder.layout import Layout, Rung, lay_out
from sipgw.tools.ladder.of_capture import Ladder
from sipgw.tools.ladder.style import STYLE

_KEY = re.compile(r"inline:[A-Za-z0-9+/=]+")
"""Of `a=crypto` (RFC 4568 section 6.1)."""
_CARD = 1100
"""Pixels of a ladder that need no scrolling."""
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
"""


def page(title: str, ladders: Sequence[Ladder]) -> str:
    """The page.

    Args:
        title: what it is about, such as the capture's name.
        ladders: one for each call.
    """
    parts = [_HEAD.format(title=escape(_clean(title)), style=STYLE)]
    parts.append(f"<header><h1>{escape(_clean(title))}</h1>{_contents(ladders)}</header>\n<main>\n")
    parts += [_section(ladder, number) for number, ladder in enumerate(ladders, 1)]
    parts.append("</main>\n<footer>Point at a line, or go to it by Tab, to see the whole message.</footer>\n")
    return "".join((*parts, "</body>\n</html>\n"))


def _contents(ladders: Sequence[Ladder]) -> str:
    """Links to the calls, where there are several."""
    if len(ladders) < 2:
        return ""
    items = (
        f'<li><a href="#call-{number}">{escape(_clean(one.title))}</a>{_badge(one)}</li>'
        for number, one in enumerate(ladders, 1)
    )
    return f"<ol>{''.join(items)}</ol>"


def _badge(ladder: Ladder) -> str:
    count = sum(step.problem for step in ladder.steps)
    return f' <b class="badge">{count} problem{"s" if count > 1 else ""}</b>' if count else ""


def _section(ladder: Ladder, number: int) -> str:
    layout = lay_out(ladder)
    facts = "".join(
        f"<div><dt>{escape(_clean(name))}</dt><dd>{escape(_clean(value))}</dd></div>" for name, value in ladder.facts
    )
    problems = "".join(_problem(step) for step in ladder.steps if step.problem)
    size = f"width:{layout.width}px;height:{layout.height}px"
    return (
        f'<section id="call-{number}">\n<h2>{escape(_clean(ladder.title))}{_badge(ladder)}</h2>\n'
        f'<p class="id">{escape(_clean(ladder.call_id))}</p>\n<dl>{facts}</dl>\n'
        f"{f'<ul class=problems>{problems}</ul>' if problems else ''}\n"
        f'<div class="{"wide" if layout.width > _CARD else "whole"}"><div class="ladder" style="{size}">\n'
        f"{''.join(_drawn(layout))}</div></div>\n</section>\n"
    )


def _problem(step: Step) -> str:
    return f"<li><time>{step.when:.3f} s</time> {escape(_clean(step.label.removeprefix('▲ ')))}</li>"


def _drawn(layout: Layout) -> Iterator[str]:
    """The parts of a ladder, those behind first."""
    for name, x in layout.columns:
        yield f'<div class="party" style="left:{x}px">{escape(_clean(name))}</div>\n'
        yield f'<div class="line" style="left:{x}px"></div>\n'
    for y, text in layout.times:
        yield f'<time style="top:{y}px">{escape(text)}</time><div class="tick" style="top:{y}px"></div>\n'
    for y, text in layout.gaps:
        yield f'<span class="pause" style="top:{y}px">{escape(text)}</span>\n'
    for rung in (*layout.spans, *layout.rungs):
        yield _rung(rung)


def _rung(rung: Rung) -> str:
    """One message, stream or note, with the text that shows on pointing at it."""
    tall = f"height:{rung.height}px;" if rung.height else ""
    detail = f"<pre>{escape(_clean(_KEY.sub('inline:…', rung.step.detail)))}</pre>" if rung.step.detail else ""
    focus = ' tabindex="0"' if detail else ""
    return (
        f'<div class="{rung.kind}"{focus} style="top:{rung.y}px;left:{rung.x}px;width:{rung.width}px;{tall}">'
        f"<span>{escape(_clean(rung.label))}</span>{detail}</div>\n"
    )


def _clean(text: str) -> str:
    """Without characters that HTML does not know, or that turn the direction of what follows."""
    return "".join(
        c if c in "\n\t" or (c.isprintable() and c not in _TURNING) else "\N{REPLACEMENT CHARACTER}" for c in text
    )


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

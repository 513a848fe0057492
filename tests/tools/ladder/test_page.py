"""The page: complete, escaped, without anything from elsewhere."""

import re
from dataclasses import replace
from html.parser import HTMLParser

from sipgw.tools.ladder.draw import Step
from sipgw.tools.ladder.layout import lay_out
from sipgw.tools.ladder.of_capture import Ladder
from sipgw.tools.ladder.page import page

EVIL = '</pre><script>alert("1")</script>\0\u202e<img src=http://192.0.2.1/x onerror=x>'


class Tags(HTMLParser):
    """Collects what a browser would make of it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def ladder(text: str = "INVITE") -> Ladder:
    steps = (
        Step(0.0, "a", "b", text, detail=text),
        Step(1.0, "a", "b", text, media=True, until=5.0, detail=text),
        Step(1.0, "b", "a", text, media=True, until=5.0),
        Step(2.0, "a", "a", text, problem=True, detail=text),
        Step(6.0, "b", "a", text),
    )
    return Ladder(text, text, ("a", "b"), steps, ((text, text),))


def test_whatever_a_capture_holds_is_text() -> None:
    made = page(EVIL, [ladder(EVIL), ladder(EVIL)])
    found = Tags()
    found.feed(made)
    assert not {"script", "img", "iframe", "link", "object"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert "\0" not in made
    assert "\u202e" not in made
    assert "&lt;script&gt;" in made


def test_keys_are_left_out() -> None:
    line = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}|2^31"
    made = page("x", [replace(ladder(), steps=(Step(0.0, "a", "b", "INVITE", detail=line.format("c2VjcmV0")),))])
    assert f"<pre>{line.format('…')}</pre>" in made


def test_nothing_comes_from_elsewhere() -> None:
    made = page("x", [ladder()])
    assert not re.search(r"(src|href)\s*=\s*[\"']?(?!#)", made)
    assert "url(" not in made
    assert "@import" not in made
    assert "default-src 'none'" in made


def test_every_message_can_be_read_whole_and_reached_by_key() -> None:
    made = page("x", [ladder()])
    assert made.count("<pre>INVITE</pre>") == 3
    assert made.count('tabindex="0"') == 3


def test_several_calls_have_contents_with_their_problems() -> None:
    made = page("x", [ladder(), ladder()])
    assert 'href="#call-2"' in made
    assert made.count("1 problem") == 4


def test_what_comes_later_is_further_down_and_streams_at_the_same_time_are_side_by_side() -> None:
    layout = lay_out(ladder())
    places = [rung.y for rung in layout.rungs]
    assert places == sorted(places)
    one, other = layout.spans
    assert (one.y, one.height) == (other.y, other.height)
    assert one.x + one.width < other.x
    assert layout.rungs[0].y < one.y < layout.rungs[1].y < one.y + one.height < layout.rungs[2].y
    assert layout.height > max(places)


def test_an_empty_ladder_is_a_page_too() -> None:
    assert page("x", [Ladder("t", "id", ("a",), ())]).endswith("</html>\n")

"""Takes out of words what nobody needs to read again: addresses, cards, telephone and other long numbers.

The rules, in this order; what fits is replaced by its name in brackets:

- `[email]`: `ann@example.com`, and as it is spoken: `ann at example dot com`.
- `[card]`: 13 to 19 digits whose check digit is right (ISO/IEC 7812-1).
- `[number]`: any other four digits and more; years and large amounts go with them.
- `[number]`: four and more digits spoken one by one, in English: `seven four double two`.

Between digits there may be `+`, spaces, dots, hyphens, slashes and brackets; commas and colons end a number, so that
times of day stay. It is a sieve for what comes in figures, not a promise: names, streets and other spellings pass.
"""

import re

_EMAIL = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}|\b[\w.+-]{1,64} at [\w-]{1,63}(?: dot [\w-]{1,63}){1,4}\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\+?\(?\d(?:[\s().\-/]{0,3}\d){3,}")
_WORD = "(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_SPOKEN = re.compile(rf"\b{_WORD}(?:[\s,.\-]{{1,3}}{_WORD}){{3,}}\b", re.IGNORECASE)


def redacted(text: str) -> str:
    """The text without them."""
    return _SPOKEN.sub("[number]", _DIGITS.sub(_named, _EMAIL.sub("[email]", text)))


def _named(match: re.Match[str]) -> str:
    digits = [int(character) for character in match[0] if character.isdecimal()]
    return "[card]" if 13 <= len(digits) <= 19 and _checked(digits) else "[number]"


def _checked(digits: list[int]) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1 annex B)."""
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[::-2])) % 10 == 0

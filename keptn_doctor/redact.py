"""Takes secrets out of text before it becomes evidence.

Two nets: what this run has read as a secret, in every encoding it may wear, and what looks like one
by its surroundings. It refuses to be clever about names: what merely mentions a token stays.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Callable, Iterable

REDACTED = "[redacted]"
_SHORTEST_SECRET = 4  # shorter ones occur by chance in any text
_SHORTEST_ENCODED = 8
_MANY = 200  # forms; from there on it is cheaper to look them up than to look for each of them

# As they stand in a command line, in JSON, and in JSON inside a quoted log message.
_NAME = r"[\w.-]{0,60}(?:password|passwd|secret|token|api[-_]?key)"
_NAMES = ("passw", "secret", "token", "key")
_QUOTE = r"""\\*["']"""
_PLAIN = r"""[^\s"'\\,;[\]})]+"""
_VALUE = r"""[^\s"'\\&;,]+"""
_TEXT = r"""[^"'\\]+"""

_Rule = tuple[tuple[str, ...], re.Pattern[str], str]

# What a rule cannot match without stands first, case-folded and without an "i" (whose two
# relatives outside ASCII match it but do not fold to it): looking for that is a hundred times
# cheaper than the rule, and most lines of a log hold none of it.
_RULES: tuple[_Rule, ...] = tuple(
    (needles, re.compile(pattern, re.DOTALL), replacement)
    for needles, pattern, replacement in (
        # api-service up to 0.19.3 logs every rejected token: api/middleware/tokenauth.go@0.8.7
        (
            ("key auth:",),
            r'(Access attempt with incorrect api key auth:\s*)[^"\n]+',
            rf"\1{REDACTED}",
        ),
        # Go up to 1.17 prints the header value that it refuses
        (
            ("header f",),
            r'(invalid header field value \\*")(?:(?!\\*" for key).)*',
            rf"\1{REDACTED}",
        ),
        (
            ("key-----",),
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
            REDACTED,
        ),
        (("eyj",), r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*", REDACTED),  # JWT
        (
            ("bearer", "bas"),
            r"(?i)\b(bearer|basic)(\s+)[\w.~+/=-]{8,}",
            rf"\1\2{REDACTED}",
        ),
        (
            ("x-token",),
            rf"(?i)(\bx-token(?:{_QUOTE})?\s*[:=]\s*\[?(?:{_QUOTE})?)(?!\[?redacted){_PLAIN}",
            rf"\1{REDACTED}",
        ),
        (("@",), r"(\b[a-zA-Z][\w+.-]{0,30}://)[^\s/@\"'?#]+@", rf"\1{REDACTED}@"),  # URL userinfo
        # NAME=value and "name": "value", but never prose such as "cannot fetch token: 401"
        (
            _NAMES,
            rf"(?i)(\b{_NAME}(?:{_QUOTE})?=(?:{_QUOTE})?)(?!\[redacted){_VALUE}",
            rf"\1{REDACTED}",
        ),
        (
            _NAMES,
            rf"(?i)({_QUOTE}{_NAME}{_QUOTE}\s*:\s*{_QUOTE})(?!\[redacted){_TEXT}",
            rf"\1{REDACTED}",
        ),
    )
)


class Redactor:
    """Knows the secrets of one run; ``repr`` gives none of them away."""

    def __init__(self) -> None:
        self._literal: set[str] = set()  # what a secret may look like, character by character
        self._percent: set[str] = set()  # regular expressions of the percent-encoded forms
        self._signs: set[str] = set()  # what such a form has and the literal ones need not
        self._heads: dict[str, list[str]] = {}  # the literal forms by their first characters
        self._short: list[str] = []  # and those that have fewer
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secret: str | bytes) -> None:
        """Remember a secret that this run has read; one under four characters is not searched."""
        raw = secret.encode(errors="surrogateescape") if isinstance(secret, str) else secret
        for value in {raw, raw.strip()}:
            if len(value) >= _SHORTEST_SECRET:
                for form in _literal_forms(value) - self._literal:
                    self._literal.add(form)
                    if len(form) < _SHORTEST_SECRET:  # of more bytes than characters
                        self._short.append(form)
                    else:
                        self._heads.setdefault(form[:_SHORTEST_SECRET], []).append(form)
                self._percent.add(_percent_form(value))
                self._signs |= {"%", "+"} if b" " in value else {"%"}
        self._pattern = None

    def clean(self, text: str) -> str:
        """The text without secrets. Cut a text only after cleaning it: half a secret is one too."""
        return self._clean(text, known=True, rules=_RULES)

    def cleaner_of(self, whole: str) -> Callable[[str], str]:
        """``clean`` for the pieces of a long text: what it does not hold, no piece of it holds."""
        folded = whole.casefold()
        rules = tuple(rule for rule in _RULES if _may_match(rule, folded))
        return functools.partial(self._clean, known=self._may_hold_one(whole), rules=rules)

    def _clean(self, text: str, *, known: bool, rules: Iterable[_Rule]) -> str:
        if known and self._may_hold_one(text):
            text = self._known().sub(REDACTED, text)
        folded = text.casefold() if rules else ""
        for rule in rules:
            if _may_match(rule, folded):
                _, pattern, replacement = rule
                text = pattern.sub(replacement, text)
        return text

    def _may_hold_one(self, text: str) -> bool:
        """Whether the search for known secrets is worth its price, which is high."""
        if any(sign in text for sign in self._signs):
            return True
        if len(self._literal) <= _MANY:
            return any(form in text for form in self._literal)
        if any(form in text for form in self._short):
            return True
        for at in range(len(text) - _SHORTEST_SECRET + 1):
            forms = self._heads.get(text[at : at + _SHORTEST_SECRET])
            if forms and any(text.startswith(form, at) for form in forms):
                return True
        return False

    def _known(self) -> re.Pattern[str]:
        if self._pattern is None:
            forms = self._percent | {re.escape(form) for form in self._literal}
            self._pattern = re.compile("|".join(sorted(forms, key=len, reverse=True)))
        return self._pattern

    def __repr__(self) -> str:
        return f"Redactor({len(self._literal | self._percent)} forms)"


def _may_match(rule: _Rule, folded: str) -> bool:
    return any(needle in folded for needle in rule[0])


def _literal_forms(raw: bytes) -> set[str]:
    """What the bytes may look like in a text, but for the percent-encoded forms."""
    text = raw.decode(errors="surrogateescape")
    escaped = json.dumps(text)[1:-1]
    go_quoted = json.dumps(text, ensure_ascii=False)[1:-1]
    encoded = {
        raw.hex(), raw.hex().upper(), escaped, go_quoted,
        escaped.replace("\\", "\\\\"), go_quoted.replace("\\", "\\\\"),
    }  # fmt: skip
    encoded |= _base64_forms(raw) | _base64_forms(base64.b64encode(raw))
    long_enough = {form for form in encoded if len(form) >= _SHORTEST_ENCODED}
    return {text, raw.decode("latin-1")} | long_enough


def _percent_form(raw: bytes) -> str:
    """Percent-encoded, whichever characters were thought to need it, in either case."""
    return "".join(
        f"(?:{re.escape(chr(byte))}|%(?i:{byte:02x}){r'|[+]' if byte == 0x20 else ''})"
        for byte in raw
    )


def _base64_forms(raw: bytes) -> set[str]:
    """What the bytes look like inside any base64 text that holds them, at all three alignments.

    Only the characters that they alone decide are kept, so "user:" before or a newline after
    changes nothing.
    """
    forms = set()
    for offset in range(3):
        padded = b"\0" * offset + raw
        first, last = -(-offset * 8 // 6), len(padded) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            forms.add(encode(padded).decode()[first:last])
    return forms

"""Find secrets in what a run leaves: values of the environment, and words in the form of keys."""

import base64
import html
import os
import re
import urllib.parse

NAMES = re.compile(r"KEY|TOKEN|SECRET|PASS(WORD|WD|PHRASE)|CREDENTIAL|(^|_)(AUTH|PAT|PWD)(_|$)"
                   r"|(DATABASE|REDIS|MONGO\w*|BROKER)_UR[LI]|DSN|PROXY", re.IGNORECASE)
FORM = re.compile(
    r"\bsk-[A-Za-z0-9_-]{20,}|\bgh[opusr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}"
    r"|\bhf_[A-Za-z0-9]{30,}|\bglpat-[A-Za-z0-9_-]{20,}|\bA(KIA|SIA)[A-Z0-9]{16}\b"
    r"|\bAIza[A-Za-z0-9_-]{35}|\bxox[abprs]-[A-Za-z0-9-]{20,}|\bnpm_[A-Za-z0-9]{36}"
    r"|\bpypi-[A-Za-z0-9_-]{50,}|\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\."
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----")
SHORTEST = 8  # characters; a shorter value would be found by chance
CUT = 20  # characters of a value that a table shows when it cuts it off


def shown(text):
    """Which secret a text holds, as words; ``""`` for none."""
    plain = _plain(text)
    for name, value in _values():
        if (_plain(value[:max(CUT, len(value) // 2)]) in plain
                or any(coded in text for coded in _coded(value))):
            return f"an output shows the value of {name}"
    return "an output shows a word in the form of a key" if FORM.search(text) else ""


def _plain(text):
    """A text without what JSON, Python, HTML and addresses add to it, and without spaces."""
    return re.sub(r"\\+[nrt]?|\s", "", html.unescape(urllib.parse.unquote_plus(text)))


def _values():
    """Secrets of the environment by name. Of an address only the password is one, and a path or
    an address without a password is none."""
    for name, value in os.environ.items():
        value = value.strip()
        if not NAMES.search(name) or os.path.exists(value):
            continue
        if "://" in value:
            value = urllib.parse.urlsplit(value).password or ""
        if len(value) >= SHORTEST:
            yield name, value


def _coded(value):
    """A value inside a longer text in base64, at each of the three places where a byte may fall."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + value.encode()).decode()
        # characters that also depend on the bytes around are left out
        whole = coded[-(-before * 8 // 6):(before + len(value.encode())) * 8 // 6]
        yield from (whole, whole.replace("+", "-").replace("/", "_"))

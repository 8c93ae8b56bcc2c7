"""Words that must not be parted at the end of a line."""

import html
import re

_SKIP = {"pre", "code", "script", "style", "svg", "title", "textarea"}
_TAG = re.compile(r"(<[^>]*>)")
_TERM = re.compile(
    r"(?<![\w-])(?:GenePT-[ws]|n-grams?|k-means|TF-IDF|ada-002|ROC-AUC|SHA-256|macro-F1|p-values?"
    r"|Lit-BM|Lys4-only|all-MiniLM-L6-v2"
    r"|\d{4}-\d\d-\d\d)(?![\w-])", re.IGNORECASE)
_CODE = re.compile(r'<code class="([^"]*literal[^"]*)">(.*?)</code>', re.DOTALL)
_SHORT = 24  # letters of a name in code that fits a column of a phone
_UNIT = re.compile(r"(?<=\d) (?=%)")


def keep_together(body):
    """HTML in which a browser parts no term at its hyphen and no number from its per cent sign.

    A short name in code stays whole too; other code is left as it is.
    """
    def whole(match):
        letters = len(html.unescape(re.sub(r"<[^>]*>", "", match[2])))
        return match[0].replace(match[1], f"{match[1]} keep", 1) if letters <= _SHORT else match[0]

    body = _CODE.sub(whole, body)
    parts, closed = _TAG.split(body), None
    for i, part in enumerate(parts):
        if i % 2:
            name = re.match(r"</?([\w-]*)", part)[1].lower()
            if closed is None and name in _SKIP and not part.startswith("</"):
                closed = name if not part.endswith("/>") else None
            elif part.startswith("</") and name == closed:
                closed = None
        elif closed is None and part:
            part = _TERM.sub(r'<span class="keep">\g<0></span>', part)
            parts[i] = _UNIT.sub("\u00a0", part)
    return "".join(parts)

"""Words that must not be parted at the end of a line."""

import re
from html import unescape

_TERM = re.compile(
    r"(?<![\w-])(?:GenePT-[ws]|n-grams?|k-means|TF-IDF|ada-002|ROC-AUC|SHA-256|macro-F1|p-values?"
    r"|Lit-BM|Lys4-only|all-MiniLM-L6-v2|\d{4}-\d\d-\d\d)(?![\w-])", re.IGNORECASE)
_CODE = re.compile(r'<code class="([^"]*literal[^"]*)">(.*?)</code>', re.DOTALL)
_SHORT = 24  # letters of a name in code that fits a column of a phone
# What is left as it is (some elements, and all tags), or text.
_PART = re.compile(r"<(pre|code|script|style|svg|title|textarea)\b.*?</\1>|<[^>]*>|[^<]+",
                   re.DOTALL)


def keep_together(body):
    """HTML in which a browser parts no term at its hyphen and no number from its per cent sign.

    A short name in code stays whole too; other code is left as it is.
    """
    def whole(match):
        letters = len(unescape(re.sub(r"<[^>]*>", "", match[2])))
        return match[0].replace(match[1], f"{match[1]} keep", 1) if letters <= _SHORT else match[0]

    def kept(match):
        if match[0].startswith("<"):
            return match[0]
        text = _TERM.sub(r'<span class="keep">\g<0></span>', match[0])
        return re.sub(r"(?<=\d) (?=%)", "\u00a0", text)

    return _PART.sub(kept, _CODE.sub(whole, body))

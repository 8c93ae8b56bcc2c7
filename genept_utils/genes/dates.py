"""Symbols that a spreadsheet turned into dates."""

import re

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_FULL = ["january", "february", "march", "april", "may", "june", "july", "august", "september",
         "october", "november", "december"]
_NUMBER = {name: i for names in (_MONTHS, _FULL) for i, name in enumerate(names, 1)} | {"sept": 9}
# Symbols that a spreadsheet reads as a day of the month.
_STEMS = {1: ["JAN"], 2: ["FEB"], 3: ["MARCH", "MARC", "MAR"], 4: ["APR"], 5: ["MAY"],
          6: ["JUN"], 7: ["JUL"], 8: ["AUG"], 9: ["SEPT", "SEP"], 10: ["OCT"], 11: ["NOV"],
          12: ["DEC"]}
DATED = re.compile(
    r"(?i)^(?:(?P<d1>\d{1,2})[-/ ](?P<m1>[a-z]{3,9})(?:[-/ ]\d{2,4})?"
    r"|(?P<m2>[a-z]{3,9})[-/ ](?P<d2>\d{1,2})"
    r"|\d{4}-(?P<m3>\d{2})-(?P<d3>\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?)$"
)


def from_date(name, folded):
    """Symbols that a date such as "1-Mar" may stand for, best kind of name only."""
    parts = DATED.match(name).groupdict()
    month = parts["m1"] or parts["m2"]
    number = _NUMBER.get(month.lower()) if month else int(parts["m3"])
    if number not in _STEMS:
        return []
    day = int(parts["d1"] or parts["d2"] or parts["d3"])
    rows = folded.reindex([f"{stem}{day}" for stem in _STEMS[number]]).dropna()
    rows = rows[rows["tier"] == rows["tier"].min()]
    return sorted(set("|".join(rows["symbols"]).split("|"))) if len(rows) else []

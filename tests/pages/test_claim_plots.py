"""The figure of paired differences by kind."""

import pandas as pd

from genept_book import claim_plots


def test_differences_are_drawn_by_kind_and_those_beyond_the_panel_at_its_end():
    rows = [("one claim", "letters", .1, "ahead"), ("one claim", "nothing", .9, "ahead"),
            ("another " * 9, "letters", -.9, "behind"), ("another " * 9, "words", 0, "undecided")]
    table = pd.DataFrame([{"claim": claim, "kind": kind, "value": value, "low": value - .05,
                           "high": value + .05, "verdict": verdict}
                          for claim, kind, value, verdict in rows])
    axes = claim_plots.verdicts(table, (-.3, .3))
    assert [ax.get_title() or ax.get_title(loc="left") for ax in axes] == ["nothing", "letters", "words"]
    marks = [[line.get_marker() for line in ax.lines if line.get_marker() != "None"]
             for ax in axes]
    assert marks == [[">"], ["o", "<"], ["o"]]
    drawn = [x for ax in axes for line in ax.lines[1:] for x in line.get_xdata()]
    assert min(drawn) == -.3 and max(drawn) == .3
    # .85 of its size (100 px to the inch, .07 inch around it) fits a phone's column of 358 px
    assert .85 * 100 * (axes[0].figure.get_figwidth() + .14) <= 358
    assert [text.get_text()[:11] for text in axes[0].texts] == ["one claim", "another ano"]
    claim_plots.plt.close(axes[0].figure)

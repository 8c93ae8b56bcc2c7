"""What makes the book: strict runs, stamps, ledger, figures, checks, the Sphinx extension."""

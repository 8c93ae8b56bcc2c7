"""What makes the book: the strict run, stamps, the ledger, figures."""

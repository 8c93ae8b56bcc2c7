"""What one chapter alone needs and is too long for its page: at most one file a chapter."""

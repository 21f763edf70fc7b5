"""Model cards as pages that a person reads, in Markdown."""

"""The page: photographs dropped into a browser, and answers that anyone understands."""

"""PR-07, PR-08: the formats of pictures, and the judgement of a file's structure before a decoder sees it."""

"""Chinese text analysis: jieba in a function of 64 MB. Pure: only views and URLs import Django."""

TERM_MAX_LENGTH = 32  # characters of a term of the index; longer runs are not indexed

"""survey.text.analysis with rjieba, which has words and tags only: neither TF-IDF nor TextRank."""

import rjieba

segment = rjieba.cut


def keywords(text, top_k=20):
    """Return the first words with weight 0."""
    return [(word, 0.0) for word, _tag in rjieba.tag(text)][:top_k]


textrank = keywords

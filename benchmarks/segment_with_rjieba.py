"""survey.text.analysis with rjieba, which has words and tags only: neither TF-IDF nor TextRank."""

import rjieba

segment = rjieba.cut

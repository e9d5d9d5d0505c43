"""survey.text.analysis as a project has it that uses stock jieba."""

import jieba
import jieba.analyse

segment = jieba.lcut


def keywords(text, top_k=20, allow_pos=()):
    """Return words with their TF-IDF weight."""
    return jieba.analyse.extract_tags(text, topK=top_k, withWeight=True, allowPOS=allow_pos)


def textrank(text, top_k=20, allow_pos=("ns", "n", "vn", "v")):
    """Return words with their TextRank weight."""
    return jieba.analyse.textrank(text, topK=top_k, withWeight=True, allowPOS=allow_pos)

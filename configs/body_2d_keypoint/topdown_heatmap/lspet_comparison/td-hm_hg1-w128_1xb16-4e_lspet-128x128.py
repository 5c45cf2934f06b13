# One stack of half the paper's width: 0.33 G multiply-adds.
_base_ = ['../../../_base_/lsp_study.py']

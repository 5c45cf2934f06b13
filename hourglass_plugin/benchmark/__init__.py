"""Speed and memory, ours and others', side by side in one run.

``timing`` takes turns and times, ``machine`` says on what, ``contenders``
builds what is compared, ``report`` writes it down; the other files are the
subjects of ``tools/benchmark.py``.
"""

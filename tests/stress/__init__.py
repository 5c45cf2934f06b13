"""What ``tools/check_resume.py`` and its like measure: promises of training.

Each trains :mod:`~stress.small_training` under stress and
says whether what the documentation promises held.
"""

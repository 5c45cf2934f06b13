"""Annotation files to people in 0-based pixels.

Each module knows one kind of file and its conventions; what it returns counts
pixels from 0, the centre of the top-left pixel being (0, 0).
"""

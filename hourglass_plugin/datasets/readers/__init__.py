"""Readers of annotation files, one module per format.

All of them return people in 0-based pixels, with the centre of the top-left
pixel at (0, 0), whatever the file's convention is.
"""

"""Submission, prediction and ground-truth files."""

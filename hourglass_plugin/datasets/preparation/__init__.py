"""From what one downloads to folders that training can start with.

Each data set has a function that finds the annotation files, reads them with
the readers of :mod:`~hourglass_plugin.datasets.annotation_files`, and says
which people and images there should be; :func:`.data_set.prepare` does what
they have in common.
"""
from .contents import Task
from .flic import prepare_flic
from .lsp import prepare_lsp
from .mpii import prepare_mpii

__all__ = ['Task', 'prepare_flic', 'prepare_lsp', 'prepare_mpii']

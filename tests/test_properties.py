"""A few inputs for each property, always the same ones.

``PROPERTY_EXAMPLES=7000 python -m pytest tests/test_properties.py`` tries that
many random ones of each.
"""
import os
import warnings

import pytest

hypothesis = pytest.importorskip('hypothesis')
pytest.importorskip('h5py')

from mmengine.registry import init_default_scope  # noqa: E402
from properties import PROPERTIES  # noqa: E402

#: Files are of many kinds.
FEW = dict(damaged_files_are_read_or_refused=120)
EXAMPLES = int(os.environ.get('PROPERTY_EXAMPLES', 0))


@pytest.mark.parametrize('name', PROPERTIES)
def test_property(name):
    init_default_scope('mmpose')
    strategies, function = PROPERTIES[name]
    settings = hypothesis.settings(
        max_examples=EXAMPLES or FEW.get(name, 40),
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # overflows, as numbers are any
        settings(hypothesis.given(**strategies)(function))()

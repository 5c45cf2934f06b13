"""A few inputs for each property, always the same ones; see fuzz.py."""
import warnings

import pytest

hypothesis = pytest.importorskip('hypothesis')
pytest.importorskip('h5py')

from mmengine.registry import init_default_scope  # noqa: E402
from properties import PROPERTIES  # noqa: E402

_EXAMPLES = 40
_FEWER = dict(damaged_matlab_files_are_read_or_refused=10)  # a second each


@pytest.mark.parametrize('name', PROPERTIES)
def test_property(name, checked_matlab_files):
    init_default_scope('mmpose')
    strategies, function = PROPERTIES[name]
    settings = hypothesis.settings(
        max_examples=_FEWER.get(name, _EXAMPLES),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # overflows, as numbers are any
        settings(hypothesis.given(**strategies)(function))()

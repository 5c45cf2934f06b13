"""A start in half the time, for a process that predicts and does no more.

``import hourglass_plugin`` imports all of MMPose, MMDetection, matplotlib,
SciPy and torch's sharding, which takes twice as long as torch itself. With the
environment variable ``HOURGLASS_PLUGIN_ONLY=prediction`` a process leaves out
what prediction with our network does not use: the packages of ``_SHELLS`` do
not import their parts by themselves, and of the modules in ``_LEFT_OUT`` there
is nothing but names. What does predict is the libraries' own code, the same as
ever.

Only ``tools/predict.py`` sets it, and only for the weights that come with the
package, whose config is known to need no more. Anything that was left out
raises ImportError when it is called, or its registry does not know it. May go
when mmengine and MMPose import their parts when they are asked for.
"""
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_VARIABLE, _VALUE = 'HOURGLASS_PLUGIN_ONLY', 'prediction'

# Of MMPose: their modules can be imported one by one.
_SHELLS = ('models', 'models.heads', 'models.pose_estimators', 'datasets',
           'datasets.datasets', 'datasets.transforms', 'apis')

#: What the package needs of them.
PARTS = ('codecs', 'models.data_preprocessors', 'models.heads.base_head',
         'models.losses', 'models.pose_estimators.topdown',
         'datasets.datasets.base', 'datasets.transforms.common_transforms',
         'datasets.transforms.formatting', 'apis.inference')

_LEFT_OUT = (
    'mmengine.model.wrappers.fully_sharded_distributed',
    'mmengine.runner._flexible_runner',
    'munkres',
    'scipy.io',
    'scipy.io.matlab',
    'scipy.spatial',
    'scipy.stats',
)


def are_asked_for() -> bool:
    """Whether this process only predicts."""
    return os.environ.get(_VARIABLE) == _VALUE


def leave_out() -> None:
    """Put shells and names in place, before mmengine is imported."""
    spec = importlib.util.find_spec('mmpose')
    folder = os.path.dirname(spec.origin or '') if spec else ''
    for package in _SHELLS:
        _stand_in(f'mmpose.{package}',
                  __path__=[os.path.join(folder, *package.split('.'))])
    for name in _LEFT_OUT:
        _stand_in(name, __getattr__=_left_out)
    # mmengine asks for it and goes on without.
    sys.modules.setdefault('torch.distributed.optim', None)  # type: ignore


def _stand_in(name: str, **contents: Any) -> None:
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None, is_package='__path__' in contents)
    vars(module).update(contents)
    sys.modules.setdefault(name, module)


def _left_out(name: str) -> type:
    """A class of this name that cannot be used."""
    if name.startswith('__'):
        raise AttributeError(name)

    def unavailable(self: Any, *args: Any, **kwargs: Any) -> None:
        raise ImportError(f'{name} is left out by {_VARIABLE}={_VALUE}')

    return type(name, (Exception, ), dict(__init__=unavailable))

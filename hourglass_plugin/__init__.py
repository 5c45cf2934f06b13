"""The stacked hourglass of Newell et al. (ECCV 2016) for OpenMMLab.

Importing the package registers its parts; in a config,
``custom_imports = dict(imports=['hourglass_plugin'])`` does it.

The network goes into mmengine's root registry, where every OpenMMLab library
finds it, and needs torch and mmengine only. Everything else belongs to MMPose
and is registered where MMPose is installed.
"""
from . import compat

__version__ = '0.1.0'

compat.quiet_other_libraries()
compat.read_checkpoints_safely()

from . import engine, models  # noqa: E402, F401
from .installed_files import config_path  # noqa: E402, F401

if compat.is_mmpose_installed():
    compat.import_mmpose()

    from . import codecs  # noqa: F401
    from . import datasets  # noqa: F401
    from . import evaluation  # noqa: F401
    from . import transforms  # noqa: F401
    from .models import data_preprocessor  # noqa: F401
    from .models import heatmap_head, pose_estimator  # noqa: F401
    from .visualization import hook  # noqa: F401

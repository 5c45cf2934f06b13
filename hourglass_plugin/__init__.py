"""The stacked hourglass of Newell et al. (ECCV 2016) for OpenMMLab.

Importing the package registers its parts; in a config,
``custom_imports = dict(imports=['hourglass_plugin'])`` does it.

The network goes into mmengine's root registry, where every OpenMMLab library
finds it, and needs torch and mmengine only. Everything else belongs to MMPose
and is registered where MMPose is installed.
"""
from . import quick_imports

if quick_imports.are_asked_for():
    quick_imports.leave_out()

from . import compat

__version__ = '0.1.0'

compat.quiet_other_libraries()
compat.read_checkpoints_safely()
compat.lay_configs_out_once()

from . import engine, models
from .installed_files import config_path

if compat.is_mmpose_installed():
    compat.import_mmpose()

    from . import codecs, datasets, evaluation, transforms
    from .models import data_preprocessor, heatmap_head, pose_estimator
    from .report import hook
    from .visualization import box_hook, pose_hook, tensorboard

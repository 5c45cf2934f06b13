"""Augmentation that can be repeated."""
import random

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SeedAugmentation(BaseTransform):
    """Seed all random transforms that follow, MMPose's too.

    The first transform of a training pipeline. With ``SeededSampler`` Python's
    and NumPy's random numbers start anew for each sample from (seed, epoch,
    position). Without it, as when a data set is indexed by hand, they are left
    as they are.
    """

    def transform(self, results: dict) -> dict:
        """Needs ``sample_idx``, which mmengine's data sets set."""
        seed = getattr(results['sample_idx'], 'seed', None)
        if seed is not None:
            # Mixes the three numbers, so that neighbours have nothing in
            # common; NumPy's global generator takes 32 bits.
            mixed = int(np.random.SeedSequence(seed).generate_state(1)[0])
            np.random.seed(mixed)
            random.seed(mixed)
        return results

"""All predictions in a pickle file, which appears when it is complete."""
from mmengine.evaluator import DumpResults
from mmengine.fileio import dump
from mmengine.logging import MMLogger
from mmengine.registry import METRICS

from ..atomic_files import atomic_file


@METRICS.register_module()
class PredictionDump(DumpResults):
    """mmengine's ``DumpResults``, which keeps an older file till the end.

    ``tools/test.py --dump`` adds it to a config's metrics. It is in mmengine's
    registry, where MMDetection's configs find it, too. Arguments are those of
    ``DumpResults``.
    """

    default_prefix = 'dump'

    def compute_metrics(self, results: list) -> dict:
        """Write the file, on the first of several processes."""
        with atomic_file(self.out_file_path) as partial:
            dump(results, str(partial))
        MMLogger.get_current_instance().info(
            f'{len(results)} predictions in {self.out_file_path}')
        return {}

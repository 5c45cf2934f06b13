"""For config files: another codec in a pipeline of MMPose."""
from collections.abc import Sequence


def with_codec(pipeline: Sequence[dict], codec: dict) -> list[dict]:
    """Return a pipeline whose ``GenerateTarget`` encodes with ``codec``.

    In a config that inherits one of MMPose's::

        from hourglass_plugin import with_codec

        codec = dict(type='HourglassHeatmap', ...)
        train_pipeline = with_codec(_base_.train_pipeline, codec)
        train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

    The head's ``decoder`` is the same codec.

    Raises:
        ValueError: if the pipeline generates no targets.
    """
    if not any(each.get('type') == 'GenerateTarget' for each in pipeline):
        raise ValueError('the pipeline has no GenerateTarget: give the '
                         'training pipeline of a config')
    return [dict(each, encoder=codec) if each.get('type') == 'GenerateTarget'
            else each for each in pipeline]

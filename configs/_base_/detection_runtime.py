# Runtime of MMDetection's models.
_base_ = ['./default_runtime.py']
custom_imports = dict(imports=[
    'hourglass_plugin', 'hourglass_plugin.compat.safe_checkpoints',
    'hourglass_plugin.detectors'
])
default_scope = 'mmdet'

visualizer = dict(type='DetLocalVisualizer')
# tools/test.py --show-dir switches it on.
default_hooks = dict(
    visualization=dict(_delete_=True, type='DetVisualizationHook'))

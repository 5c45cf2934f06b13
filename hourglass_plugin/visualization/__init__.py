"""Pictures of poses, heatmaps and data sets: arrays in, a new image out.

``hook`` is not imported here: it needs MMPose, the drawing does not.
"""
from .drawing import draw_heatmaps, draw_pose, skeleton_from_metainfo
from .image_files import read_image, save_image
from .sheet import contact_sheet, crop_region

__all__ = [
    'contact_sheet', 'crop_region', 'draw_heatmaps', 'draw_pose', 'read_image',
    'save_image', 'skeleton_from_metainfo'
]

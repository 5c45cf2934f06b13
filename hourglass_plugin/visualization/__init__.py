"""Pictures of poses, boxes, heatmaps and data sets: arrays in, an image out.

The hooks are not imported here: they need mmcv and MMPose, the drawing does
not.
"""
from ..registration import register_with

register_with('mmpose')

from .boxes import draw_boxes
from .drawing import draw_heatmaps, draw_pose, skeleton_from_metainfo
from .image_files import read_image, save_image
from .sheet import contact_sheet, crop_region

__all__ = [
    'contact_sheet', 'crop_region', 'draw_boxes', 'draw_heatmaps', 'draw_pose',
    'read_image', 'save_image', 'skeleton_from_metainfo'
]

"""Images of poses, heatmaps and datasets: arrays in, a new array out.

Drawing needs no MMPose. The hook and TensorBoard's backend are registered with
it, and are not imported here.
"""
from .drawing import draw_heatmaps, draw_pose, skeleton_from_metainfo
from .image_files import read_image, save_image
from .sheet import contact_sheet, crop_region

__all__ = [
    'contact_sheet', 'crop_region', 'draw_heatmaps', 'draw_pose', 'read_image',
    'save_image', 'skeleton_from_metainfo']

"""Keypoints of one person in a photograph: MODEL.onnx, written with --decode.

python run_onnx.py MODEL.onnx PHOTOGRAPH LEFT TOP RIGHT BOTTOM
"""
import json
import sys

import cv2
import numpy as np
import onnxruntime

model, photograph, *sides = sys.argv[1:]
left, top, right, bottom = map(float, sides)
session = onnxruntime.InferenceSession(model)
meta = session.get_modelmeta().custom_metadata_map
width, height = json.loads(meta['input_size'])
# Photograph pixels per crop pixel; the crop is the box, centred and padded.
scale = json.loads(meta['box_padding']) * max((right - left) / width,
                                              (bottom - top) / height)
x, y = (left + right) / 2 - scale * width / 2, (top + bottom
                                                ) / 2 - scale * height / 2
matrix = np.array([[1 / scale, 0, -x / scale], [0, 1 / scale, -y / scale]])
crop = cv2.warpAffine(cv2.imread(photograph), matrix, (width, height))
if meta['channel_order'] == 'RGB':
    crop = crop[:, :, ::-1]
crop = (crop - json.loads(meta['mean'])) / json.loads(meta['std'])
image = crop.transpose(2, 0, 1)[None].astype(np.float32)
keypoints = session.run(['keypoints'], {'image': image})[0][0]
for name, (column, row, score) in zip(json.loads(meta['keypoint_names']),
                                      keypoints):
    print(f'{name:16} {x + scale * column:8.2f} {y + scale * row:8.2f} '
          f'{score:6.3f}')

"""Keypoints of a person in an image, by a file of export_onnx.py --decode.

python run_onnx.py MODEL.onnx IMAGE LEFT TOP RIGHT BOTTOM
"""
import json
import sys

import cv2
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1])
meta = session.get_modelmeta().custom_metadata_map
mean, std = json.loads(meta['mean']), json.loads(meta['std'])
size = np.float32(json.loads(meta['input_size']))  # width, height
box = np.float32(sys.argv[3:7])
center = (box[:2] + box[2:]) / 2
# Pixels of the image per pixel of the crop.
scale = ((box[2:] - box[:2]) * json.loads(meta['box_padding']) / size).max()
corners = np.float32([[0, 0], [-1, 0], [-1, 1]]) * size[0] / 2
matrix = cv2.getAffineTransform(center + scale * corners, size / 2 + corners)
crop = cv2.warpAffine(cv2.imread(sys.argv[2]), matrix, size.astype(int))
crop = crop if meta['channel_order'] == 'BGR' else crop[:, :, ::-1]
image = np.float32((crop - np.float32(mean)) / np.float32(std))
image = image.transpose(2, 0, 1)[None]  # (1, 3, height, width)
keypoints = session.run(['keypoints'], {'image': image})[0][0]
for name, (x, y, score) in zip(json.loads(meta['keypoint_names']), keypoints):
    x, y = center + scale * ([x, y] - size / 2)
    print(f'{name:16} {x:8.2f} {y:8.2f} {score:7.4f}')

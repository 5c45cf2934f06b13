#!/usr/bin/env python
"""export_onnx.py for programs of torch.export; --help describes it."""
import export_onnx

if __name__ == '__main__':
    export_onnx.errors.run_command(export_onnx, suffix='.pt2')

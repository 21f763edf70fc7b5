"""What a run can be written as."""

from enum import StrEnum


class Format(StrEnum):
    """The names that `--format` takes."""

    onnx = "onnx"
    onnx_int8 = "onnx-int8"
    onnx_fp16 = "onnx-fp16"
    torchscript = "torchscript"

"""Checksums of the graphs that come with the package: what has one of these needs no judging before it runs.

A test recomputes them; after a new model was put in `lamella/models`:  sha256sum lamella/models/*/*.onnx
"""

SHIPPED = frozenset(
    (
        "c64c262f61aa180ab8d7c7c64b3395768dcab95856629059f4e2e33f57a09455",  # en-fr/encode.onnx
        "9f93475a7a6e690d5348f9d597b919f7eb534e9926ab078ccc2b947c18be1ba4",  # en-fr/step.onnx
        "b90e522f2b4ed95b9991ee7c68333a81cb21cb2fd2c5ebfddafc9d8ec18ee298",  # fr-en/encode.onnx
        "cab9e52cba979b6d3855faf3850f878f76f13831a367f98f46198e63fd124540",  # fr-en/step.onnx
        "5e6ec58d11b80bac74e40021cb632677ad33e4c62cda218394633b50abc3ae64",  # languages/classify.onnx
    )
)

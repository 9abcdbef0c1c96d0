"""Checksums (sha256) of the files that come with the package and that libraries read: these need no judging before.

A test recomputes them. After a new model was put in `lamella/models`:
    sha256sum lamella/models/*/*.onnx lamella/models/*/vocabulary.model
"""

SHIPPED = frozenset(
    (
        "c64c262f61aa180ab8d7c7c64b3395768dcab95856629059f4e2e33f57a09455",  # en-fr/encode.onnx
        "9f93475a7a6e690d5348f9d597b919f7eb534e9926ab078ccc2b947c18be1ba4",  # en-fr/step.onnx
        "b90e522f2b4ed95b9991ee7c68333a81cb21cb2fd2c5ebfddafc9d8ec18ee298",  # fr-en/encode.onnx
        "cab9e52cba979b6d3855faf3850f878f76f13831a367f98f46198e63fd124540",  # fr-en/step.onnx
        "5e6ec58d11b80bac74e40021cb632677ad33e4c62cda218394633b50abc3ae64",  # languages/classify.onnx
        "802fc1ced5b256c3c3dd32140cd3e06fa552930706ad4c25e6e2096844a80777",  # en-fr/vocabulary.model
        "802fc1ced5b256c3c3dd32140cd3e06fa552930706ad4c25e6e2096844a80777",  # fr-en/vocabulary.model
        "ee359a0f11bd907800b0a86723ecd0262fde01d31ff4ee79ad4b6d12e4390cf3",  # languages/vocabulary.model
    )
)

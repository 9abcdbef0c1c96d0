"""Checksums (sha256) of the files that come with the package and that libraries read: these need no judging before.

A test recomputes them. After a new model was put in `lamella/models`:
    sha256sum lamella/models/*/*.onnx lamella/models/*/vocabulary.model
"""

SHIPPED = frozenset(
    (
        "f143858eb0693caba66cf044e19e95fe7d578aca7853f2d5481d02ca17eef851",  # de+es+fr+zh-en/encode.onnx
        "d67d6b022e687b90cf90354de6995a624c08f36edbecb7ac6faf554b3628d326",  # de+es+fr+zh-en/step.onnx
        "f5b5193de52ab71213a235d94d8eedac16aab5bb03f43884044280e995103e55",  # en-de+es+fr+zh/encode.onnx
        "9f6789427dd47b9d532001c3ee20edf113fc6c2b5a8fe3560c26e823a33fff4b",  # en-de+es+fr+zh/step.onnx
        "1a3eb192b5f87377c3fdb6ffca8434aa3a28a9beb731f84d30a7729660357324",  # encoder/fill.onnx
        "5e6ec58d11b80bac74e40021cb632677ad33e4c62cda218394633b50abc3ae64",  # languages/classify.onnx
        "398f81052c96b70c94c570fdf8550134611cb4bf1c04b2f75f05d703e77dfac8",  # de+es+fr+zh-en/vocabulary.model
        "398f81052c96b70c94c570fdf8550134611cb4bf1c04b2f75f05d703e77dfac8",  # en-de+es+fr+zh/vocabulary.model
        "e5dc5e458cab74e625f0c0a54fb59e6350ed4a051d82615643719a739358d108",  # encoder/vocabulary.model
        "ee359a0f11bd907800b0a86723ecd0262fde01d31ff4ee79ad4b6d12e4390cf3",  # languages/vocabulary.model
    )
)

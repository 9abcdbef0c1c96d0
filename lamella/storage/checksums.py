"""Checksums (sha256) of the files that come with the package and that libraries read: these need no judging before.

A test recomputes them. After a new model was put in `lamella/models`:
    sha256sum lamella/models/*/*.onnx lamella/models/*/vocabulary.model
"""

SHIPPED = frozenset(
    (
        "624290275f95a6926c311188dde876ccf6c6e9c2039ec0976c74c45bdfe701f3",  # de+es+fr+zh-en/encode.onnx
        "cd4ff26f02097c1a06b98bef113171ea4003d9078a4bd45864ef56ba78d901c5",  # de+es+fr+zh-en/step.onnx
        "68c5c0552e5f04a27103124f9859f6f84c94795a5c9fe7497dc6130544b2c722",  # en-de+es+fr+zh/encode.onnx
        "495ec3320bc655dda181ff0fc7e87bdadd3f8c3881e3e31efd2200624d4fe4a6",  # en-de+es+fr+zh/step.onnx
        "17a81e678a4e7ef0c3746961980c6b6de96a347cd0abd14c456082148bd12f9f",  # encoder/fill.onnx
        "5e6ec58d11b80bac74e40021cb632677ad33e4c62cda218394633b50abc3ae64",  # languages/classify.onnx
        "398f81052c96b70c94c570fdf8550134611cb4bf1c04b2f75f05d703e77dfac8",  # de+es+fr+zh-en/vocabulary.model
        "398f81052c96b70c94c570fdf8550134611cb4bf1c04b2f75f05d703e77dfac8",  # en-de+es+fr+zh/vocabulary.model
        "e5dc5e458cab74e625f0c0a54fb59e6350ed4a051d82615643719a739358d108",  # encoder/vocabulary.model
        "ee359a0f11bd907800b0a86723ecd0262fde01d31ff4ee79ad4b6d12e4390cf3",  # languages/vocabulary.model
    )
)

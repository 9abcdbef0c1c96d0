"""Checksums (sha256) of the files that come with the package and that libraries read: these need no judging before.

A test recomputes them. After a new model was put in `lamella/models`:
    sha256sum lamella/models/*/*.onnx lamella/models/*/vocabulary.model
"""

SHIPPED = frozenset(
    (
        "5f5d4d5aa116b374090c0a084771df33869703202c534a61961e4e39177038d5",  # de+es+fr+zh-en/encode.onnx
        "188e02e8c36f70a61cf7adefe887dd5cdb1b9edb576f362b6a45a3083ae09ea2",  # de+es+fr+zh-en/step.onnx
        "30dd1072505745910e9e64812442ccbf1ac2dc8835cefb55c925cf779af8652a",  # en-de+es+fr+zh/encode.onnx
        "328c129870c9a092c0f1ad9b249d56d7adfcc9ad5059bac1ea7da486476d1490",  # en-de+es+fr+zh/step.onnx
        "5e6ec58d11b80bac74e40021cb632677ad33e4c62cda218394633b50abc3ae64",  # languages/classify.onnx
        "398f81052c96b70c94c570fdf8550134611cb4bf1c04b2f75f05d703e77dfac8",  # de+es+fr+zh-en/vocabulary.model
        "398f81052c96b70c94c570fdf8550134611cb4bf1c04b2f75f05d703e77dfac8",  # en-de+es+fr+zh/vocabulary.model
        "ee359a0f11bd907800b0a86723ecd0262fde01d31ff4ee79ad4b6d12e4390cf3",  # languages/vocabulary.model
    )
)

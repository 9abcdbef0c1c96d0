"""Checksums (sha256) of the files that come with the package and that libraries read: these need no judging before.

A test recomputes them. After a new model was put in `lamella/models`:
    sha256sum lamella/models/*/*.onnx lamella/models/*/vocabulary.model
"""

SHIPPED = frozenset(
    (
        "2c50b17e88fbc7373b2dbce2d07cd30675c9079b67e18a77bd2098653aeee5a5",  # de+es+fr+zh-en/encode.onnx
        "c8109930ee7c964ba77b9669afe068a3ff152c967f99a481db7bda8d39f876ad",  # de+es+fr+zh-en/step.onnx
        "3bf61435b0b861aec0c0ce50088a37b12bd803a847f37ccf6d9ae3f220b7441b",  # en-de+es+fr+zh/encode.onnx
        "47cacc42431b8e8367ade4612cc2ca6957930e9c9f363704f7fd48b854aae620",  # en-de+es+fr+zh/step.onnx
        "b7a0ffc59b98c13713ca45b68a192812c77e0c922831a107432e6f86542fbe10",  # encoder/fill.onnx
        "d6090f973c4758c06f5132030b17272add3273f3198c1e3e5ea00dce4fbef18a",  # languages/classify.onnx
        "398f81052c96b70c94c570fdf8550134611cb4bf1c04b2f75f05d703e77dfac8",  # de+es+fr+zh-en/vocabulary.model
        "398f81052c96b70c94c570fdf8550134611cb4bf1c04b2f75f05d703e77dfac8",  # en-de+es+fr+zh/vocabulary.model
        "e5dc5e458cab74e625f0c0a54fb59e6350ed4a051d82615643719a739358d108",  # encoder/vocabulary.model
        "ee359a0f11bd907800b0a86723ecd0262fde01d31ff4ee79ad4b6d12e4390cf3",  # languages/vocabulary.model
    )
)

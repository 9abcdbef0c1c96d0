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
        "6f0ced0c1213a4e551f1c4be1d7a2bdf4c18505aa8e5d37058729653fb9ce42e",  # encoder/fill.onnx
        "d6090f973c4758c06f5132030b17272add3273f3198c1e3e5ea00dce4fbef18a",  # languages/classify.onnx
        "398f81052c96b70c94c570fdf8550134611cb4bf1c04b2f75f05d703e77dfac8",  # de+es+fr+zh-en/vocabulary.model
        "398f81052c96b70c94c570fdf8550134611cb4bf1c04b2f75f05d703e77dfac8",  # en-de+es+fr+zh/vocabulary.model
        "1b6b194f27249bb4ffef2d965fac0e8e9f60bb5aaf08375dd8c803473e55979e",  # encoder/vocabulary.model
        "ee359a0f11bd907800b0a86723ecd0262fde01d31ff4ee79ad4b6d12e4390cf3",  # languages/vocabulary.model
    )
)

"""Checksums (sha256) of the files that come with the package and that libraries read: these need no judging before.

A test recomputes them. After a new model was put in `lamella/models`:
    sha256sum lamella/models/*/*.onnx lamella/models/*/vocabulary.model
"""

SHIPPED = frozenset(
    (
        "98a8e6eccf50192bb74b5ff7246286c9ada0c34437d404964f84f5835b3b35c8",  # de+es+zh-en/encode.onnx
        "fccb7438f6a32491eb9b69ac3b51279584f659defda21470a834d048203a77f7",  # de+es+zh-en/step.onnx
        "7319ea7723968bba70f1eea31533485e0a34b96a55b841b601b6817d67e6d365",  # en-de+es+zh/encode.onnx
        "8aacfb0c2932e8c74b0ed9bdafa930e4bd605e9dbe532d7aa8fb0e09cfb262af",  # en-de+es+zh/step.onnx
        "1594ec3ff04c8e4d19ac3a66abc1754f8577af16bed6d3400dfcf7976c03457b",  # en-fr/encode.onnx
        "0ed9cf942e26e97fc8d100c213289e8fadc983890577b8a392eaefacde213746",  # en-fr/step.onnx
        "24f96d65fe3ec22e3937302ccad65007a75b797cee9e9e8d99bd098f9c2edf3f",  # fr-en/encode.onnx
        "8b8d7e0a01ab7b72cefde7e859cd3b6a87ab840249408fa85019fb213e4af541",  # fr-en/step.onnx
        "5e6ec58d11b80bac74e40021cb632677ad33e4c62cda218394633b50abc3ae64",  # languages/classify.onnx
        "60ec80d2cd2a6cd6d51135e5986f03cf405b390d6abcb2989cf60d7a81fb1cc1",  # de+es+zh-en/vocabulary.model
        "60ec80d2cd2a6cd6d51135e5986f03cf405b390d6abcb2989cf60d7a81fb1cc1",  # en-de+es+zh/vocabulary.model
        "802fc1ced5b256c3c3dd32140cd3e06fa552930706ad4c25e6e2096844a80777",  # en-fr/vocabulary.model
        "802fc1ced5b256c3c3dd32140cd3e06fa552930706ad4c25e6e2096844a80777",  # fr-en/vocabulary.model
        "ee359a0f11bd907800b0a86723ecd0262fde01d31ff4ee79ad4b6d12e4390cf3",  # languages/vocabulary.model
    )
)

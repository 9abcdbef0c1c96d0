"""Checksums (sha256) of the files that come with the package and that libraries read: these need no judging before.

A test recomputes them. After a new model was put in `lamella/models`:
    sha256sum lamella/models/*/*.onnx lamella/models/*/vocabulary.model
"""

SHIPPED = frozenset(
    (
        "ee51fb2610fb3299dfc4222d52ec5e1d3af79e5063d3a7a4c6cbc35a35b47ba6",  # de+es+zh-en/encode.onnx
        "c02f04b4ff11300565e8d53b3f2d5467a5a4b280c215a7cf5f838247230e7be8",  # de+es+zh-en/step.onnx
        "d8eaa18b660cdffb38f27715f135bf3324dfc05219a18b7ff380f04aa7aafecf",  # en-de+es+zh/encode.onnx
        "96fd7aeafb89f5bc0ead7bdfba0425e2e3adbb48edade20e94e70787bed82ff0",  # en-de+es+zh/step.onnx
        "420d1cb851bc24ab50ed687850513f9bc4c875be445e3aa947bfaabfbbeef98c",  # en-fr/encode.onnx
        "d6cd9ff749fb8e9551679cd1390eb177b52cf346e2e6596e864d84a9590d27cd",  # en-fr/step.onnx
        "2b99d8efbe3d0f57f0249723dcede89516d010a519c94765df17044ee34a69a2",  # fr-en/encode.onnx
        "5757dd69d304a3d5ac013720464717fdfbdc5fd0a6c62e8d4a59efc476825831",  # fr-en/step.onnx
        "5e6ec58d11b80bac74e40021cb632677ad33e4c62cda218394633b50abc3ae64",  # languages/classify.onnx
        "60ec80d2cd2a6cd6d51135e5986f03cf405b390d6abcb2989cf60d7a81fb1cc1",  # de+es+zh-en/vocabulary.model
        "60ec80d2cd2a6cd6d51135e5986f03cf405b390d6abcb2989cf60d7a81fb1cc1",  # en-de+es+zh/vocabulary.model
        "802fc1ced5b256c3c3dd32140cd3e06fa552930706ad4c25e6e2096844a80777",  # en-fr/vocabulary.model
        "802fc1ced5b256c3c3dd32140cd3e06fa552930706ad4c25e6e2096844a80777",  # fr-en/vocabulary.model
        "ee359a0f11bd907800b0a86723ecd0262fde01d31ff4ee79ad4b6d12e4390cf3",  # languages/vocabulary.model
    )
)

"""Bytes on disk, which every room may use: files, protobuf messages, safetensors, checksums."""

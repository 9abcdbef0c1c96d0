"""Train, understand and ship small neural networks on the machine you have."""

"""pythae's VQ-VAE (Chadebec et al., 2022) with its PixelCNN over the codes: what `bench.image_generation` compares with.

    python bench/image_generation_peer.py learn.npy drawn.npy MINUTES COUNT     in an environment with pythae

Its own nets for MNIST and its own settings. Half of the minutes train the autoencoder, half the sampler; how many epochs
fit is measured by the first one of each.
"""

import sys
import tempfile
import time

import numpy as np
from pythae.models import VQVAE, VQVAEConfig
from pythae.models.nn.benchmarks.mnist import Decoder_ResNet_VQVAE_MNIST, Encoder_ResNet_VQVAE_MNIST
from pythae.pipelines import TrainingPipeline
from pythae.samplers import PixelCNNSampler, PixelCNNSamplerConfig
from pythae.trainers import BaseTrainerConfig


def settings(place: str, epochs: int) -> BaseTrainerConfig:
    return BaseTrainerConfig(
        output_dir=place, num_epochs=epochs, learning_rate=1e-3, per_device_train_batch_size=64, no_cuda=True
    )


def main(learn: str, out: str, minutes: float, count: int) -> None:
    pictures = (np.load(learn)[:, None] / 255).astype(np.float32)
    few = pictures[:500]  # what it watches itself by
    config = VQVAEConfig(input_dim=(1, 28, 28), latent_dim=16, num_embeddings=128, use_ema=True, decay=0.99)
    model = VQVAE(config, encoder=Encoder_ResNet_VQVAE_MNIST(config), decoder=Decoder_ResNet_VQVAE_MNIST(config))
    with tempfile.TemporaryDirectory() as place:
        half = 30 * minutes
        start = time.perf_counter()
        TrainingPipeline(model=model, training_config=settings(place, 1))(pictures, few)
        epochs = max(1, int((half / (time.perf_counter() - start)) - 1))
        TrainingPipeline(model=model, training_config=settings(place, epochs))(pictures, few)
        sampler = PixelCNNSampler(model=model, sampler_config=PixelCNNSamplerConfig())
        start = time.perf_counter()
        sampler.fit(pictures, few, training_config=settings(place, 1))
        epochs = max(1, int(half / (time.perf_counter() - start)))
        sampler.fit(pictures, few, training_config=settings(place, epochs))
        drawn = sampler.sample(num_samples=count, batch_size=100, return_gen=True, save_sampler_config=False)
    values = drawn.detach().cpu().numpy().reshape(-1, 28, 28)
    np.save(out, np.rint(255 * values.clip(0, 1)).astype(np.uint8))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))

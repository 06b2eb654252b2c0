"""Layers the zoo shares."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="classpulse")
class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras ships no types
    """Batch normalisation in one kernel, over (N, H, W, C) in float32 or bfloat16.

    Keras 3 spells the operation out element by element, which on a CPU costs a fifth of the training step
    and casts bfloat16 to float32; TensorFlow's kernel does neither. With another backend it is the plain layer.
    Variables and saved weights are those of `keras.layers.BatchNormalization`.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise by batch statistics when training, by moving statistics otherwise."""
        if keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        learning = bool(training) and self.trainable
        empty = tf.zeros([0], tf.float32)
        output, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma.value),
            offset=tf.convert_to_tensor(self.beta.value),
            mean=empty if learning else tf.convert_to_tensor(self.moving_mean.value),
            variance=empty if learning else tf.convert_to_tensor(self.moving_variance.value),
            epsilon=self.epsilon,
            exponential_avg_factor=1.0,
            is_training=learning,
        )
        if learning:
            keep = self.momentum
            self.moving_mean.assign(self.moving_mean * keep + mean * (1 - keep))
            self.moving_variance.assign(self.moving_variance * keep + variance * (1 - keep))
        return output


def conv_norm(x: Any, filters: int, kernel: int = 3, strides: int = 1, activation: bool = True) -> Any:
    """Convolution without bias, batch normalisation and, unless told otherwise, ReLU."""
    x = keras.layers.Conv2D(
        filters, kernel, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    x = FusedBatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return keras.layers.ReLU()(x) if activation else x

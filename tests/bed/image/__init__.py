"""The controller's image, built from the Dockerfile at the top by buildah, without Docker and without a registry.

Its two public bases are stood in for by look-alikes made of Debian's packages. What the image must be like is for tests to say.
"""

from bed.image.build import Image, build, ensure

__all__ = ["Image", "build", "ensure"]

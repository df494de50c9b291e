"""The packages that identity alone needs: the image of the other contexts is made without them."""

from importlib import import_module
from importlib.util import find_spec
from typing import Final

from unora_sdk.environment import ConfigError

OWN_PACKAGES: Final = ("boto3", "cv2", "phonenumbers", "pi_heif", "PIL")
"""The modules of the extra `identity` in pyproject.toml. They are imported where they are used, so that commands which
need only the declaration or the schema of identity run in both images.
"""


def require_own_packages() -> None:
    """Raises ConfigError, with what to do, if one is missing. Loads phonenumbers, for which a sign-in would wait."""
    missing = [name for name in OWN_PACKAGES if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"identity cannot run without {', '.join(missing)}: take the image for identity, which `make image` builds "
            "beside the image of the other contexts (docs/image.md)"
        )
    import_module("phonenumbers")

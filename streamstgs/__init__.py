"""StreamSTGS: play, stream, train and encode dynamic Gaussian scenes.

In a wheel all folders of the project lie in this package. In a checkout they lie beside it, and
the line below lets `streamstgs.codec` be found there.
"""

from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[1]
if (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "codec").is_dir():
    __path__.append(str(_CHECKOUT))

"""Some places of the list (PR-11), by the ids that GeoNames gives them."""

from typing import Final

LONDON: Final = "2643743"
LEEDS: Final = "2644688"
PARIS: Final = "2988507"
LISBON: Final = "2267057"
PORTO: Final = "2735943"
BERLIN: Final = "2950159"
MUNICH: Final = "2867714"
FRANKFURT_MAIN: Final = "2925533"
FRANKFURT_ODER: Final = "2925535"
"""Another city of the name, in the same country."""

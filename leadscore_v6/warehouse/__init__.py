"""Where the tables live: one small protocol, two engines, one renderer and translator of the shared SQL."""

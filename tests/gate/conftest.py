from __future__ import annotations

import pytest
from tests.gate.world import World


@pytest.fixture
def make(tmp_path, a_home_of_its_own):
    """Make a world; its ``repo`` has the given charter and mode."""
    made = []

    def build(charter="coder", mode="enforce", **kwargs):
        repositories = {str(tmp_path / "repo"): (charter, mode)} if charter else {}
        made.append(World(tmp_path, a_home_of_its_own, repositories=repositories, **kwargs))
        return made[-1]

    yield build
    for world in made:
        world.close()


@pytest.fixture
def world(make):
    return make()

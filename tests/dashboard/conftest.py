import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).parent))

from storage.database import open_database
from storage.migrate import migrate


@pytest.fixture(scope="session")
def lesson_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database with one finished lesson of 30 minutes and 27 seats; read only."""
    from seed import seed

    made = open_database(f"sqlite:///{tmp_path_factory.mktemp('lesson') / 'class.db'}")
    migrate(made)
    seed(made, minutes=30, interval=10).close()
    yield made
    made.dispose()

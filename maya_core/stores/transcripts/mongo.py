"""Transcripts in MongoDB: the production backend.

Needs a server of MongoDB 4.4 or later that writes one document atomically; a standalone server will do, no transaction
is used. What is acknowledged has reached the journal of a majority.
"""

import logging
from typing import Self

from maya_core.errors import StoreUnavailable
from maya_core.stores.transcripts.mongo_conversations import MongoConversations
from maya_core.stores.transcripts.mongo_copies import MongoCopies
from maya_core.stores.transcripts.mongo_database import MongoDatabase
from maya_core.stores.transcripts.mongo_messages import MongoMessages
from maya_core.stores.transcripts.mongo_passages import MongoPassages

log = logging.getLogger(__name__)


class MongoTranscripts(MongoConversations, MongoMessages, MongoPassages, MongoCopies):
    """The `Transcripts` port over one MongoDB database; belongs to the event loop that connected it."""

    @classmethod
    async def connect(cls, url: str, *, database: str = "maya", timeout_s: float = 3.0) -> Self:
        """Connect and make the indexes; a server that is away gets them when it is back.

        Args:
            url: mongodb:// or mongodb+srv://; the database that it names goes before `database`.
            timeout_s: the longest that one call of the port may take.

        Raises ConfigurationError for an address that is none.
        """
        connected = MongoDatabase(url, database=database, timeout_s=timeout_s)
        try:
            await connected.make_indexes()
        except StoreUnavailable as failure:
            log.warning("MongoDB is away at the start; Maya goes on trying: %s", failure)
        except BaseException:
            await connected.close()
            raise
        return cls(connected)

    @property
    def database(self) -> MongoDatabase:
        """The connection, for what else is kept in the same database."""
        return self._database

    async def ping(self) -> None:
        await self._database.ping()

    async def close(self) -> None:
        await self._database.close()

"""Records of calls: kept in a database, and first in a journal that a crash or a database that is down cannot lose."""

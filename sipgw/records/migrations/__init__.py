"""One file a version of the tables, in order. A version that was released is never changed: another one follows."""

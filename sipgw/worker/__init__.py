"""The media workers: the engine on real sockets, the AI's connections, and the processes they run in."""

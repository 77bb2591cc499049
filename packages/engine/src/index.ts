/** All that we say to Docker: typed clients, one event feed, references, re-create. */
export {};

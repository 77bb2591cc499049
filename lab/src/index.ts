/** A real Docker host with a real LAN around it, for tests, the demo and benchmarks. */
export {};

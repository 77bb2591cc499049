/** Brings the lab up before the engine and e2e suites, and down after them. */
export async function setup(): Promise<void> {
  // Filled in with the lab's engine.
}

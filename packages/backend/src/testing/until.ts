const longestWaitMs = 20_000;

/** Lets the event loop turn until something is so. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + longestWaitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

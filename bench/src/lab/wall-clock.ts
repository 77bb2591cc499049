/** Time of day in milliseconds with parts of them: what Docker's own time stamps are compared with. */
export function wallClock(): () => number {
  const offset = bestOffset();
  return () => performance.now() + offset;
}

/** The moment in which the coarse clock ticks tells how far the fine one is from it. */
function bestOffset(): number {
  let best = Number.NEGATIVE_INFINITY;
  const end = performance.now() + 20;
  while (performance.now() < end) best = Math.max(best, Date.now() - performance.now());
  return best;
}

/**
 * Tells a listener about a failure. A listener that fails itself must not break the one who tells it (a scope that is
 * releasing, a mailbox that goes on): its error becomes an uncaught one, which the process reports and ends on.
 */
export function report(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

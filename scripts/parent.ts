/** Calls back when the process that started us is gone: killed, it could not pass a signal on. */
export function onParentGone(gone: () => void): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    gone();
  }, 500);
  watch.unref();
}

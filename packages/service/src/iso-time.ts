/** Times as text: `2026-11-28T09:05:07.042Z`. A page of leases has a thousand of them, and each line of a log one. */
const msOfDay = 86_400_000;
/** Beyond it no date is valid. */
const farthestMs = 100_000_000 * msOfDay;
const mostDays = 4_096;

const days = new Map<number, string>();
const twoDigits = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const threeDigits = Array.from({ length: 1_000 }, (_, n) => String(n).padStart(3, '0'));

/** The same as `new Date(ms).toISOString()`, in a quarter of the time. */
export function isoTime(ms: number): string {
  if (!Number.isInteger(ms) || Math.abs(ms) > farthestMs) return new Date(ms).toISOString();
  const day = Math.floor(ms / msOfDay);
  const rest = ms - day * msOfDay;
  const seconds = Math.floor(rest / 1_000);
  const minutes = Math.floor(seconds / 60);
  return `${dayText(day)}${twoDigits[Math.floor(minutes / 60)]}:${twoDigits[minutes % 60]}:${twoDigits[seconds % 60]}.${threeDigits[rest % 1_000]}Z`;
}

function dayText(day: number): string {
  const known = days.get(day);
  if (known !== undefined) return known;
  // Nobody has leases of so many days; whoever asks for more begins anew.
  if (days.size >= mostDays) days.clear();
  const text = new Date(day * msOfDay).toISOString().slice(0, -'HH:MM:SS.mmmZ'.length);
  days.set(day, text);
  return text;
}

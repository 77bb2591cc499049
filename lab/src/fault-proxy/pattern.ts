// "POST /containers/*/start": a method (or *) and a path without its version; * is one part of it, ** any number.
export type RequestPattern = string;

/** Docker's paths without the version before them. */
export const withoutVersion = (path: string): string => path.replace(/^\/v\d+\.\d+(?=\/)/, '');

export function matcherOf(pattern: RequestPattern): (method: string, path: string) => boolean {
  const match = /^(\*|[A-Z]+) (\/\S*)$/.exec(pattern);
  if (match === null)
    throw new Error(`"${pattern}" is not a method and a path, as in "POST /containers/*/start"`);
  const [, method, path = ''] = match;
  const literal = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  const parts = path
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]+' : literal(part)));
  const expression = new RegExp(`^${parts.join('')}$`);
  return (asked, url) => (method === '*' || method === asked) && expression.test(withoutVersion(url));
}

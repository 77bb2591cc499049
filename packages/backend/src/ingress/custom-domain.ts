/** Why a tenant's domain cannot be served, or undefined if it can. It ends up in a rule of the proxy: no room for doubt. */
export function customDomainProblem(domain: string, wildcardDomain: string): string | undefined {
  if (domain.length < 1 || domain.length > 253) return 'it must have 1 to 253 characters';
  if (domain !== domain.toLowerCase()) return 'it must be lower case';
  const labels = domain.split('.');
  if (labels.length < 2) return 'it must have at least two labels';
  const wrong = labels.find((one) => !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(one));
  if (wrong !== undefined)
    return `the label ${JSON.stringify(wrong)} is not 1 to 63 letters, digits and hyphens`;
  if (/^\d+$/.test(labels.at(-1) ?? '')) return 'the last label must not be all digits';
  const wildcard = wildcardDomain.toLowerCase();
  if (domain === wildcard || domain.endsWith(`.${wildcard}`))
    return "it belongs to the provider's own domain";
  return undefined;
}

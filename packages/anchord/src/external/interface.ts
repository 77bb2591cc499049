/** Which of our interfaces is the external one. Docker numbers them anew with each container, so only the MAC tells. */
import { type Mac, parseMac } from '@berth/kernel/ip';

export interface ExternalLink {
  readonly index: number;
  readonly name: string;
  readonly mac: Mac | undefined;
}

export type InterfaceChoice =
  | {
      readonly kind: 'found';
      readonly link: ExternalLink;
      /** How many interfaces have that MAC; more than one is odd. */
      readonly hits: number;
    }
  | { readonly kind: 'not-found'; readonly reason: string };

/** `recordedMac` is what Docker says about our attachment to the network; undefined when there is no attachment. */
export function chooseExternalInterface(
  links: readonly ExternalLink[],
  recordedMac: string | undefined,
): InterfaceChoice {
  if (recordedMac === undefined) return notFound("network not found in container's NetworkSettings");
  if (recordedMac.trim() === '') {
    return notFound("network not found in container's NetworkSettings (no MAC yet)");
  }
  const mac = canonicalMac(recordedMac);
  if (mac === undefined) return notFound(`MAC from docker can not be parsed: ${JSON.stringify(recordedMac)}`);
  const hits = links.filter((link) => link.mac === mac);
  const [link] = [...hits].sort((a, b) => a.index - b.index);
  if (link === undefined) return notFound('MAC from docker not present on any local interface');
  return { kind: 'found', link, hits: hits.length };
}

const notFound = (reason: string): InterfaceChoice => ({ kind: 'not-found', reason });

function canonicalMac(text: string): Mac | undefined {
  try {
    return parseMac(text.trim().replaceAll('-', ':'));
  } catch {
    return undefined;
  }
}

/** How long to wait after each failed try; the wait that passes the deadline is the last one. */
export const interfaceRetry = { firstMs: 100, factor: 2, mostMs: 2_000, deadlineMs: 10_000 } as const;

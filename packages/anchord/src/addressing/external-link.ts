import type { Mac as WireMac } from '@berth/dhcp';
import type { Mac } from '@berth/kernel/ip';

/** The interface that is to have an address. */
export interface ExternalLink {
  readonly index: number;
  readonly name: string;
  readonly mac: Mac;
}

/** The MAC as the codecs know it: they know nothing of the kernel, and so have a type of their own for the same text. */
export const wireMac = ({ mac }: ExternalLink): WireMac => mac as string as WireMac;

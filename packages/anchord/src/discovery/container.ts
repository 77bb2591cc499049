/** What discovery needs to know of a container, as plain values: no Docker client in sight. */
import type { Ipv4, Ipv6 } from '@berth/kernel/ip';

/** Where a container stands on one Docker network. */
export interface Attachment {
  readonly ipv4: Ipv4 | undefined;
  readonly ipv6: Ipv6 | undefined;
}

export interface ObservedContainer {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly running: boolean;
  /** As in the host configuration: `bridge`, `container:<ref>`, a network's name. */
  readonly networkMode: string;
  /** By network name. */
  readonly attachments: Readonly<Record<string, Attachment>>;
}

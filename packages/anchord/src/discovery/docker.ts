/** From what Docker answers to the plain values of discovery. */
import type { ContainerDetails, ContainerSummary, Attachment as DockerAttachment } from '@berth/engine';
import { isIpv4, isIpv6, parseIpOrNothing } from '@berth/kernel/ip';
import type { Attachment, ObservedContainer } from './container.ts';

/** A container that waits for its next start has neither process nor addresses. */
const running = new Set(['running', 'paused']);

export const fromSummary = (summary: ContainerSummary): ObservedContainer => ({
  id: summary.id,
  name: summary.names[0] ?? summary.id.slice(0, 12),
  labels: summary.labels,
  createdAtMs: summary.createdAt * 1_000,
  running: running.has(summary.status),
  networkMode: summary.networkMode,
  attachments: attachmentsOf(summary.attachments),
});

/** Rounded to seconds like the list's own time: which of two containers is older must not depend on where we looked. */
export const fromDetails = (details: ContainerDetails): ObservedContainer => ({
  id: details.id,
  name: details.name,
  labels: details.labels,
  createdAtMs: Math.floor(Date.parse(details.createdAt) / 1_000) * 1_000,
  running: running.has(details.state.status),
  networkMode: details.networkMode,
  attachments: attachmentsOf(details.attachments),
});

const attachmentsOf = (
  attachments: Readonly<Record<string, DockerAttachment>>,
): Readonly<Record<string, Attachment>> =>
  Object.fromEntries(
    Object.entries(attachments).map(([name, attachment]) => [name, addressesOf(attachment)]),
  );

function addressesOf({ ipv4, ipv6 }: Pick<DockerAttachment, 'ipv4' | 'ipv6'>): Attachment {
  const four = ipv4 === undefined ? undefined : parseIpOrNothing(ipv4);
  const six = ipv6 === undefined ? undefined : parseIpOrNothing(ipv6);
  return {
    ipv4: four !== undefined && isIpv4(four) ? four : undefined,
    ipv6: six !== undefined && isIpv6(six) ? six : undefined,
  };
}

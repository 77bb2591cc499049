/** The process beside us, and what it has found out by itself. */
import type { ProblemCode } from '../../problems.ts';
import { fine, found, type Outcome, skipped, unknown } from '../outcome.ts';
import type { Role, Site } from '../site.ts';

export function answers({ parts }: Site): Outcome {
  const { role, status } = parts;
  if (role === 'outside') return skipped('no anchor runs in this container');
  if (typeof status === 'string') return found([{ subject: '', detail: status }]);
  const { mode, pid, startedAt, ready, gates } = status;
  const waits = Object.entries(gates).flatMap(([gate, met]) => (met ? [] : [gate]));
  const state = ready ? 'ready' : `not ready, waits for ${waits.join(', ')}`;
  return fine(`${mode}, process ${pid}, since ${startedAt}, ${state}`);
}

/** For what only the anchor itself can know. `why` says where it does not apply. */
export const asTold =
  (code: ProblemCode, why: (site: Site) => string | undefined = () => undefined) =>
  (site: Site): Outcome => {
    const { role, status } = site.parts;
    if (role === 'outside') return skipped('no anchor runs in this container');
    const reason = why(site);
    if (reason !== undefined) return skipped(reason);
    if (typeof status === 'string') return unknown('the anchor does not answer');
    const open = status.problems.filter((problem) => problem.code === code);
    return found(open.map(({ subject, detail }) => ({ subject, detail })));
  };

export const onlyFor =
  (...wanted: readonly Role[]) =>
  ({ parts: { role } }: Site): string | undefined =>
    wanted.includes(role) ? undefined : `a ${role} does not do that`;

/** Why no DHCP client runs. */
export function withoutDhcp(site: Site): string | undefined {
  const other = onlyFor('network-anchor')(site);
  if (other !== undefined) return other;
  const { external, addressMode } = site.anchor();
  return external.kind === 'macvlan' || addressMode === 'dhcp-refresh' ? undefined : 'no DHCP client runs';
}

export function withoutName(site: Site): string | undefined {
  const other = onlyFor('service-anchor')(site);
  return other ?? (site.serviceAnchor().gateway.kind === 'name' ? undefined : 'ANCHORD_GATEWAY_IP is set');
}

/** Carries out the checks, one after another, and keeps what each comes to. */
import { engineErrors } from '@berth/engine';
import { errorText } from '@berth/service/log';
import { problemTable } from '../problems.ts';
import { listeners, pathVerdict } from './checks/backends.ts';
import { namespaces, networkIds } from './checks/containers.ts';
import { portConflicts, tables, unserved } from './checks/dataplane.ts';
import { clocksAgree, dockerAnswers, eventStream, rights } from './checks/docker.ts';
import { externalAddress, externalInterface, externalNetwork } from './checks/external.ts';
import { halfDone } from './checks/half-done.ts';
import { forwarding } from './checks/kernel.ts';
import { answers, asTold, onlyFor, withoutDhcp, withoutName } from './checks/process.ts';
import { defaultRoutesLead, gatewayIsThere } from './checks/routes.ts';
import { type Outcome, type Report, unknown } from './outcome.ts';
import type { Site } from './site.ts';
import { type CheckCode, checkCodes } from './table.ts';

type Check = (site: Site) => Outcome | Promise<Outcome>;

/** What only the anchor itself can know has no check of its own: then the anchor is asked. */
const checks: Readonly<Partial<Record<CheckCode, Check>>> = {
  'docker-unreachable': dockerAnswers,
  'docker-permission': rights,
  'event-stream': eventStream,
  clock: clocksAgree,
  'process-silent': answers,
  'external-network': externalNetwork,
  'external-interface': externalInterface,
  'no-external-address': externalAddress,
  'no-lease': asTold('no-lease', withoutDhcp),
  'gateway-unknown': asTold('gateway-unknown', onlyFor('network-anchor')),
  'gateway-unresolved': asTold('gateway-unresolved', withoutName),
  'gateway-silent': gatewayIsThere,
  'default-route': defaultRoutesLead,
  'forwarding-off': forwarding,
  'tables-differ': tables,
  'kernel-refuses': asTold('kernel-refuses', onlyFor('network-anchor')),
  'follower-detached': asTold('follower-detached', onlyFor('external-rebinder')),
  'repairs-held-back': asTold(
    'repairs-held-back',
    onlyFor('network-anchor', 'external-rebinder', 'wrap-rebinder'),
  ),
  'port-conflict': portConflicts,
  'invalid-labels': unserved('invalid-labels'),
  'contradictory-labels': unserved('contradictory-labels'),
  'no-address': unserved('no-address'),
  'bridge-netfilter': pathVerdict('bridge-netfilter'),
  'no-return-route': pathVerdict('no-return-route'),
  'nobody-listens': listeners,
  'half-done-repair': halfDone,
  'dead-namespace': namespaces,
  'stale-network': networkIds,
};

function checkOf(code: CheckCode): Check {
  const own = checks[code];
  if (own !== undefined) return own;
  return Object.hasOwn(problemTable, code)
    ? asTold(code as keyof typeof problemTable)
    : () => unknown('this build cannot look at it');
}

export async function examine(
  site: Site,
  only: readonly CheckCode[] = checkCodes,
): Promise<readonly Report[]> {
  const reports: Report[] = [];
  let dockerGone = false;
  for (const code of checkCodes.filter((one) => only.includes(one))) {
    const outcome = await carryOut(checkOf(code), site, dockerGone);
    if (code === 'docker-unreachable') dockerGone = outcome.kind === 'problems' || outcome.kind === 'unknown';
    reports.push({ code, outcome });
  }
  return reports;
}

async function carryOut(check: Check, site: Site, dockerGone: boolean): Promise<Outcome> {
  try {
    return await check(site);
  } catch (error) {
    // Said once, by the check that is about it.
    if (dockerGone && engineErrors.is(error)) return unknown('Docker does not answer');
    return unknown(errorText(error));
  }
}

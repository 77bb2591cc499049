/** Docker: does it answer, what does it let us do, does it tell what happens. */
import { engineErrors } from '@berth/engine';
import { errorText } from '@berth/service/log';
import {
  type Feature,
  featureRow,
  type PermissionName,
  permissionDetail,
  permissionNames,
  permissions,
  probePermission,
} from '../../permissions/index.ts';
import { fine, found, type Outcome, skipped, unknown } from '../outcome.ts';
import type { Site, SiteParts } from '../site.ts';

const noDocker = skipped('a service-anchor does not talk to Docker');
const patienceMs = 5_000;
/** An answer tells the time to the second, and may take a moment. */
const tolerableSkewMs = 3_000;

/** For somebody from outside an engine that does not answer means that nothing could be checked. */
export async function dockerAnswers({ parts, usesDocker }: Site): Promise<Outcome> {
  if (!usesDocker) return noDocker;
  const { engine, signal, role } = parts;
  try {
    await engine.system.ping({ signal, timeoutMs: patienceMs });
  } catch (error) {
    const why = errorText(error);
    if (role !== 'outside') return found([{ subject: engine.address, detail: why }]);
    return unknown(`${why}; mount the socket of the engine into this container, or set DOCKER_HOST`);
  }
  return fine(`${engine.address}${await versionOf(parts)}`);
}

async function versionOf({ engine, signal }: Site['parts']): Promise<string> {
  try {
    const { version, apiVersion } = await engine.system.version({ signal, timeoutMs: patienceMs });
    return `, engine ${version}, API ${apiVersion}`;
  } catch {
    return '';
  }
}

/** The features that this anchor has on, and has to have rights for. */
function featuresInUse(site: Site): readonly Feature[] {
  const { role } = site.parts;
  if (role === 'external-rebinder' || role === 'wrap-rebinder') return [role];
  if (role !== 'network-anchor') return ['doctor'];
  const { external, managed, addressMode, gatewayPin } = site.anchor();
  const pinned = gatewayPin.v4 !== undefined && gatewayPin.v6 !== undefined;
  const asksForGateway = external.kind === 'network' && !pinned && addressMode !== 'dhcp-refresh';
  return [
    'discovery',
    ...(asksForGateway ? (['gateway'] as const) : []),
    ...(managed === undefined ? [] : (['managed'] as const)),
  ];
}

export async function rights(site: Site): Promise<Outcome> {
  if (!site.usesDocker) return noDocker;
  const { engine, signal, clock } = site.parts;
  const granted: PermissionName[] = [];
  const denied: PermissionName[] = [];
  const odd: string[] = [];
  for (const name of permissionNames) {
    const answer = await probePermission(engine, name, { signal, now: clock.now() });
    if (answer === 'granted') granted.push(name);
    else if (answer === 'denied') denied.push(name);
    else if (engineErrors.is(answer.unknown, 'ENGINE_UNREACHABLE')) throw answer.unknown;
    else odd.push(`${permissions[name].request}: ${errorText(answer.unknown)}`);
  }
  const needed = new Set(featuresInUse(site).flatMap((feature) => featureRow(feature).needs));
  // What the anchor was refused when it came to it counts, too, whatever its settings ask for.
  const refused = new Set(
    (site.told()?.problems ?? []).flatMap(({ code, subject }) =>
      code === 'docker-permission' ? [subject] : [],
    ),
  );
  const missing = denied.filter((name) => needed.has(name) || refused.has(name));
  if (missing.length > 0) {
    return found(missing.map((name) => ({ subject: name, detail: permissionDetail(name) })));
  }
  if (odd.length > 0) return unknown(odd.join('; '));
  const may = `may ${granted.map((name) => permissions[name].what).join(', ')}`;
  return fine(denied.length === 0 ? 'may do all that anchord can make use of' : may);
}

export async function eventStream({ parts, usesDocker }: Site): Promise<Outcome> {
  if (!usesDocker) return noDocker;
  try {
    using _stream = await parts.engine.events.open({}, { signal: parts.signal, timeoutMs: patienceMs });
    return fine();
  } catch (error) {
    if (engineErrors.is(error, 'ENGINE_UNREACHABLE')) throw error;
    return found([{ subject: '', detail: errorText(error) }]);
  }
}

export const clocksAgree = async ({ parts, usesDocker }: Site): Promise<Outcome> =>
  usesDocker ? await compareClocks(parts) : noDocker;

export async function compareClocks({
  engine,
  signal,
  clock,
}: Pick<SiteParts, 'engine' | 'signal' | 'clock'>): Promise<Outcome> {
  const before = clock.now();
  const { engineTime } = await engine.system.ping({ signal, timeoutMs: patienceMs });
  const after = clock.now();
  if (engineTime === undefined) return unknown('the engine does not tell its time');
  // The engine cuts the fraction of its second off.
  const skewMs = engineTime > after ? engineTime - after : Math.max(0, before - engineTime - 1_000);
  if (skewMs <= tolerableSkewMs) return fine();
  const which = engineTime > after ? 'ahead of' : 'behind';
  return found([{ subject: '', detail: `the engine is ${Math.round(skewMs / 1_000)} s ${which} us` }]);
}

/** Tries the path to each backend that is new, and to those that were blocked: what `judge.ts` makes of it is reported. */
import type { System } from '@berth/engine';
import { contains, type IpAddress } from '@berth/kernel/ip';
import type { InterfaceAddress, Network } from '@berth/kernel/network';
import type { Clock } from '@berth/service';
import type { Log } from '@berth/service/log';
import type { Backend } from '../discovery/index.ts';
import { type Family, familyOf, type PerFamily } from '../families.ts';
import { pathMessages as messages } from '../messages/index.ts';
import { type ProblemCode, type Problems, problemTable } from '../problems.ts';
import { pause, Wakeup } from '../wakeup.ts';
import { judgePath, type PathVerdict, type ProbeResult } from './judge.ts';

export interface PathCheckerParts {
  readonly network: Pick<Network, 'addresses'>;
  readonly system: Pick<System, 'info'>;
  readonly probe: (target: IpAddress, from: IpAddress, signal: AbortSignal) => Promise<ProbeResult>;
  /** The external interface as it is now. */
  readonly externalLink: () => number | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
}

interface Target {
  readonly container: string;
  readonly address: IpAddress;
}

/** Whether the host filters what its bridges pass on; undefined where nobody tells. */
type Host = (family: Family) => Promise<boolean | undefined>;

/** A container may need a moment until its service-anchor has set the way back. */
const firstLookAfterMs = 2_000;
/** Paths that are tried side by side. */
const atOnce = 16;
const codes = ['bridge-netfilter', 'no-return-route'] as const satisfies readonly ProblemCode[];

export class PathChecker {
  readonly #parts: PathCheckerParts;
  readonly #retryMs: number;
  readonly #wakeup = new Wakeup();
  #backends: readonly Backend[] = [];
  /** By address; what is open stays so until the backend changes. */
  #verdicts: ReadonlyMap<IpAddress, PathVerdict> = new Map();

  constructor(parts: PathCheckerParts, retryMs: number) {
    this.#parts = parts;
    this.#retryMs = retryMs;
  }

  /** Costs the caller nothing: he has rules to write. */
  check(backends: readonly Backend[]): void {
    this.#backends = backends;
    this.#wakeup.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    let retryAtMs = Number.POSITIVE_INFINITY;
    while (!signal.aborted) {
      const told = await this.#wakeup.waitUpTo(clock, retryAtMs - clock.monotonic(), signal);
      this.#forgetOthers();
      if (told && !this.#anyNew()) continue;
      await pause(clock, firstLookAfterMs, signal);
      // Whoever is blocked is tried again in his time, and not each time that somebody comes.
      const retries = clock.monotonic() >= retryAtMs;
      if (!signal.aborted) await this.#look(retries ? isNotOpen : isNew, signal);
      const anyBlocked = [...this.#verdicts.values()].some(isNotOpen);
      if (!anyBlocked) retryAtMs = Number.POSITIVE_INFINITY;
      else if (retries || retryAtMs === Number.POSITIVE_INFINITY)
        retryAtMs = clock.monotonic() + this.#retryMs;
    }
  }

  #anyNew(): boolean {
    return targetsOf(this.#backends).some(({ address }) => !this.#verdicts.has(address));
  }

  async #look(isDue: (verdict: PathVerdict | undefined) => boolean, signal: AbortSignal): Promise<void> {
    this.#forgetOthers();
    const targets = targetsOf(this.#backends).filter(({ address }) => isDue(this.#verdicts.get(address)));
    const next = targets.values();
    const host = this.#host(signal);
    // One that answers nobody takes seconds, and must not keep the others waiting.
    await Promise.all(Array.from({ length: atOnce }, () => this.#lookAtEach(next, host, signal)));
  }

  async #lookAtEach(targets: Iterable<Target>, host: Host, signal: AbortSignal): Promise<void> {
    for (const target of targets) {
      const verdict = await this.#judge(target, host, signal);
      if (signal.aborted) return;
      this.#settle(target, verdict);
    }
  }

  async #judge({ address }: Target, host: Host, signal: AbortSignal): Promise<PathVerdict> {
    const { network, probe, externalLink } = this.#parts;
    const family = familyOf(address);
    const ours = network.addresses.list().filter((one) => familyOf(one.address) === family && isUsable(one));
    const outside = ours.find(({ link }) => link === externalLink());
    const inside = ours.find((one) => one.link !== externalLink() && contains(one, address));
    if (outside === undefined || inside === undefined) return 'unknown';
    const fromOutside = await probe(address, outside.address, signal);
    if (fromOutside === 'answered') return 'open';
    const fromInside = await probe(address, inside.address, signal);
    return judgePath({ fromInside, fromOutside }, await host(family));
  }

  /** Asked once a look, if at all: the answer costs the engine more than any other. */
  #host(signal: AbortSignal): Host {
    let asked: Promise<PerFamily<boolean | undefined> | undefined> | undefined;
    return async (family) => {
      asked ??= this.#parts.system.info({ signal }).then(
        ({ filtersBridgedPackets: { ipv4, ipv6 } }) => ({ v4: ipv4, v6: ipv6 }),
        // Many proxies do not let us ask; then the finding has to do without.
        () => undefined,
      );
      return (await asked)?.[family];
    };
  }

  #settle({ container, address }: Target, verdict: PathVerdict): void {
    const { problems, log } = this.#parts;
    this.#verdicts = new Map(this.#verdicts).set(address, verdict);
    const wasBlocked = codes.filter((code) => code !== verdict && problems.clear(code, address)).length > 0;
    if (verdict === 'open' && wasBlocked) log.say(messages.open, { container, address });
    if (verdict !== 'bridge-netfilter' && verdict !== 'no-return-route') return;
    const { remedy } = problemTable[verdict];
    if (!problems.set(verdict, address, `${container} at ${address}`)) return;
    const message = verdict === 'bridge-netfilter' ? messages.blocked : messages.noReturnRoute;
    log.say(message, { container, address, remedy });
  }

  #forgetOthers(): void {
    const present = new Set(targetsOf(this.#backends).map(({ address }) => address));
    for (const address of this.#verdicts.keys()) {
      if (!present.has(address)) for (const code of codes) this.#parts.problems.clear(code, address);
    }
    this.#verdicts = new Map([...this.#verdicts].filter(([address]) => present.has(address)));
  }
}

const targetsOf = (backends: readonly Backend[]): readonly Target[] =>
  backends.flatMap(({ name, ipv4, ipv6 }) =>
    [ipv4, ipv6].flatMap((address) => (address === undefined ? [] : [{ container: name, address }])),
  );

const isNew = (verdict: PathVerdict | undefined): boolean => verdict === undefined;
const isNotOpen = (verdict: PathVerdict | undefined): boolean => verdict !== 'open';

const isUsable = ({ scope, tentative, dadFailed }: InterfaceAddress): boolean =>
  scope === 'global' && !tentative && !dadFailed;

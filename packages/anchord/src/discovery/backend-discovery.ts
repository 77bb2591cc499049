/** Turns what is observed into backends, keeps the choice of the shared network, and says what is in the way. */
import type { Log } from '@berth/service/log';
import { discoveryMessages as messages } from '../messages/index.ts';
import type { ProblemCode, Problems } from '../problems.ts';
import type { Backend, DiscoveryProblem } from './backends.ts';
import type { ObservedWorld } from './observed-world.ts';
import { chosenNetwork, type SharedNetworkPicker, settledNetwork, standingOn } from './shared-network.ts';

export interface BackendDiscoveryParts {
  readonly log: Log;
  readonly problems: Problems;
  /** Which containers are ours, for the log. */
  readonly scope: string;
  readonly onBackends: (backends: readonly Backend[]) => void;
}

/** So many looks without a single backend are worth a word. */
const patienceLooks = 5;
const codes = [
  'invalid-labels',
  'contradictory-labels',
  'no-address',
] as const satisfies readonly ProblemCode[];

export class BackendDiscovery {
  readonly #parts: BackendDiscoveryParts;
  #picker: SharedNetworkPicker;
  #emptyLooks = 0;

  constructor(picker: SharedNetworkPicker, parts: BackendDiscoveryParts) {
    this.#picker = picker;
    this.#parts = parts;
  }

  /** The network on which backends are reached, as far as it is known. */
  get sharedNetwork(): string | undefined {
    return chosenNetwork(this.#picker);
  }

  /** The same, as soon as it is certain that it stays. */
  get settledNetwork(): string | undefined {
    return settledNetwork(this.#picker);
  }

  /** No backend has shown yet that it is this one of several. */
  get sharedNetworkIsGuess(): boolean {
    return this.#picker.choice.kind === 'provisional' && this.#picker.candidates.length > 1;
  }

  /** We were attached to networks, or detached. True if backends have to be looked at with other eyes. */
  standOn(ownNetworks: readonly string[], externalNetwork: string | undefined): boolean {
    const picker = standingOn(this.#picker, { ownNetworks, externalNetwork });
    if (picker === this.#picker) return false;
    this.#parts.log.say(messages.ownNetworksChanged, { candidates: picker.candidates });
    this.#pick(picker);
    return true;
  }

  #pick(picker: SharedNetworkPicker): void {
    const before = this.sharedNetwork;
    this.#picker = picker;
    if (before !== undefined && this.sharedNetwork !== before) {
      this.#parts.log.say(messages.repicked, { old: before, new: this.sharedNetwork ?? '' });
    }
  }

  observe(world: ObservedWorld): void {
    const { log, onBackends, scope } = this.#parts;
    const { picker, backends, problems } = world.discover(this.#picker);
    this.#pick(picker);
    this.#report(problems);
    if (backends.length === 0 && this.#emptyLooks < patienceLooks) {
      this.#emptyLooks += 1;
      if (this.#emptyLooks === patienceLooks) {
        log.say(messages.noBackendsYet, { scope, shared_network: this.sharedNetwork ?? '' });
      }
    }
    if (backends.length > 0) this.#emptyLooks = patienceLooks;
    onBackends(backends);
  }

  #report(found: readonly DiscoveryProblem[]): void {
    const { log, problems } = this.#parts;
    const { appeared } = problems.observe(
      codes,
      found.map((problem) => ({ code: problem.kind, subject: problem.container, detail: detailOf(problem) })),
    );
    const news = new Set(appeared.map(({ code, subject }) => `${code} ${subject}`));
    for (const problem of found) {
      if (news.has(`${problem.kind} ${problem.container}`)) say(log, problem);
    }
  }
}

function detailOf(problem: DiscoveryProblem): string {
  switch (problem.kind) {
    case 'invalid-labels':
      return problem.error;
    case 'contradictory-labels':
      return problem.ports.join(', ');
    case 'no-address':
      return problem.sharedNetwork === '' ? '' : `not on ${problem.sharedNetwork}`;
  }
}

function say(log: Log, problem: DiscoveryProblem): void {
  const { container } = problem;
  switch (problem.kind) {
    case 'invalid-labels':
      log.say(messages.invalidLabels, { container, err: problem.error });
      break;
    case 'contradictory-labels':
      log.say(messages.contradictoryLabels, { container, ports: problem.ports });
      break;
    case 'no-address':
      log.say(messages.noAddress, { container, shared_network: problem.sharedNetwork });
      break;
  }
}

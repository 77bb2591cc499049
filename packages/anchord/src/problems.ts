/**
 * The one table of what can be wrong with the data path. `/readyz`, the metric `anchord_problems`, the doctor and the docs
 * read it; a log line of its own tells when a problem comes and goes.
 */

import type { Condition } from '@berth/service/http';

export interface ProblemRow extends Condition {
  readonly severity: 'error' | 'warning';
  /** What follows from it, for the reference and the doctor. */
  readonly meaning: string;
  readonly remedy: string;
}

export const problemTable = {
  'docker-unreachable': {
    title: 'Docker answers',
    severity: 'error',
    meaning: 'Changes of containers are not seen. What was applied last stays in force.',
    remedy:
      'Look whether the engine runs, and whether DOCKER_HOST and the socket proxy let us read containers.',
  },
  'docker-permission': {
    title: 'Docker lets us do what is needed',
    severity: 'warning',
    meaning: 'The feature that the finding names does not work.',
    remedy:
      'Allow the request in the socket proxy; the reference has what each feature needs (anchord-permissions).',
  },
  'kernel-refuses': {
    title: 'The kernel takes the ruleset',
    severity: 'error',
    meaning: 'The ports are led where they were led before.',
    remedy: 'Give the container NET_ADMIN; the log line "reconcile failed" has the words of the kernel.',
  },
  'port-conflict': {
    title: 'Each port is exposed by one container',
    severity: 'error',
    meaning: 'The one that holds the port keeps it, and the others do not get it.',
    remedy: 'Change anchord.expose of all but one, or put a proxy in front of them and expose that.',
  },
  'invalid-labels': {
    title: 'All labels can be read',
    severity: 'warning',
    meaning: 'The container is not served at all.',
    remedy:
      'Write anchord.expose as tcp/25 or udp/53:5353, separated by commas, and anchord.expose.v6 as auto or off.',
  },
  'contradictory-labels': {
    title: 'No label gives one port two targets',
    severity: 'warning',
    meaning: 'The later one counts.',
    remedy: 'Leave one entry for each external port in anchord.expose.',
  },
  'no-address': {
    title: 'All exposed containers have an address that we can reach',
    severity: 'warning',
    meaning: 'The container is not served.',
    remedy:
      'Attach it, and the network-anchor, to one network; or set ANCHORD_SHARED_NETWORK to the one that they share.',
  },
  'bridge-netfilter': {
    title: 'The host lets packets with a foreign source pass on bridges',
    severity: 'error',
    meaning:
      'The host filters bridged packets, and rules of Docker drop those that come from outside of the bridge: no client on the LAN reaches the backend.',
    remedy:
      'On the host: sysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0, or write 0 to nf_call_iptables and nf_call_ip6tables in /sys/class/net/BRIDGE/bridge/.',
  },
  'no-return-route': {
    title: 'All backends have a way back to clients',
    severity: 'warning',
    meaning: 'It answers its neighbours, but its default route does not lead to the network-anchor.',
    remedy: 'Run a service-anchor in its namespace, and look whether that one is ready.',
  },
  'forwarding-off': {
    title: 'Forwarding is switched on',
    severity: 'error',
    meaning: 'The kernel passes no packet on between the LAN and the backends.',
    remedy: 'Give the network-anchor the sysctls net.ipv4.ip_forward=1 and net.ipv6.conf.all.forwarding=1.',
  },
  'no-external-address': {
    title: 'The external interface has an address',
    severity: 'error',
    meaning: 'Nobody on the LAN reaches the project.',
    remedy: 'Look whether the DHCP server answers, or give the container an address on the external network.',
  },
  'no-lease': {
    title: 'DHCP has given an address',
    severity: 'warning',
    meaning: 'The external interface has the address from Docker, or none.',
    remedy:
      'Look whether a DHCP server answers on the LAN, and whether the container may open packet sockets (NET_RAW).',
  },
  'default-route-refused': {
    title: 'The default route is set',
    severity: 'error',
    meaning: 'Answers to clients beyond the LAN, and all that goes out, take the wrong way or none.',
    remedy: 'Look whether the gateway is right and its interface up; the log has the words of the kernel.',
  },
  'gateway-unresolved': {
    title: 'The name of the gateway leads to an address',
    severity: 'warning',
    meaning: 'The default routes stay as they were.',
    remedy:
      'Look whether the network-anchor runs, and whether its name is ANCHORD_GATEWAY_HOSTNAME; else set ANCHORD_GATEWAY_IP.',
  },
  'gateway-unknown': {
    title: 'Docker tells the gateway of the external network',
    severity: 'warning',
    meaning: 'The default route is whatever Docker has chosen, unless DHCP names one.',
    remedy: 'Let the socket proxy allow NETWORKS, or set ANCHORD_EXT_GATEWAY_IP.',
  },
  'dead-namespace': {
    title: 'All containers sit in a network namespace that has an owner',
    severity: 'warning',
    meaning: 'The container has no working network: its owner is gone, or was restarted without it.',
    remedy:
      'Make it anew with the command that stands there. With ANCHORD_AUTOFIX_DEAD_NETNS an anchor does it where it is certain whose namespace it belongs to.',
  },
  'follower-detached': {
    title: 'The follower stands on the network that it follows',
    severity: 'error',
    meaning: 'The follower does not reach the other stack.',
    remedy: 'The log line that begins with "reattach:" has the words of Docker.',
  },
  'repairs-held-back': {
    title: 'What is repaired stays repaired',
    severity: 'warning',
    meaning: 'A container was repaired too often in a short time, and is left alone until that time is over.',
    remedy:
      'Look at the log of the container, and whether another program replaces or restarts it again and again.',
  },
} as const satisfies Readonly<Record<string, ProblemRow>>;

export type ProblemCode = keyof typeof problemTable;

export const problemCodes = Object.keys(problemTable) as readonly ProblemCode[];

/** One problem with one thing: a container, a port, a family. */
export interface Problem {
  readonly code: ProblemCode;
  /** What it is about; with the code it tells problems apart. Empty when there is only one such thing. */
  readonly subject: string;
  readonly detail: string;
}

/** What is wrong at this moment; told to whoever shows it at the first look and whenever it changes. */
export class Problems {
  /** By subject; every look asks for one kind, and there may be one problem for each container. */
  readonly #open = new Map<ProblemCode, Map<string, Problem>>();
  readonly #told = new Set<ProblemCode>();
  readonly #onChange: (code: ProblemCode, open: readonly Problem[]) => void;

  constructor(onChange: (code: ProblemCode, open: readonly Problem[]) => void = () => undefined) {
    this.#onChange = onChange;
  }

  /**
   * All problems of these kinds, as one observation: the ones that are not in it are over. Answers what is new, and what
   * is over.
   */
  observe(
    codes: readonly ProblemCode[],
    now: readonly Problem[],
  ): { readonly appeared: readonly Problem[]; readonly solved: readonly Problem[] } {
    const present = Map.groupBy(now, ({ code }) => code);
    const all = codes.map((code) => this.#replace(code, present.get(code) ?? []));
    return {
      appeared: all.flatMap(({ appeared }) => appeared),
      solved: all.flatMap(({ solved }) => solved),
    };
  }

  /** True if that is news. */
  set(code: ProblemCode, subject: string, detail: string): boolean {
    const news = this.#open.get(code)?.get(subject)?.detail !== detail;
    if (news) this.#allOf(code).set(subject, { code, subject, detail });
    this.#tell(code, news);
    return news;
  }

  /** True if it was there. */
  clear(code: ProblemCode, subject: string): boolean {
    const was = this.#open.get(code)?.delete(subject) === true;
    this.#tell(code, was);
    return was;
  }

  /** By subject. */
  of(code: ProblemCode): readonly Problem[] {
    return [...(this.#open.get(code)?.values() ?? [])].sort((a, b) => (a.subject < b.subject ? -1 : 1));
  }

  /** Errors first, then by code and subject. */
  list(): readonly Problem[] {
    const rank = (code: ProblemCode): number => (problemTable[code].severity === 'error' ? 0 : 1);
    const codes = [...this.#open.keys()].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
    return codes.flatMap((code) => this.of(code));
  }

  #replace(code: ProblemCode, now: readonly Problem[]) {
    const present = new Map(now.map((problem) => [problem.subject, problem]));
    const before = this.#open.get(code);
    const solved = this.of(code).filter(({ subject }) => !present.has(subject));
    const appeared = [...present.values()].filter(
      ({ subject, detail }) => before?.get(subject)?.detail !== detail,
    );
    const news = solved.length > 0 || appeared.length > 0;
    if (news) this.#open.set(code, present);
    this.#tell(code, news);
    return { appeared, solved };
  }

  #allOf(code: ProblemCode): Map<string, Problem> {
    const known = this.#open.get(code);
    if (known !== undefined) return known;
    const made = new Map<string, Problem>();
    this.#open.set(code, made);
    return made;
  }

  #tell(code: ProblemCode, news: boolean): void {
    if (!news && this.#told.has(code)) return;
    this.#told.add(code);
    this.#onChange(code, this.of(code));
  }
}

/** A line for a person: `error: port-conflict: v4/tcp/25: held by smtp, refused to relay`. */
export const problemLine = ({ code, subject, detail }: Problem): string =>
  [problemTable[code].severity, code, subject, detail].filter((part) => part !== '').join(': ');

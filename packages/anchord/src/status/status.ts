/** What an anchor tells about itself. Plain JSON, for people and programs; nothing secret ever stands in it. */
import type { PerFamily } from '../families.ts';
import type { Problem } from '../problems.ts';

/** What each part of a mode can tell; a mode tells what it has. */
export interface StatusSections {
  readonly scope: { readonly project: string | undefined; readonly selector: string };
  readonly external: {
    readonly network: string | undefined;
    readonly interface: string;
    readonly mac: string | undefined;
    readonly up: boolean;
    /** With their prefix lengths. */
    readonly addresses: readonly string[];
    readonly addressMode: string;
    readonly hostname: string;
  };
  /** Of the families in which a client runs. */
  readonly leases: readonly { readonly family: string; readonly remainingSeconds: number }[];
  /** Where the default routes are meant to lead. */
  readonly gateways: PerFamily<string | undefined>;
  readonly sharedNetwork: string | undefined;
  /** Interfaces whose packets are passed on whatever they are, and those of which only answers are. */
  readonly forwarding: { readonly inner: readonly string[]; readonly refused: readonly string[] } | undefined;
  /** The service-anchor that is kept beside a container. */
  readonly managed: { readonly name: string; readonly target: string };
  readonly ports: readonly {
    readonly family: string;
    /** `tcp/25` */
    readonly port: string;
    readonly to: string;
    readonly container: string;
  }[];
  /** What a service-anchor or an external-rebinder holds on to. */
  readonly follows: string;
  /** The follower is off the network, and waits for its owner. */
  readonly parked: boolean;
  /** Containers that join others from outside; the target is undefined where nobody knows it any more. */
  readonly wraps: readonly { readonly container: string; readonly target: string | undefined }[];
}

export type StatusSection = keyof StatusSections;

interface ToldProblem extends Problem {
  readonly severity: 'error' | 'warning';
}

interface ToldRepair {
  /** RFC 3339. */
  readonly at: string;
  readonly what: string;
}

export interface Status extends Partial<StatusSections> {
  readonly version: string;
  readonly commit: string;
  readonly mode: string;
  readonly pid: number;
  /** Of the container: whose process this is where several share a folder. */
  readonly mounts: string;
  readonly startedAt: string;
  readonly ready: boolean;
  /** What readiness waits for, and whether each is met. */
  readonly gates: Readonly<Record<string, boolean>>;
  readonly problems: readonly ToldProblem[];
  /** The last ones, newest last. */
  readonly repairs: readonly ToldRepair[];
}

/** Where the parts of a mode leave what they have to tell; asked only when somebody wants to know. */
export class StatusBoard {
  readonly #sections = new Map<StatusSection, () => unknown>();

  tell<K extends StatusSection>(section: K, read: () => StatusSections[K]): void {
    this.#sections.set(section, read);
  }

  /** A part that fails to tell is left out: the rest is worth more than nothing. */
  sections(): Partial<StatusSections> {
    const told: Partial<Record<StatusSection, unknown>> = {};
    for (const [section, read] of this.#sections) {
      try {
        told[section] = read();
      } catch {
        // The interface may be gone, or the kernel busy.
      }
    }
    return told as Partial<StatusSections>;
  }
}

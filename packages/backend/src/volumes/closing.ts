/** What becomes of the volumes of a lease that is closed. */
import type { Lease } from '../lease/index.ts';
import { canonicalVolume, type VolumeName } from '../names/index.ts';
import type { DestroyOutcome, VolumeDoor } from './door.ts';
import type { Volumes } from './volumes.ts';

export type VolumesClosed =
  | { readonly kind: 'gone'; readonly retained: boolean }
  /** To be tried again. */
  | { readonly kind: 'failed'; readonly detail: string }
  /** Given up: what is left is recorded elsewhere. */
  | { readonly kind: 'exhausted'; readonly detail: string };

export interface LeaseClosing {
  /** To be called when no container of the lease is left. May be repeated: it goes on with what it finds. */
  volumesOf(lease: Lease): Promise<VolumesClosed>;
}

/** Every volume that the instances of a lease can have. */
const volumesOfItems = ({ uuid, items }: Pick<Lease, 'uuid' | 'items'>): readonly VolumeName[] =>
  items.flatMap(({ serviceName: service, quantity }) =>
    Array.from({ length: quantity }, (_, index) => canonicalVolume({ lease: uuid, service, index })),
  );

/** Destroys them: nothing is kept. */
export class PlainClosing implements LeaseClosing {
  readonly #volumes: Volumes;
  readonly #door: VolumeDoor;

  constructor(volumes: Volumes, door: VolumeDoor) {
    this.#volumes = volumes;
    this.#door = door;
  }

  async volumesOf(lease: Lease): Promise<VolumesClosed> {
    if (this.#volumes.root === undefined) return { kind: 'gone', retained: false };
    const onDisk = await this.#volumes.ofLease(lease.uuid);
    const outcome = await this.#door
      .operation(lease.uuid)
      .destroy('deprovision_destroy', new Set([...volumesOfItems(lease), ...onDisk]));
    // What another owns stays, and is not this lease's to answer for.
    return outcome.unproven.length + outcome.errors.length === 0
      ? { kind: 'gone', retained: false }
      : { kind: 'failed', detail: leftText(outcome) };
  }
}

/** For the operator: what is left of a batch, and why. */
function leftText({ unproven, errors, claimed }: DestroyOutcome): string {
  const parts = [
    ...errors.map(({ name, error }) => `${name}: ${String(error)}`),
    ...unproven.map((name) => `${name}: it cannot be told who owns it`),
    ...claimed.map(({ name, claim }) => `${name}: it belongs to lease ${claim.lease}`),
  ];
  return parts.join('; ');
}

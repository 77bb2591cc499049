import { mkdirSync } from 'node:fs';
import { RecordingLog } from '@berth/service/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canonicalVolume, retainedForm, type VolumeName } from '../names/index.ts';
import { FolderFilesystem } from '../testing/folder-filesystem.ts';
import { newerLabel } from '../testing/newer-label.ts';
import { type Claim, type ClaimSource, Ownership } from './claims.ts';
import { VolumeDoor } from './door.ts';
import { labelClaims } from './label-claims.ts';
import { liveClaims } from './live-claims.ts';
import { NameLocks } from './name-locks.ts';
import { encodeOwner } from './owner.ts';
import { OrphanSweep, type Witness } from './sweep.ts';
import { Volumes } from './volumes.ts';

const uuid = (digit: number): string => `${String(digit).repeat(8)}-0000-4000-8000-000000000000`;
const [mine, theirs] = [uuid(1), uuid(2)];
const volume = (lease: string, index = 0): VolumeName => canonicalVolume({ lease, service: 'db', index });
const owner = (lease: string, backend = 'docker') => ({
  backend,
  lease,
  tenant: 't',
  provider: 'p',
  service: 'db',
  index: 0,
  sku: 's',
  sizeMb: 10,
  createdAtMs: 0,
});

class Claims implements ClaimSource {
  readonly held = new Map<VolumeName, Claim>();
  readonly unreadable = new Set<VolumeName>();
  asked = 0;

  claimOf(name: VolumeName): Claim | undefined {
    this.asked++;
    if (this.unreadable.has(name)) throw new Error('the store is broken');
    return this.held.get(name);
  }
}

describe('the door to destruction', () => {
  let filesystem: FolderFilesystem;
  let claims: Claims;
  let locks: NameLocks;
  let door: VolumeDoor;
  let volumes: Volumes;
  let refused: string[];
  const log = new RecordingLog();

  beforeEach(() => {
    filesystem = new FolderFilesystem();
    claims = new Claims();
    locks = new NameLocks();
    refused = [];
    volumes = new Volumes(filesystem, locks);
    door = new VolumeDoor({
      destroyer: filesystem.destroyer,
      ownership: new Ownership([claims, labelClaims(filesystem, 'docker')]),
      locks,
      log: log.log,
      onRefused: (site, reason) => refused.push(`${site} ${reason}`),
    });
  });
  afterEach(() => filesystem[Symbol.dispose]());

  const onDisk = (...names: readonly VolumeName[]): void => {
    for (const name of names) mkdirSync(filesystem.hostPath(name), { recursive: true });
  };

  const sweepWith = (...witnesses: readonly Witness[]): OrphanSweep =>
    new OrphanSweep({ volumes, door, witnesses: async () => witnesses, log: log.log });

  it('destroys what is nobody’s or the asking lease’s own, and keeps what another owns, in one call', async () => {
    const names = [volume(mine), volume(mine, 1), volume(theirs)];
    onDisk(...names);
    claims.held.set(volume(mine), { kind: 'live_provision', lease: mine });
    claims.held.set(volume(theirs), { kind: 'restore_adopted', lease: uuid(3) });
    const outcome = await door.operation(mine).destroy('deprovision_destroy', names);
    expect(outcome).toMatchObject({
      destroyed: [volume(mine), volume(mine, 1)],
      claimed: [{ name: volume(theirs), claim: { lease: uuid(3) } }],
      unproven: [],
      errors: [],
      leftOnDisk: true,
    });
    expect(await volumes.list()).toEqual([volume(theirs)]);
    expect(refused).toEqual(['deprovision_destroy claimed']);
  });

  it('lets nobody’s collector have what anybody claims, and takes what is absent for destroyed', async () => {
    onDisk(volume(mine));
    claims.held.set(volume(mine), { kind: 'live_provision', lease: mine });
    const outcome = await door.operation(undefined).destroy('orphan_gc', [volume(mine), volume(theirs)]);
    expect(outcome.claimed.map(({ name }) => name)).toEqual([volume(mine)]);
    expect(outcome.destroyed).toEqual([volume(theirs)]);
  });

  it('destroys nothing of a batch in which the owner of one cannot be told', async () => {
    const names = [volume(mine), volume(theirs), retainedForm(volume(theirs))];
    onDisk(...names);
    claims.unreadable.add(volume(theirs));
    const outcome = await door.operation(mine).destroy('reaping', names);
    expect(outcome).toMatchObject({ destroyed: [], unproven: names, leftOnDisk: true });
    expect(refused).toEqual(names.map(() => 'reaping claims_unreadable'));
    expect(filesystem.steps.filter((step) => step.startsWith('destroy'))).toEqual([]);
    await expect(door.operation(mine).partition(names)).rejects.toThrow('broken');
  });

  it('asks again under the lock of the name: a claim that came meanwhile counts', async () => {
    const [first, second] = [volume(mine), volume(mine, 1)];
    onDisk(first, second);
    filesystem.before = (step, name) => {
      if (step === 'destroy' && name === first)
        claims.held.set(second, { kind: 'live_provision', lease: theirs });
    };
    const outcome = await door.operation(undefined).destroy('orphan_gc', [first, second]);
    expect(outcome.destroyed).toEqual([first]);
    expect(outcome.claimed.map(({ name }) => name)).toEqual([second]);
  });

  it('lets no volume be made or moved under a name while it is being destroyed', async () => {
    onDisk(volume(mine), retainedForm(volume(theirs)));
    const atIt = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    filesystem.before = async (step) => {
      if (step !== 'destroy') return;
      atIt.resolve();
      await goOn.promise;
    };
    const destroying = door.operation(undefined).destroy('orphan_gc', [volume(mine)]);
    await atIt.promise;
    const making = volumes.obtain(owner(mine));
    const moving = volumes.rename(retainedForm(volume(theirs)), volume(theirs));
    await moving;
    expect(filesystem.steps.at(-1)).toContain('rename');
    goOn.resolve();
    expect((await destroying).destroyed).toEqual([volume(mine)]);
    // Fresh, and not what was half gone.
    expect((await making).created).toBe(true);
  });

  it('says of each volume what went wrong, and goes on with the others', async () => {
    const names = [volume(mine), volume(mine, 1)];
    onDisk(...names);
    filesystem.before = (step, name) => {
      if (step === 'destroy' && name === names[0]) throw new Error('busy');
    };
    const outcome = await door.operation(mine).destroy('deprovision_destroy', names);
    expect(outcome.errors.map(({ name }) => name)).toEqual([names[0]]);
    expect(outcome.destroyed).toEqual([names[1]]);
  });

  it('splits by owner, for whoever wants to give other names', async () => {
    claims.held.set(volume(theirs), { kind: 'restore_source', lease: theirs });
    expect(await door.operation(mine).partition([volume(mine), volume(theirs)])).toMatchObject({
      mine: [volume(mine)],
      foreign: [{ name: volume(theirs) }],
    });
  });

  it('destroys nothing while it is held shut, and tells why', async () => {
    onDisk(volume(mine));
    door.hold('records have to be imported first');
    const outcome = await door.operation(mine).destroy('deprovision_destroy', [volume(mine)]);
    expect(outcome).toMatchObject({ unproven: [volume(mine)], leftOnDisk: true });
    door.release('records have to be imported first');
    expect((await door.operation(mine).destroy('deprovision_destroy', [volume(mine)])).leftOnDisk).toBe(
      false,
    );
  });

  it('keeps what another backend has made, and what it cannot read the label of', async () => {
    onDisk(volume(mine), volume(theirs), volume(theirs, 1));
    filesystem.labels.set(volume(mine), encodeOwner(owner(mine, 'other')));
    const one = await door.operation(mine).destroy('deprovision_destroy', [volume(mine)]);
    expect(one.claimed[0]?.claim.kind).toBe('foreign_backend');
    filesystem.labels.set(volume(theirs), '{"v":2}');
    const two = await door.operation(theirs).destroy('deprovision_destroy', [volume(theirs)]);
    expect(two.unproven).toEqual([volume(theirs)]);
    filesystem.labels.set(volume(theirs, 1), newerLabel(owner(theirs, 'other')));
    const three = await door.operation(theirs).destroy('deprovision_destroy', [volume(theirs, 1)]);
    expect(three.claimed[0]?.claim.kind).toBe('foreign_backend');
  });

  it('lets a lease end whose volume has the label of a newer version', async () => {
    onDisk(volume(mine));
    filesystem.labels.set(volume(mine), newerLabel(owner(mine)));
    expect(await door.operation(mine).partition([volume(mine)])).toMatchObject({ mine: [volume(mine)] });
    await door.operation(mine).destroy('deprovision_destroy', [volume(mine)]);
    expect(await volumes.list()).toEqual([]);
  });

  it('has a sweep that keeps what says for whom it was made: that nobody knows of it is no proof', async () => {
    const [own, newer, bare] = [volume(mine), volume(theirs), volume(uuid(3))];
    onDisk(own, newer, bare);
    filesystem.labels.set(own, encodeOwner(owner(mine)));
    filesystem.labels.set(newer, newerLabel(owner(theirs)));
    const swept = await sweepWith(() => undefined).run();
    expect(swept.outcome.destroyed).toEqual([bare]);
    expect([...swept.kept]).toEqual([
      [own, `it was made for lease ${mine} of t, which no store knows`],
      [newer, `it was made for lease ${theirs} of t, which no store knows`],
    ]);
    filesystem.labels.delete(own);
    expect((await sweepWith().run()).outcome.destroyed, 'its label was taken off').toEqual([own]);
  });

  it('has a sweep that keeps what has a witness, what is kept data, and what has a name that we do not give', async () => {
    const legacy = `fred-${mine}-0` as VolumeName;
    const names = [volume(mine), volume(theirs), volume(uuid(3)), retainedForm(volume(uuid(4))), legacy];
    onDisk(...names);
    claims.held.set(volume(mine), { kind: 'live_provision', lease: mine });
    const witness = (name: VolumeName) => (name === volume(theirs) ? 'a release' : undefined);
    const sweep = sweepWith(witness);
    const swept = await sweep.run();
    expect(swept.outcome.destroyed).toEqual([volume(uuid(3))]);
    expect([...swept.kept.keys()]).toEqual([legacy, volume(theirs)]);
    expect(await volumes.list()).toHaveLength(4);
    const told = () => log.attrsOf('a volume without an owner is kept').length;
    const before = told();
    await sweep.run();
    expect(told(), 'it is no news any more').toBe(before);
  });

  it('has a sweep that destroys nothing of which it cannot be told who owns it, and counts each volume', async () => {
    onDisk(volume(mine), volume(theirs), volume(uuid(5)), retainedForm(volume(uuid(4))));
    claims.unreadable.add(volume(mine)).add(volume(theirs));
    const swept = await sweepWith().run();
    expect(swept.outcome).toMatchObject({
      unproven: [volume(mine), volume(theirs)],
      destroyed: [volume(uuid(5))],
    });
    expect(refused).toEqual(['orphan_gc claims_unreadable', 'orphan_gc claims_unreadable']);
    filesystem.before = (step) => {
      if (step === 'list') throw new Error('unmounted');
    };
    await expect(sweepWith().run()).rejects.toThrow('unmounted');
  });

  it('has a sweep that finds what became nobody’s since, and hears each witness right before it destroys', async () => {
    const names = [volume(mine), volume(mine, 1), volume(theirs)];
    onDisk(...names);
    claims.held.set(volume(mine), { kind: 'live_provision', lease: mine });
    const released = new Set([volume(theirs)]);
    const sweep = sweepWith((name) => (released.has(name) ? 'a release' : undefined));
    filesystem.before = (step, name) => {
      // While the first one is destroyed, the lease of another begins and ends, and leaves a witness.
      if (step === 'destroy' && name === volume(mine)) released.add(volume(mine, 1));
    };
    claims.held.set(volume(mine, 1), { kind: 'live_provision', lease: mine });
    expect((await sweep.run()).outcome.destroyed).toEqual([]);
    claims.held.clear();
    expect((await sweep.run()).outcome.destroyed).toEqual([volume(mine)]);
    expect(await volumes.list()).toEqual([volume(mine, 1), volume(theirs)]);
    released.clear();
    expect((await sweep.run()).outcome.destroyed).toEqual([volume(mine, 1), volume(theirs)]);
  });

  it('has a sweep that keeps everything when a witness cannot be asked', async () => {
    onDisk(volume(mine));
    const broken = async (): Promise<never> => {
      throw new Error('the engine does not answer');
    };
    const context = { volumes, door, log: log.log };
    expect((await new OrphanSweep({ ...context, witnesses: broken }).run()).outcome.destroyed).toEqual([]);
    const swept = await sweepWith(broken).run();
    expect([...swept.kept.values()]).toEqual([
      'somebody who might know of it cannot be asked: the engine does not answer',
    ]);
    expect(await volumes.list()).toEqual([volume(mine)]);
  });
});

describe('liveClaims', () => {
  const item = { sku: 's', quantity: 2, serviceName: 'db', customDomain: '' };
  const leases = new Map([
    [mine, { items: [item] }],
    [
      theirs,
      {
        items: [],
        operation: {
          kind: 'provision' as const,
          id: 'o',
          startedAtMs: 0,
          wasReady: false,
          resumed: 0,
          items: [item],
        },
      },
    ],
  ]);
  const source = liveClaims({ get: (id) => leases.get(id), isUnreadable: (id) => id === uuid(3) });

  it('claims each instance of a lease and none beyond, and all of a lease that cannot be read', () => {
    const claimed = (lease: string, index: number) => source.claimOf(volume(lease, index));
    expect([claimed(mine, 0), claimed(mine, 1), claimed(mine, 2)]).toEqual([
      { kind: 'live_provision', lease: mine },
      { kind: 'live_provision', lease: mine },
      undefined,
    ]);
    expect(claimed(theirs, 1)).toEqual({ kind: 'live_provision', lease: theirs });
    expect(claimed(uuid(3), 99)).toEqual({ kind: 'live_provision', lease: uuid(3) });
    expect(claimed(uuid(4), 0)).toBeUndefined();
    expect(source.claimOf(retainedForm(volume(mine)))).toBeUndefined();
    expect(source.claimOf(canonicalVolume({ lease: mine, service: 'web', index: 0 }))).toBeUndefined();
  });
});

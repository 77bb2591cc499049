import { type Allocation, diskOnly } from '../placement/index.ts';
import type { LeaseEvent } from './events.ts';
import { failureText, type Reason } from './reasons.ts';
import type { Failure, Lease, Operation, OperationKind, Owed } from './record.ts';
import { type Action, cellFor, type LeaseState } from './table.ts';

/** The manifest of a lease that has not been active with it yet; never shown. */
export const stagedRelease = 0;

/** A change of the release history. */
export type HistoryChange =
  | { readonly kind: 'stage'; readonly manifest: Uint8Array }
  | {
      readonly kind: 'append';
      readonly version: number;
      readonly manifest: Uint8Array | { readonly of: number };
    }
  | { readonly kind: 'activateStaged'; readonly version: number }
  | { readonly kind: 'activate'; readonly version: number }
  | { readonly kind: 'unstage' }
  | { readonly kind: 'fail'; readonly version: number; readonly reason: string; readonly message: string }
  /** The lease ends untracked: its close, if it ever comes, has to know what it was. */
  | { readonly kind: 'remember'; readonly lease: Lease }
  | { readonly kind: 'purge' };

export type OutsideAction =
  | 'stopWork'
  | 'startWork'
  | 'keepDiagnostics'
  | 'dropDiagnostics'
  | 'settleRestore';

export interface Transition {
  readonly from: LeaseState;
  readonly to: LeaseState;
  /** After the transition; undefined when there is no such lease any more. */
  readonly lease: Lease | undefined;
  /** The last form of the record, also of one that ends here. */
  readonly last: Lease | undefined;
  /** What the caller is owed for it. */
  readonly owed: Owed | undefined;
  readonly history: readonly HistoryChange[];
  /** What is to be done after the transaction, in this order; telling the caller comes last. */
  readonly outside: readonly OutsideAction[];
}

export const stateOf = (lease: Lease | undefined): LeaseState => lease?.status ?? 'none';

/** The operations whose work can come to this outcome; undefined for an event that is no outcome. */
const outcomeOf: Partial<Readonly<Record<LeaseEvent['name'], readonly OperationKind[]>>> = {
  ProvisionCompleted: ['provision'],
  ProvisionErrored: ['provision'],
  ReplaceCompleted: ['restart', 'update', 'restore'],
  ReplaceRecovered: ['restart', 'update'],
  ReplaceFailed: ['restart', 'update', 'restore'],
  RestoreRequested: ['restore'],
  RestoreAbandoned: ['restore'],
  DiagGathered: ['diagnose'],
  DeprovisionCompleted: ['deprovision'],
  DeprovisionErrored: ['deprovision'],
  DeprovisionExhausted: ['deprovision'],
};

/** Does this event speak of another operation than the one that is under way? */
function isStale(lease: Lease | undefined, event: LeaseEvent): boolean {
  const kinds = outcomeOf[event.name];
  if (kinds === undefined || !('operationId' in event)) return false;
  const operation = lease?.operation;
  return operation === undefined || operation.id !== event.operationId || !kinds.includes(operation.kind);
}

/** What an event makes of a lease. Pure: the same record, event and time give the same transition. */
export function transition(
  before: Lease | undefined,
  event: LeaseEvent,
  nowMs: number,
): Transition | 'refused' | 'ignored' {
  const from = stateOf(before);
  const cell = cellFor(from, event.name);
  if (typeof cell === 'string') return cell;
  if (isStale(before, event)) return event.name === 'RestoreRequested' ? 'refused' : 'ignored';
  if (event.name === 'LeftoverRemoved' && before?.leftover !== true) return 'ignored';
  const lease = before && copyOf(before);
  const draft: Draft = { before, event, nowMs, lease, owed: undefined, history: nothing, outside: nothing };
  for (const action of cell.does) steps[action](draft);
  const { lease: last, owed, history, outside: after } = draft;
  const { to } = cell;
  if (to !== 'none' && last !== undefined) last.status = to;
  return { from, to, lease: to === 'none' ? undefined : last, last, owed, history, outside: after };
}

/** All of its parts, absent ones included: records of one shape are the quicker ones. */
type LeaseCopy = { -readonly [Part in keyof Required<Lease>]: Lease[Part] };

const copyOf = (lease: Lease): LeaseCopy => ({
  uuid: lease.uuid,
  tenant: lease.tenant,
  provider: lease.provider,
  status: lease.status,
  createdAtMs: lease.createdAtMs,
  failCount: lease.failCount,
  callbackUrl: lease.callbackUrl,
  items: lease.items,
  images: lease.images,
  allocations: lease.allocations,
  release: lease.release,
  lastRelease: lease.lastRelease,
  failure: lease.failure,
  operation: lease.operation,
  leftover: lease.leftover,
  closing: lease.closing,
});

/** The transition while it is being made: one action after another. */
interface Draft {
  readonly before: Lease | undefined;
  readonly event: LeaseEvent;
  readonly nowMs: number;
  /** A copy, to be changed in place. */
  lease: LeaseCopy | undefined;
  owed: Owed | undefined;
  history: readonly HistoryChange[];
  outside: readonly OutsideAction[];
}

// Lists of their exact length: one that grows by itself takes room for seventeen.
const nothing: readonly never[] = [];

function record(draft: Draft, historyChange: HistoryChange): void {
  draft.history = [...draft.history, historyChange];
}

/** The operation that was under way when the event came. */
const ending = (draft: Draft): Operation | undefined => draft.before?.operation;

const change = (make: (lease: LeaseCopy) => void) => (draft: Draft) => {
  if (draft.lease !== undefined) make(draft.lease);
};

const outside = (action: OutsideAction) => (draft: Draft) => {
  draft.outside = [...draft.outside, action];
};

const steps: Readonly<Record<Action, (draft: Draft) => void>> = {
  openLease,
  begin,
  openRelease,
  activateRelease,
  failRelease,
  takeOutcome,
  countFailure: change((lease) => {
    lease.failCount++;
  }),
  noteFailure,
  noteFailureUnlessRestored: (draft) => {
    const { event } = draft;
    const restored = event.name === 'ReplaceRecovered' && event.replaced && ending(draft)?.kind === 'restart';
    steps[restored ? 'clearFailure' : 'noteFailure'](draft);
  },
  clearFailure: change((lease) => {
    lease.failure = undefined;
  }),
  hold: ({ event, lease }) => {
    if (lease === undefined) return;
    if (event.name === 'RestartRequested' || event.name === 'UpdateRequested')
      lease.allocations = event.allocations;
  },
  giveBackUnlessLeft: (draft) => {
    if (!('left' in draft.event && draft.event.left)) steps.giveBack(draft);
    else if (draft.lease !== undefined) draft.lease.leftover = true;
  },
  clearLeftover: change((lease) => {
    lease.leftover = undefined;
  }),
  giveBack: ({ event, lease }) => {
    if (lease === undefined) return;
    const stays = new Set('stays' in event ? event.stays : nothing);
    const kept = ({ key, diskMb }: Allocation): boolean => diskMb > 0 && stays.has(key);
    lease.allocations = lease.allocations.filter(kept).map(diskOnly);
  },
  giveBackAfterRestore: (draft) => {
    if (ending(draft)?.kind !== 'restore') return;
    const { event } = draft;
    // What could not be given back yet is still there, and nobody else counts all of it: the close of the lease gives back.
    if (event.name !== 'ReplaceFailed' || event.left !== true) steps.giveBack(draft);
    // The data goes back to where it came from: started again without it, the lease would run on empty volumes.
    if (draft.lease !== undefined) draft.lease.release = undefined;
  },
  retryClose: change((lease) => {
    lease.closing = { attempts: (lease.closing?.attempts ?? 0) + 1 };
  }),
  endOperation: change((lease) => {
    lease.operation = undefined;
  }),
  // The record itself ends because the state is `none`.
  drop: (draft) => {
    if (draft.before !== undefined) record(draft, { kind: 'remember', lease: draft.before });
  },
  takeBack: (draft) => {
    if (draft.event.name === 'DroppedCloseRequested') draft.lease = copyOf(draft.event.lease);
  },
  forget: (draft) => record(draft, { kind: 'purge' }),
  tell: (draft) => {
    draft.owed = told(draft);
  },
  stopWork: outside('stopWork'),
  startWork: outside('startWork'),
  keepDiagnostics: outside('keepDiagnostics'),
  dropDiagnostics: outside('dropDiagnostics'),
  settleRestore: (draft) => {
    if (ending(draft)?.kind === 'restore') draft.outside = [...draft.outside, 'settleRestore'];
  },
};

function openLease(draft: Draft): void {
  const { event, before } = draft;
  if (event.name !== 'ProvisionRequested' && event.name !== 'RestoreReserved') return;
  record(draft, { kind: 'stage', manifest: event.manifest });
  draft.lease = copyOf({
    ...event.lease,
    status: 'provisioning',
    createdAtMs: draft.nowMs,
    failCount: before?.failCount ?? 0,
    lastRelease: Math.max(event.lease.lastRelease, before?.lastRelease ?? 0),
    release: stagedRelease,
  });
}

const kindOf: Partial<Readonly<Record<LeaseEvent['name'], OperationKind>>> = {
  ProvisionRequested: 'provision',
  RestoreReserved: 'restore',
  RestartRequested: 'restart',
  UpdateRequested: 'update',
  ContainerDied: 'diagnose',
  DeprovisionRequested: 'deprovision',
  DroppedCloseRequested: 'deprovision',
};

function begin(draft: Draft): void {
  const { event, before, lease } = draft;
  const kind = kindOf[event.name];
  if (kind === undefined || !('operationId' in event) || lease === undefined) return;
  lease.operation = {
    kind,
    id: event.operationId,
    startedAtMs: draft.nowMs,
    wasReady: before?.status === 'ready',
    resumed: 0,
    ...(event.name === 'RestartRequested' || event.name === 'UpdateRequested' ? { items: event.items } : {}),
    ...(event.name === 'ContainerDied' && { death: event.death }),
  };
  if ('callbackUrl' in event && event.callbackUrl !== '') lease.callbackUrl = event.callbackUrl;
  // A close that was to be tried again is either what begins now, or not wanted any more.
  if (kind !== 'deprovision') lease.closing = undefined;
  // Every operation begins by looking at what there is.
  steps.clearLeftover(draft);
}

function openRelease(draft: Draft): void {
  const { event, lease } = draft;
  if (lease?.operation === undefined) return;
  const version = lease.lastRelease + 1;
  const manifest = 'manifest' in event ? event.manifest : { of: lease.release ?? stagedRelease };
  record(draft, { kind: 'append', version, manifest });
  lease.lastRelease = version;
  lease.operation = { ...lease.operation, release: version };
}

function activateRelease(draft: Draft): void {
  const { lease } = draft;
  if (lease === undefined) return;
  const shown = ending(draft)?.release;
  const release = shown ?? lease.lastRelease + 1;
  record(draft, { kind: shown === undefined ? 'activateStaged' : 'activate', version: release });
  // What waits for its first success is of no use when another release has had it.
  if (shown !== undefined && (lease.release ?? stagedRelease) === stagedRelease)
    record(draft, { kind: 'unstage' });
  lease.release = release;
  lease.lastRelease = Math.max(release, lease.lastRelease);
}

function failRelease(draft: Draft): void {
  const operation = ending(draft);
  if (operation?.release === undefined) return;
  const base = operation.kind === 'update' ? 'UpdateFailed' : 'RestartFailed';
  const reason = 'failure' in draft.event ? draft.event.failure.reason : base;
  const message = releaseMessage(reason, operation.kind);
  record(draft, { kind: 'fail', version: operation.release, reason, message });
}

function releaseMessage(reason: Reason, kind: OperationKind): string {
  if (reason === 'ImagePullFailed') return failureText.imagePull;
  return reason === 'Internal' ? failureText.internal : `${kind} failed`;
}

function takeOutcome(draft: Draft): void {
  const { event, lease } = draft;
  if (lease === undefined) return;
  if (event.name === 'ProvisionCompleted') lease.items = event.items;
  if (event.name !== 'ReplaceCompleted') return;
  lease.images = event.images;
  lease.items = ending(draft)?.items ?? lease.items;
}

function noteFailure({ event, lease }: Draft): void {
  if (lease !== undefined) lease.failure = failureIn(event);
}

/** What an event says of a failure; the facts about dead containers all say the same. */
function failureIn(event: LeaseEvent): Failure {
  if ('failure' in event) return event.failure;
  const message = failureText.exitedUnexpectedly;
  const detail = 'detail' in event && event.detail !== '' ? `${message}: ${event.detail}` : message;
  return { reason: 'ContainerExited', message, detail };
}

function told(draft: Draft): Owed {
  const { event, nowMs: atMs } = draft;
  const callbackUrl = draft.lease?.callbackUrl ?? '';
  if (event.name === 'DeprovisionCompleted')
    return { callbackUrl, status: 'deprovisioned', atMs, ...(event.retained && { retained: true }) };
  if (event.name === 'ProvisionCompleted' || event.name === 'ReplaceCompleted')
    return { callbackUrl, status: 'success', atMs };
  return { callbackUrl, status: 'failed', error: failureIn(event).message, atMs };
}

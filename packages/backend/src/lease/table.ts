/** The lease machine: state × event → state and what it does. Plain data; `docs/reference/lease-machine.md` is made from it. */
import { type LeaseEventName, requestEvents } from './events.ts';
import { leaseStatuses } from './record.ts';

/** `none`: there is no such lease. */
export const leaseStates = ['none', ...leaseStatuses] as const;

export type LeaseState = (typeof leaseStates)[number];

/** What a transition does, with what it means. The order in a cell is the order of doing. */
export const actions = {
  // In the record and the release history, in one transaction with the new state.
  openLease: 'the record begins (anew): identity, items, allocations, manifest of the release to be',
  begin: 'note the operation that begins; a callback URL that came with it replaces the stored one',
  openRelease: 'append a release `deploying` with the manifest that is to run',
  activateRelease: 'the release of the operation becomes `active`, every other active one `superseded`',
  failRelease: 'the release of the operation, if it has been shown, becomes `failed`',
  takeOutcome: 'items, images and release become those of the operation',
  countFailure: 'fail count + 1',
  noteFailure: 'reason, message and detail of the failure',
  noteFailureUnlessRestored: 'as noteFailure, but not after a restart that brought the old containers back',
  clearFailure: 'no reason, no message, no detail',
  hold: 'the allocations of the request are held, also when an earlier failure had given them back',
  giveBack: 'the allocations end',
  giveBackUnlessLeft:
    'the allocations end, unless containers may be left that hold them: then that is noted, to be cleaned up',
  clearLeftover: 'nothing is left of the provision that failed',
  giveBackAfterRestore:
    'the allocations of a restore that failed end, unless its data could not be given back yet; nothing can be started again',
  retryClose: 'remember that the close is unfinished, to be tried again later',
  endOperation: 'no operation is under way any more',
  drop: 'the record ends, and is remembered for its close; the release history stays, and protects what the lease has on disk',
  takeBack: 'a record that had ended comes back, to be closed',
  forget: 'the record and the release history end',
  // Outside, after the transaction.
  stopWork: 'cancel the work that is under way and wait for its end',
  startWork: 'start the work of the operation',
  keepDiagnostics: 'store failure and logs where they outlive the lease',
  dropDiagnostics: 'what was stored of an earlier failure is void',
  settleRestore:
    'a restore has come to its end: what keeps a record of the data lets go of it, or takes it back',
  tell: 'owe the caller its one terminal callback, and hand it to the outbox',
} as const;

export type Action = keyof typeof actions;

export interface Cell {
  readonly to: LeaseState;
  readonly does: readonly Action[];
}

const go = (to: LeaseState, ...does: Action[]): Cell => ({ to, does });

const close = go('deprovisioning', 'begin', 'stopWork', 'startWork');
const closeReplacing = go('deprovisioning', 'failRelease', 'begin', 'stopWork', 'startWork');
const closeAtRest = go('deprovisioning', 'begin', 'startWork');
const provisionAgain = ['openLease', 'begin'] as const;
const replaced = go(
  'ready',
  'activateRelease',
  'takeOutcome',
  'clearFailure',
  'endOperation',
  'settleRestore',
  'tell',
);
const recovered = go(
  'ready',
  'failRelease',
  'countFailure',
  'noteFailureUnlessRestored',
  'endOperation',
  'keepDiagnostics',
  'tell',
);
const notReplaced = go(
  'failed',
  'failRelease',
  'countFailure',
  'noteFailure',
  'giveBackAfterRestore',
  'endOperation',
  'keepDiagnostics',
  'settleRestore',
  'tell',
);
const replaceAtRest = ['begin', 'hold', 'openRelease', 'startWork'] as const;
const replaceAndStop = ['begin', 'hold', 'openRelease', 'stopWork', 'startWork'] as const;

const written: Readonly<Record<LeaseState, Partial<Readonly<Record<LeaseEventName, Cell>>>>> = {
  none: {
    ProvisionRequested: go('provisioning', ...provisionAgain, 'startWork'),
    RestoreReserved: go('provisioning', ...provisionAgain),
    DeprovisionRequested: go('none', 'forget'),
    DroppedCloseRequested: go('deprovisioning', 'takeBack', 'begin', 'startWork'),
  },
  provisioning: {
    ProvisionCompleted: go(
      'ready',
      'activateRelease',
      'takeOutcome',
      'clearFailure',
      'endOperation',
      'dropDiagnostics',
      'tell',
    ),
    ProvisionErrored: go(
      'failed',
      'countFailure',
      'noteFailure',
      'giveBackUnlessLeft',
      'endOperation',
      'keepDiagnostics',
      'tell',
    ),
    RestoreRequested: go('restarting', 'startWork'),
    RestoreAbandoned: go('none', 'giveBack', 'forget'),
    DeprovisionRequested: close,
  },
  ready: {
    ContainerDied: go('failing', 'begin', 'countFailure', 'noteFailure', 'startWork'),
    RestartRequested: go('restarting', ...replaceAtRest),
    UpdateRequested: go('updating', ...replaceAtRest),
    DeprovisionRequested: closeAtRest,
    ContainersRemoved: go('none', 'giveBack', 'drop'),
    FoundDead: go('failed', 'countFailure', 'noteFailure', 'keepDiagnostics'),
  },
  failing: {
    DiagGathered: go('failed', 'noteFailure', 'endOperation', 'keepDiagnostics', 'tell'),
    ProvisionRequested: go('provisioning', ...provisionAgain, 'stopWork', 'startWork'),
    RestartRequested: go('restarting', ...replaceAndStop),
    UpdateRequested: go('updating', ...replaceAndStop),
    DeprovisionRequested: close,
  },
  failed: {
    ProvisionRequested: go('provisioning', ...provisionAgain, 'startWork'),
    RestartRequested: go('restarting', ...replaceAtRest),
    UpdateRequested: go('updating', ...replaceAtRest),
    DeprovisionRequested: closeAtRest,
    LeftoverRemoved: go('failed', 'clearLeftover', 'giveBack'),
  },
  restarting: {
    ReplaceCompleted: replaced,
    ReplaceRecovered: recovered,
    ReplaceFailed: notReplaced,
    DeprovisionRequested: closeReplacing,
  },
  updating: {
    ReplaceCompleted: replaced,
    ReplaceRecovered: recovered,
    ReplaceFailed: notReplaced,
    DeprovisionRequested: closeReplacing,
  },
  deprovisioning: {
    DeprovisionCompleted: go('none', 'giveBack', 'forget', 'tell'),
    DeprovisionErrored: go('failed', 'noteFailure', 'retryClose', 'endOperation', 'keepDiagnostics'),
    DeprovisionExhausted: go('none', 'noteFailure', 'giveBack', 'forget', 'keepDiagnostics', 'tell'),
    // The request waits for the close that is under way.
    DeprovisionRequested: go('deprovisioning'),
  },
  unknown: {
    FoundReady: go('ready'),
    FoundDead: go('failed', 'countFailure', 'noteFailure', 'keepDiagnostics'),
    ContainersRemoved: go('none', 'giveBack', 'drop'),
    DeprovisionRequested: closeAtRest,
  },
};

const requests: ReadonlySet<LeaseEventName> = new Set(requestEvents);

/** The cell of the table: where the machine goes and what it does. A request may be refused; anything else is ignored. */
export function cellFor(state: LeaseState, event: LeaseEventName): Cell | 'refused' | 'ignored' {
  return written[state][event] ?? (requests.has(event) ? 'refused' : 'ignored');
}

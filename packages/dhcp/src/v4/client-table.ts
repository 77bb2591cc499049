import type { Table } from '../table/table.ts';
import { decline } from './requests.ts';
import type { Dhcp4Action, Dhcp4Context, Dhcp4Event, Dhcp4Phase, Dhcp4State, InPhase } from './state.ts';
import {
  announceAgain,
  bind,
  defend,
  extend,
  fail,
  giveUpTrying,
  letGo,
  probe,
  rebindAgain,
  rebootAgain,
  rediscover,
  renewAgain,
  requestAgain,
  type Step4,
  startProbing,
  startRebinding,
  startRebooting,
  startRenewing,
  startSelecting,
  step,
  stop,
  takeOffer,
} from './transitions.ts';

type Event<Kind extends Dhcp4Event['kind']> = Extract<Dhcp4Event, { readonly kind: Kind }>;
type Holding = InPhase<'bound' | 'renewing' | 'rebinding'>;
type Trying = InPhase<'probing' | 'applying'>;

export const phasesInWords: Readonly<Record<Dhcp4Phase, string>> = {
  init: 'Made, but not started.',
  rebooting: 'Asks whether an address from before a restart is still ours (INIT-REBOOT).',
  selecting: 'Looks for a server.',
  requesting: 'Has asked one server for the address that it offered.',
  probing: 'Was granted an address and looks whether anybody else uses it.',
  applying: 'Waits for the interface to own the new address.',
  bound: 'Has a lease and nothing to do.',
  renewing: 'Past T1: asks the server of the lease, by unicast.',
  rebinding: 'Past T2, or in doubt: asks every server, by broadcast. The lease still holds.',
  'backing-off':
    'Waits after a failure; each wait is twice as long as the one before, up to the configured bound.',
  stopped: 'Over.',
};

export const eventsInWords: Readonly<Record<Dhcp4Event['kind'], string>> = {
  start: 'start',
  offer: 'OFFER for us',
  ack: 'ACK for us',
  nak: 'NAK for us',
  conflict: 'ARP from another owner of the address',
  applied: 'the interface owns the address',
  'apply-failed': 'the interface refuses the address',
  doubt: 'doubt (the link came back, the clock jumped)',
  stop: 'stop',
  announce: 'time to announce again',
  'backoff-over': 'the pause is over',
  'candidate-expired': 'the new lease ran out',
  expired: 'the lease ran out',
  'give-up': 'time is up',
  probe: 'time to probe',
  rebind: 'T2',
  renew: 'T1',
  resend: 'no answer yet',
};

const stopWithNothing = {
  to: ['stopped'],
  does: 'end',
  run: (state: Dhcp4State): Step4 =>
    step({ backoffMs: state.backoffMs, ignored: state.ignored, phase: 'stopped' }),
} as const;

/** What every phase has in which an address is ours. */
const holding = {
  announce: {
    to: ['bound'],
    does: 'announce the address once more',
    run: (state: Holding, _: unknown, context: Dhcp4Context) => announceAgain(state, context),
  },
  conflict: {
    to: ['bound'],
    does: 'announce the address again, at most once in 10 s; report',
    run: (state: Holding, event: Event<'conflict'>, context: Dhcp4Context) =>
      defend(state, event.mac, context),
  },
  expired: {
    to: ['backing-off'],
    does: 'put back what the interface had at first, then drop the address; forget the lease; report',
    run: (state: Holding, _: unknown, context: Dhcp4Context) =>
      fail(state, 'expired', context, ...letGo(state.lease, context)),
  },
  stop: {
    to: ['stopped'],
    does: 'RELEASE unless told to keep, drop the address',
    run: (state: Holding, _: unknown, context: Dhcp4Context) => stop(state, context, state.lease),
  },
} as const;

const nakWhileHolding = {
  to: ['backing-off'],
  does: 'put back what the interface had at first, then drop the address; forget the lease; report',
  run: (state: Holding, _: unknown, context: Dhcp4Context) =>
    fail(state, 'nak', context, ...letGo(state.lease, context)),
} as const;

const ackWhileHolding = {
  to: ['bound', 'probing', 'applying'],
  does: 'same address: note the new times, touch nothing else; another one: try it on while the old one stays',
  run: (state: InPhase<'renewing' | 'rebinding'>, event: Event<'ack'>, context: Dhcp4Context) =>
    extend(state, event.lease, context),
} as const;

const ackToProbe = {
  to: ['probing'],
  does: 'probe for another owner of the address',
  run: (state: Dhcp4State, event: Event<'ack'>, context: Dhcp4Context) =>
    startProbing(state, event.lease, undefined, context),
} as const;

/** What both phases have in which a new lease is tried on. */
const trying = {
  'candidate-expired': {
    to: ['backing-off', 'rebinding'],
    does: 'drop it; with an older lease still in hand stay on that one',
    run: (state: Trying, _: unknown, context: Dhcp4Context) => {
      const { address, prefixLength } = state.candidate;
      return giveUpTrying(state, 'expired', context, {
        kind: 'drop-address',
        address: { address, prefixLength },
      });
    },
  },
  stop: {
    to: ['stopped'],
    does: 'RELEASE unless told to keep, drop the addresses',
    run: (state: Trying, _: unknown, context: Dhcp4Context) =>
      stop(state, context, state.candidate, state.held),
  },
} as const;

const heldExpired = (state: Trying, _: unknown, context: Dhcp4Context): Step4 =>
  step({ ...state, held: undefined }, ...(state.held === undefined ? [] : letGo(state.held, context)));

export const dhcp4Table: Table<Dhcp4State, Dhcp4Event, Dhcp4Action, Dhcp4Context> = {
  init: {
    start: {
      to: ['rebooting', 'selecting'],
      does: 'with a lease remembered that still runs: REQUEST that address; else DISCOVER',
      run: (state, { remembered }, context) =>
        remembered !== undefined && remembered.expiresAtMs > context.nowMs
          ? startRebooting(state, remembered, context)
          : startSelecting(state, context),
    },
    stop: stopWithNothing,
  },
  rebooting: {
    ack: ackToProbe,
    nak: {
      to: ['selecting'],
      does: 'forget the lease, DISCOVER',
      run: (state, _, context) => startSelecting(state, context, { kind: 'forget' }),
    },
    resend: {
      to: ['rebooting'],
      does: 'REQUEST again',
      run: (state, _, context) => rebootAgain(state, context),
    },
    'give-up': {
      to: ['probing', 'selecting'],
      does: 'nobody objects: try the address on for as long as the lease runs; if it has run out, DISCOVER',
      run: (state, _, context) =>
        state.remembered.expiresAtMs > context.nowMs
          ? startProbing(state, state.remembered, undefined, context)
          : startSelecting(state, context, { kind: 'forget' }),
    },
    stop: stopWithNothing,
  },
  selecting: {
    offer: {
      to: ['requesting'],
      does: 'take the first OFFER: REQUEST that address of that server',
      run: (state, { offer }, context) => takeOffer(state, offer, context),
    },
    resend: {
      to: ['selecting'],
      does: 'DISCOVER again',
      run: (state, _, context) => rediscover(state, context),
    },
    'give-up': {
      to: ['backing-off'],
      does: 'report',
      run: (state, _, context) => fail(state, 'no-offer', context),
    },
    stop: stopWithNothing,
  },
  requesting: {
    ack: ackToProbe,
    nak: { to: ['backing-off'], does: 'report', run: (state, _, context) => fail(state, 'nak', context) },
    resend: {
      to: ['requesting'],
      does: 'REQUEST again',
      run: (state, _, context) => requestAgain(state, context),
    },
    'give-up': {
      to: ['backing-off'],
      does: 'report',
      run: (state, _, context) => fail(state, 'no-ack', context),
    },
    stop: stopWithNothing,
  },
  probing: {
    probe: {
      to: ['probing', 'applying'],
      does: 'send the next ARP probe; after the last one and a silence add the address',
      run: (state, _, context) => probe(state, context),
    },
    conflict: {
      to: ['backing-off', 'rebinding'],
      does: 'DECLINE, report; with an older lease still in hand stay on that one',
      run: (state, { mac }, context) =>
        giveUpTrying(
          state,
          'conflict',
          context,
          { kind: 'broadcast', message: decline(context.config, context.random, state.candidate) },
          {
            kind: 'report',
            report: { kind: 'conflict', address: state.candidate.address, mac, inUse: false },
          },
        ),
    },
    ...trying,
    expired: {
      to: ['probing'],
      does: 'put back what the interface had at first, then drop the old address',
      run: heldExpired,
    },
  },
  applying: {
    applied: {
      to: ['bound'],
      does: 'drop the other addresses, hand over the routes, announce the address, remember the lease; report',
      run: (state, _, context) => bind(state, context),
    },
    'apply-failed': {
      to: ['backing-off', 'rebinding'],
      does: 'report; with an older lease still in hand stay on that one',
      run: (state, _, context) => giveUpTrying(state, 'apply-failed', context),
    },
    ...trying,
    expired: {
      to: ['applying'],
      does: 'put back what the interface had at first, then drop the old address',
      run: heldExpired,
    },
  },
  bound: {
    ...holding,
    renew: {
      to: ['renewing'],
      does: 'REQUEST more time of the server of the lease',
      run: (state, _, context) => startRenewing(state, context),
    },
    rebind: {
      to: ['rebinding'],
      does: 'REQUEST more time of every server',
      run: (state, _, context) => startRebinding(state, context),
    },
    doubt: {
      to: ['rebinding'],
      does: 'REQUEST of every server whether the lease still holds',
      run: (state, _, context) => startRebinding(state, context),
    },
  },
  renewing: {
    ...holding,
    announce: { ...holding.announce, to: ['renewing'] },
    conflict: { ...holding.conflict, to: ['renewing'] },
    ack: ackWhileHolding,
    nak: nakWhileHolding,
    resend: {
      to: ['renewing'],
      does: 'REQUEST again',
      run: (state, _, context) => renewAgain(state, context),
    },
    rebind: {
      to: ['rebinding'],
      does: 'REQUEST more time of every server',
      run: (state, _, context) => startRebinding(state, context),
    },
    doubt: {
      to: ['rebinding'],
      does: 'REQUEST of every server whether the lease still holds',
      run: (state, _, context) => startRebinding(state, context),
    },
  },
  rebinding: {
    ...holding,
    announce: { ...holding.announce, to: ['rebinding'] },
    conflict: { ...holding.conflict, to: ['rebinding'] },
    ack: ackWhileHolding,
    nak: nakWhileHolding,
    resend: {
      to: ['rebinding'],
      does: 'REQUEST again',
      run: (state, _, context) => rebindAgain(state, context),
    },
  },
  'backing-off': {
    'backoff-over': {
      to: ['selecting'],
      does: 'DISCOVER',
      run: (state, _, context) =>
        startSelecting(state, context, { kind: 'report', report: { kind: 'restarted' } }),
    },
    stop: stopWithNothing,
  },
  stopped: {},
};

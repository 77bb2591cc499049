import type { Table } from '../table/table.ts';
import {
  applyFailed,
  checked,
  checkedEnough,
  confirmAgain,
  requestAgain6,
  solicitAgain,
  startConfirming,
  startRequesting,
  startSoliciting,
  take,
} from './acquire.ts';
import {
  declineAgain,
  declineDone,
  duplicate,
  expire,
  expireHeld,
  extend6,
  rebindAgain6,
  refused,
  renewAgain6,
  requestHeld,
  startRebinding6,
  startRenewing6,
} from './hold.ts';
import type { Dhcp6Action, Dhcp6Context, Dhcp6Event, Dhcp6Phase, Dhcp6State, InPhase6 } from './state.ts';
import { common6, fail6, releaseAgain, released, type Step6, step6, stillValid, stop6 } from './steps.ts';

type Event<Kind extends Dhcp6Event['kind']> = Extract<Dhcp6Event, { readonly kind: Kind }>;
type Holding = InPhase6<'bound' | 'renewing' | 'rebinding'>;

export const phasesInWords6: Readonly<Record<Dhcp6Phase, string>> = {
  init: 'Made, but not started.',
  confirming: 'Asks whether addresses from before a restart still fit this link.',
  soliciting: 'Looks for a server.',
  requesting:
    'Has asked one server for the addresses that it advertised, or for a new record of those that it has.',
  checking: 'The interface has new addresses, and the kernel looks whether anybody else uses them.',
  bound: 'Has a lease and nothing to do.',
  renewing: 'Past T1: asks the server of the lease.',
  rebinding: 'Past T2, or in doubt: asks every server. The lease still holds.',
  declining: 'Tells the server which of its addresses somebody else uses. Holds those that are left.',
  'backing-off':
    'Waits after a failure; each wait is twice as long as the one before, up to the configured bound.',
  releasing: 'Has taken the addresses off, and waits until the server has heard that they are free.',
  stopped: 'Over.',
};

export const eventsInWords6: Readonly<Record<Dhcp6Event['kind'], string>> = {
  start: 'start',
  advertise: 'ADVERTISE with addresses for us',
  granted: 'REPLY that grants or withdraws addresses',
  'no-binding': 'REPLY: the server has no record of us',
  denied: 'REPLY: no',
  confirmed: 'REPLY: the addresses fit',
  acknowledged: 'REPLY',
  usable: 'nobody else uses the address',
  duplicate: 'somebody else uses the address',
  'apply-failed': 'the interface refuses the address',
  managed: 'a router says, and none had said before, that addresses come from DHCP',
  doubt: 'doubt (the link came back, the clock jumped)',
  stop: 'stop',
  'address-expired': 'an address ran out',
  'backoff-over': 'the pause is over',
  'checked-enough': 'the kernel has said nothing for 5 s',
  'give-up': 'time is up',
  rebind: 'T2',
  renew: 'T1',
  resend: 'no answer yet',
};

const stopWithNothing = {
  to: ['stopped'],
  does: 'end',
  run: (state: Dhcp6State): Step6 => step6({ ...common6(state), phase: 'stopped' }),
} as const;

/** What every phase has in which addresses are ours. */
const holding = {
  'address-expired': {
    to: ['backing-off'],
    does: 'drop it; if it was the last one forget the lease and report',
    run: (state: Holding, _: unknown, context: Dhcp6Context) => expire(state, context),
  },
  duplicate: {
    to: ['declining'],
    does: 'drop it, DECLINE, report',
    run: (state: Holding, event: Event<'duplicate'>, context: Dhcp6Context) =>
      duplicate(state, event.address, context),
  },
  stop: {
    to: ['releasing', 'stopped'],
    does: 'drop the addresses; RELEASE unless told to keep',
    run: (state: Holding, _: unknown, context: Dhcp6Context) => stop6(state, context, state.lease),
  },
} as const;

const grantWhileHolding = {
  to: ['bound', 'checking', 'backing-off'],
  does: 'note the new times; put new addresses on before withdrawn ones go; with none left forget the lease and report',
  run: (state: InPhase6<'renewing' | 'rebinding'>, event: Event<'granted'>, context: Dhcp6Context) =>
    extend6(state, event.grant, context),
} as const;

const noBindingWhileHolding = {
  to: ['requesting'],
  does: 'REQUEST a new record of what we hold',
  run: (state: InPhase6<'renewing' | 'rebinding'>, event: Event<'no-binding'>, context: Dhcp6Context) =>
    requestHeld(state, event.server, context),
} as const;

/** The addresses from before, as far as they have not run out. */
function takeRemembered(state: InPhase6<'confirming'>, context: Dhcp6Context): Step6 {
  const lease = stillValid(state.remembered, context.nowMs);
  return lease.addresses.length > 0
    ? take(state, lease, undefined, true, context)
    : startSoliciting(state, context, { kind: 'forget' });
}

export const dhcp6Table: Table<Dhcp6State, Dhcp6Event, Dhcp6Action, Dhcp6Context> = {
  init: {
    start: {
      to: ['confirming', 'soliciting'],
      does: 'with addresses remembered that still run: CONFIRM them; else SOLICIT',
      run: (state, { remembered }, context) =>
        remembered !== undefined && stillValid(remembered, context.nowMs).addresses.length > 0
          ? startConfirming(state, remembered, context)
          : startSoliciting(state, context),
    },
    stop: stopWithNothing,
  },
  confirming: {
    confirmed: {
      to: ['checking', 'soliciting'],
      does: 'put them on; if they have run out meanwhile, SOLICIT',
      run: (state, _, context) => takeRemembered(state, context),
    },
    denied: {
      to: ['soliciting'],
      does: 'forget the lease, SOLICIT',
      run: (state, _, context) => startSoliciting(state, context, { kind: 'forget' }),
    },
    resend: {
      to: ['confirming'],
      does: 'CONFIRM again',
      run: (state, _, context) => confirmAgain(state, context),
    },
    'give-up': {
      to: ['checking', 'soliciting'],
      does: 'nobody objects: put them on; if they have run out meanwhile, SOLICIT',
      run: (state, _, context) => takeRemembered(state, context),
    },
    stop: stopWithNothing,
  },
  soliciting: {
    advertise: {
      to: ['requesting'],
      does: 'take the first ADVERTISE: REQUEST those addresses of that server',
      run: (state, { server, addresses }, context) =>
        startRequesting(state, server, addresses, undefined, context),
    },
    resend: {
      to: ['soliciting'],
      does: 'SOLICIT again',
      run: (state, _, context) => solicitAgain(state, context),
    },
    'give-up': {
      to: ['backing-off'],
      does: 'report; the pause is the longest one where routers say that there is no DHCP for addresses',
      run: (state, _, context) => fail6(state, 'no-advertise', context),
    },
    stop: stopWithNothing,
  },
  requesting: {
    granted: {
      to: ['checking', 'bound'],
      does: 'put the addresses on the interface',
      run: (state, { grant }, context) =>
        take(state, grant.lease, state.held, state.held === undefined, context),
    },
    denied: {
      to: ['backing-off', 'rebinding'],
      does: 'report; with addresses still in hand stay on those',
      run: (state, _, context) => refused(state, 'denied', context),
    },
    resend: {
      to: ['requesting'],
      does: 'REQUEST again',
      run: (state, _, context) => requestAgain6(state, context),
    },
    'give-up': {
      to: ['backing-off', 'rebinding'],
      does: 'report; with addresses still in hand stay on those',
      run: (state, _, context) => refused(state, 'no-reply', context),
    },
    'address-expired': {
      to: ['requesting'],
      does: 'drop it',
      run: (state, _, context) => expireHeld(state, context),
    },
    stop: {
      to: ['releasing', 'stopped'],
      does: 'drop the addresses that we hold; RELEASE unless told to keep',
      run: (state, _, context) => stop6(state, context, state.held),
    },
  },
  checking: {
    usable: {
      to: ['checking', 'bound'],
      does: 'announce it; after the last one drop the old addresses, remember the lease, report',
      run: (state, { address }) => checked(state, address),
    },
    duplicate: {
      to: ['declining'],
      does: 'drop it, DECLINE, report',
      run: (state, { address }, context) => duplicate(state, address, context),
    },
    'apply-failed': {
      to: ['checking', 'bound', 'backing-off'],
      does: 'do without it; with none left report',
      run: (state, { address }, context) => applyFailed(state, address, context),
    },
    'checked-enough': {
      to: ['bound'],
      does: 'drop the old addresses, remember the lease, report',
      run: (state) => checkedEnough(state),
    },
    'address-expired': {
      to: ['checking', 'backing-off'],
      does: 'drop it; if it was the last one forget the lease and report',
      run: (state, _, context) => expire(state, context),
    },
    stop: {
      to: ['releasing', 'stopped'],
      does: 'drop the addresses; RELEASE unless told to keep',
      run: (state, _, context) => stop6(state, context, state.lease, ...state.outgoing),
    },
  },
  bound: {
    ...holding,
    renew: {
      to: ['renewing'],
      does: 'RENEW',
      run: (state, _, context) => startRenewing6(state, context),
    },
    rebind: {
      to: ['rebinding'],
      does: 'REBIND',
      run: (state, _, context) => startRebinding6(state, context),
    },
    doubt: {
      to: ['rebinding'],
      does: 'REBIND',
      run: (state, _, context) => startRebinding6(state, context),
    },
  },
  renewing: {
    ...holding,
    granted: grantWhileHolding,
    'no-binding': noBindingWhileHolding,
    resend: {
      to: ['renewing'],
      does: 'RENEW again',
      run: (state, _, context) => renewAgain6(state, context),
    },
    rebind: {
      to: ['rebinding'],
      does: 'REBIND',
      run: (state, _, context) => startRebinding6(state, context),
    },
    doubt: {
      to: ['rebinding'],
      does: 'REBIND',
      run: (state, _, context) => startRebinding6(state, context),
    },
  },
  rebinding: {
    ...holding,
    granted: grantWhileHolding,
    'no-binding': noBindingWhileHolding,
    resend: {
      to: ['rebinding'],
      does: 'REBIND again',
      run: (state, _, context) => rebindAgain6(state, context),
    },
  },
  declining: {
    acknowledged: {
      to: ['bound', 'backing-off'],
      does: 'go on with the addresses that are left; with none report, and wait ten seconds at least',
      run: (state, _, context) => declineDone(state, context),
    },
    'give-up': {
      to: ['bound', 'backing-off'],
      does: 'go on with the addresses that are left; with none report, and wait ten seconds at least',
      run: (state, _, context) => declineDone(state, context),
    },
    resend: {
      to: ['declining'],
      does: 'DECLINE again',
      run: (state, _, context) => declineAgain(state, context),
    },
    duplicate: {
      to: ['declining'],
      does: 'drop it, DECLINE both, report',
      run: (state, { address }, context) => duplicate(state, address, context),
    },
    'address-expired': {
      to: ['declining'],
      does: 'drop it',
      run: (state, _, context) => expire(state, context),
    },
    stop: {
      to: ['releasing', 'stopped'],
      does: 'drop the addresses; RELEASE unless told to keep',
      run: (state, _, context) => stop6(state, context, state.lease),
    },
  },
  'backing-off': {
    'backoff-over': {
      to: ['soliciting'],
      does: 'SOLICIT',
      run: (state, _, context) =>
        startSoliciting(state, context, { kind: 'report', report: { kind: 'restarted' } }),
    },
    managed: {
      to: ['soliciting'],
      does: 'SOLICIT at once',
      run: (state, _, context) =>
        startSoliciting(state, context, { kind: 'report', report: { kind: 'restarted' } }),
    },
    stop: stopWithNothing,
  },
  releasing: {
    acknowledged: { to: ['stopped'], does: 'report', run: (state) => released(state) },
    'give-up': { to: ['stopped'], does: 'report', run: (state) => released(state) },
    resend: {
      to: ['releasing'],
      does: 'RELEASE again',
      run: (state, _, context) => releaseAgain(state, context),
    },
  },
  stopped: {},
};

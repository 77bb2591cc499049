import type { Cell } from '../table/table.ts';
import { dhcp4Table } from './client-table.ts';
import { dueAlarm, nextWake, recogniseArp, recogniseMessage } from './recognise.ts';
import type {
  Dhcp4Action,
  Dhcp4Config,
  Dhcp4Context,
  Dhcp4Event,
  Dhcp4Input,
  Dhcp4State,
  Moment,
} from './state.ts';
import { firstBackoffMs, type Step4 } from './transitions.ts';

export function initialDhcp4(config: Dhcp4Config): Dhcp4State {
  return {
    phase: 'init',
    backoffMs: Math.min(firstBackoffMs, config.backoffMaxMs),
    ignored: {
      unexpected: 0,
      'wrong-client-id': 0,
      'wrong-mac': 0,
      'wrong-server': 0,
      'wrong-xid': 0,
      unusable: 0,
    },
  };
}

/** When the client wants its next `tick`; nothing where it waits for others only. */
export const wakeDhcp4 = nextWake;

/** What the client makes of an input. Pure: the same state, input and moment always give the same outcome. */
export function stepDhcp4(state: Dhcp4State, input: Dhcp4Input, moment: Moment, config: Dhcp4Config): Step4 {
  const context = { ...moment, config };
  switch (input.kind) {
    case 'received':
    case 'heard-arp': {
      const recognised =
        input.kind === 'received'
          ? recogniseMessage(state, input, config)
          : recogniseArp(state, input, config);
      if (recognised === undefined) return { state, actions: [] };
      if ('event' in recognised) return onEvent(state, recognised.event, context);
      const { ignored } = recognised;
      return {
        state: { ...state, ignored: { ...state.ignored, [ignored]: state.ignored[ignored] + 1 } },
        actions: [],
      };
    }
    case 'tick': {
      const timer = dueAlarm(state, context.nowMs);
      return timer === undefined ? { state, actions: [] } : onEvent(state, { kind: timer }, context);
    }
    case 'applied':
    case 'apply-failed': {
      const awaited = state.phase === 'applying' && state.candidate.address === input.address;
      return awaited ? onEvent(state, { kind: input.kind }, context) : { state, actions: [] };
    }
    case 'start':
    case 'doubt':
    case 'stop':
      return onEvent(state, input, context);
    default:
      return input satisfies never;
  }
}

function onEvent(state: Dhcp4State, event: Dhcp4Event, context: Dhcp4Context): Step4 {
  const cell: Cell<Dhcp4State, Dhcp4Event, Dhcp4State, Dhcp4Action, Dhcp4Context> | undefined =
    dhcp4Table[state.phase][event.kind];
  return cell === undefined ? { state, actions: [] } : cell.run(state, event, context);
}

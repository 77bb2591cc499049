import type { Cell } from '../table/table.ts';
import { dhcp6Table } from './client-table.ts';
import type { Dhcp6Message } from './message.ts';
import { dueAlarm6, nextWake6, recogniseMessage6 } from './recognise.ts';
import type { Dhcp6Action, Dhcp6Config, Dhcp6Context, Dhcp6Event, Dhcp6Input, Dhcp6State } from './state.ts';
import { firstBackoff6Ms, type Step6 } from './steps.ts';

export function initialDhcp6(config: Dhcp6Config): Dhcp6State {
  return {
    phase: 'init',
    backoffMs: Math.min(firstBackoff6Ms, config.backoffMaxMs),
    solMaxRtMs: Number.POSITIVE_INFINITY,
    managed: undefined,
    ignored: {
      unexpected: 0,
      'wrong-transaction': 0,
      'wrong-client-id': 0,
      'wrong-server': 0,
      'no-addresses': 0,
      unusable: 0,
    },
  };
}

/** When the client wants its next `tick`; nothing where it waits for others only. */
export const wakeDhcp6 = nextWake6;

/** What the client makes of an input. Pure: the same state, input and moment always give the same outcome. */
export function stepDhcp6(
  state: Dhcp6State,
  input: Dhcp6Input,
  moment: { readonly nowMs: number; readonly random: number },
  config: Dhcp6Config,
): Step6 {
  const context = { ...moment, config };
  switch (input.kind) {
    case 'received':
      return onMessage(state, input.message, context);
    case 'routers-say': {
      const news = input.managed && state.managed !== true;
      const told = { ...state, managed: input.managed };
      return news ? onEvent(told, { kind: 'managed' }, context) : { state: told, actions: [] };
    }
    case 'tick': {
      const timer = dueAlarm6(state, context.nowMs);
      return timer === undefined ? { state, actions: [] } : onEvent(state, { kind: timer }, context);
    }
    case 'start':
    case 'usable':
    case 'duplicate':
    case 'apply-failed':
    case 'doubt':
    case 'stop':
      return onEvent(state, input, context);
    default:
      return input satisfies never;
  }
}

function onMessage(state: Dhcp6State, message: Dhcp6Message, context: Dhcp6Context): Step6 {
  const recognised = recogniseMessage6(state, message, context.config);
  if ('event' in recognised) return onEvent(heeding(state, message), recognised.event, context);
  const { ignored } = recognised;
  const heard = ignored === 'no-addresses' ? heeding(state, message) : state;
  return {
    state: { ...heard, ignored: { ...heard.ignored, [ignored]: heard.ignored[ignored] + 1 } },
    actions: [],
  };
}

/** A server may say how patient its clients are to be, also when it has no addresses (RFC 8415, 18.2.9). */
function heeding(state: Dhcp6State, { options }: Dhcp6Message): Dhcp6State {
  const { solMaxRtSeconds } = options;
  const sensible = solMaxRtSeconds !== undefined && solMaxRtSeconds >= 60 && solMaxRtSeconds <= 86_400;
  return sensible ? { ...state, solMaxRtMs: solMaxRtSeconds * 1000 } : state;
}

function onEvent(state: Dhcp6State, event: Dhcp6Event, context: Dhcp6Context): Step6 {
  const cell: Cell<Dhcp6State, Dhcp6Event, Dhcp6State, Dhcp6Action, Dhcp6Context> | undefined =
    dhcp6Table[state.phase][event.kind];
  return cell === undefined ? { state, actions: [] } : cell.run(state, event, context);
}

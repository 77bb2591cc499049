import { leaseEvents, requestEvents } from './events.ts';
import { type Action, actions, cellFor, leaseStates } from './table.ts';

/** The reference page of the machine, made from the table itself. */
export function tablePage(): string {
  const header = `| event ↓ state → | ${leaseStates.join(' | ')} |`;
  const rule = `|---|${leaseStates.map(() => '---').join('|')}|`;
  const rows = leaseEvents.map((event) => {
    const cells = leaseStates.map((state) => {
      const cell = cellFor(state, event);
      return cell === 'refused' ? '' : cell === 'ignored' ? '–' : `**${cell.to}**`;
    });
    return `| \`${event}\` | ${cells.join(' | ')} |`;
  });
  return [
    '# The lease machine',
    '',
    'Made from `packages/backend/src/lease/table.ts` by a test; do not edit. A cell is the state that the event leads to, `–` means',
    'that it is ignored, an empty cell that it is refused. `none` is a lease that does not exist. Outcomes name the operation that',
    'they belong to; one that belongs to another than the one under way is ignored everywhere.',
    '',
    header,
    rule,
    ...rows,
    '',
    '## What each transition does',
    '',
    'In this order. The new state, the record and the release history are one transaction; what is outside follows after it is',
    'durable, and the caller is told last.',
    '',
    '| state | event | to | does |',
    '|---|---|---|---|',
    ...transitionRows(),
    '',
    '## The actions',
    '',
    ...Object.entries(actions).map(([action, meaning]) => `- \`${action}\`: ${meaning}.`),
    '',
    `Requests are ${requestEvents.map((event) => `\`${event}\``).join(', ')}; everything else is an outcome of our own work or a fact.`,
    '',
  ].join('\n');
}

function transitionRows(): string[] {
  return leaseStates.flatMap((state) =>
    leaseEvents.flatMap((event) => {
      const cell = cellFor(state, event);
      if (typeof cell === 'string') return [];
      const does = cell.does.map((action: Action) => `\`${action}\``).join(', ');
      return [`| ${state} | \`${event}\` | ${cell.to} | ${does} |`];
    }),
  );
}
